"""Passwords and keys: made at random, kept as hashes."""

import hashlib
import secrets
from functools import cache
from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""No letters that look like others, since people copy passwords by hand."""

MOST_AT_ONCE = 4
"""Runs of argon2 at a time: each takes 64 MiB, whoever asks for it."""

_hasher = PasswordHash((Argon2Hasher(),))
_places = BoundedSemaphore(MOST_AT_ONCE)


def make_password() -> str:
    """Four groups of five characters: 99 random bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(4))


def make_token(prefix: str = "") -> str:
    """256 random bits."""
    return prefix + secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """SHA-256: a token is random, so a slow hash would protect it no better."""
    return hashlib.sha256(token.encode()).digest()


def hash_password(password: str) -> str:
    """argon2id, with its salt and parameters in the text. Takes tens of milliseconds on purpose."""
    with _places:
        return _hasher.hash(password)


def is_password(password: str, password_hash: str | None) -> bool:
    """Whether the password fits; None, for nobody, takes as long as a wrong password."""
    nobodys = nobodys_hash()
    with _places:
        try:
            is_right = _hasher.verify(password, password_hash or nobodys)
        except UnknownHashError:
            # An account that has no usable password must not answer sooner than others.
            _hasher.verify(password, nobodys)
            return False
    return is_right and password_hash is not None


@cache
def nobodys_hash() -> str:
    """The hash that passwords for unknown addresses are compared with."""
    return hash_password(secrets.token_hex())
