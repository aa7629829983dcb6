"""Which network an address belongs to: what limits and consumer hashes go by."""

from ipaddress import IPv6Address, ip_address, ip_network

IPV6_PREFIX = 64
"""One household or phone has a whole /64 and changes within it. IAB PTM v2.3 cuts there too."""


def network(host: str) -> str:
    """An IPv4 address whole, an IPv6 one cut to /64; what is no address (a Unix socket's peer) as it is."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((int(address), IPV6_PREFIX), strict=False))
    return str(address)
