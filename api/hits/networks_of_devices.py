"""The network that a device registered from, as a number that says nothing about it and is another after a rotation."""

from hashlib import blake2b
from ipaddress import IPv6Address, ip_address, ip_network

from api.hits.identity import key_of
from models.rotations import rotation_of

IPV4_PREFIX, IPV6_PREFIX = 24, 48
"""What one subscriber of a hosting company or provider usually gets; a household has less."""
_NOBODYS = tuple(
    ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10")
)
"""Behind a proxy that nobody told Earshot to trust, all the world has such an address."""


def hash_network(secret: str, host: str, day: int) -> int | None:
    """64 bits, signed, for an address's /24 (IPv6: /48) on a UTC day; None for one that says nothing of where it is."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in _NOBODYS):
        return None
    prefix = IPV6_PREFIX if address.version == 6 else IPV4_PREFIX
    network = str(ip_network(f"{address}/{prefix}", strict=False)).encode()
    digest = blake2b(network, key=key_of(secret, rotation_of(day)), digest_size=8, person=b"network").digest()
    return int.from_bytes(digest, signed=True)
