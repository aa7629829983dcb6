"""Who asked, as a pair of 64-bit numbers that say nothing about him and are others after each rotation.

The secret of an installation gives a key for every `ROTATION_DAYS` days (`models/rotations.py`); so logs imported
later meet the same numbers as live hits, and what was stored under one key cannot be joined with what was stored under
another.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Any

from api.addresses import network
from models.rotations import has_earlier, rotation_of

_MASK = (1 << 64) - 1

MAX_AGENT_BYTES = 1024
"""User agents in the field are shorter."""


@lru_cache(maxsize=64)
def key_of(secret: str, rotation: int) -> bytes:
    """The key of a rotation: another one than what signs tokens, from the same secret."""
    return blake2b(b"%d" % rotation, key=blake2b(secret.encode()).digest(), person=b"consumer", digest_size=32).digest()


def agent_text(raw: bytes) -> str:
    """A user agent as it is hashed and classified, the same from a request and from a log of it: cut, bytes that are no
    UTF-8 as surrogates, and `-`, which logs write for none, as none."""
    return "" if raw == b"-" else raw[:MAX_AGENT_BYTES].decode("utf-8", "surrogateescape")


def hash_address(key: bytes, host: str) -> int:
    """64 bits for an address; IPv6 cut to /64."""
    return int.from_bytes(blake2b(network(host).encode(), key=key, digest_size=8, person=b"address").digest())


def hash_agent(key: bytes, user_agent: str) -> int:
    """64 bits for a user agent, to be mixed with those of an address."""
    return int.from_bytes(blake2b(user_agent.encode("utf-8", "surrogateescape"), key=key, digest_size=8).digest())


def mix(address: Any, agent: Any) -> Any:
    """64 bits for both: of two ints, or of two NumPy arrays of uint64. The finaliser of SplitMix64."""
    mixed = (address ^ (agent * 0x9E3779B97F4A7C15 & _MASK)) & _MASK
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & _MASK
    return mixed ^ (mixed >> 31)


def identify(secret: str, host: str, user_agent: str, day: int) -> tuple[int, int, int]:
    """Address, consumer, and the consumer under the earlier key (0 on most days), each 64 bits without sign."""
    rotation = rotation_of(day)
    key = key_of(secret, rotation)
    address = hash_address(key, host)
    earlier = 0
    if has_earlier(day):
        before = key_of(secret, rotation - 1)
        earlier = mix(hash_address(before, host), hash_agent(before, user_agent))
    return address, mix(address, hash_agent(key, user_agent)), earlier
