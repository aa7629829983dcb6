"""Whose request it is: the client's address, also behind proxies, and the network it belongs to."""

import socket
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from api.hits.networks import Networks, parse_networks

IPV6_PREFIX = 64
"""One household or phone has a whole /64 and changes within it. IAB PTM v2.3 cuts there too."""
_CUT = IPV6_PREFIX // 8
NO_COUNTRIES = frozenset({"XX", "ZZ", "AP", "EU"})
"""Two letters that some say for an unknown country, or for a continent."""


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies in front of the service, whose word about the client is taken."""

    trusted: Networks
    country_header: str
    """Empty: none."""


def make_proxies(trusted: str, country_header: str) -> Proxies:
    """What the settings say. Raises ValueError."""
    try:
        networks = parse_networks(trusted)
    except ValueError as error:
        raise ValueError(f"EARSHOT_TRUSTED_PROXIES: {error}.") from error
    if country_header and not networks:
        raise ValueError(
            "EARSHOT_COUNTRY_HEADER is set, but no proxy may tell it: name its network in EARSHOT_TRUSTED_PROXIES."
        )
    return Proxies(networks, country_header)


def host_of(request: HTTPConnection) -> str:
    """The client's address; empty when the connection has none."""
    peer = request.client.host if request.client else ""
    return client_host(peer, request.headers, request.app.state.proxies.trusted)


def country_told(request: HTTPConnection) -> str:
    """The country that a trusted proxy told, ISO 3166 alpha-2; otherwise empty."""
    proxies: Proxies = request.app.state.proxies
    peer = request.client.host if request.client else ""
    return country_of(peer, request.headers, proxies.trusted, proxies.country_header)


def client_host(peer: str, headers: Headers, trusted: Networks) -> str:
    """The address that a request came from: the peer's own, or what trusted proxies say about it.

    Every proxy appends whom it was asked by to X-Forwarded-For, so the list is true from the right as far as trusted
    proxies wrote it: the first address from there that is not one of theirs is the client's. What stands further left,
    or is no address, anybody may have sent.
    """
    if not trusted.covers(peer):
        return peer
    host = peer
    for hop in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
        told = try_parse_hop(hop)
        if told is None:
            break
        host = told
        if not trusted.covers(host):
            break
    return host


def try_parse_hop(hop: str) -> str | None:
    """One element of X-Forwarded-For as an address: some proxies add a port, and brackets around IPv6."""
    text = hop.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def country_of(peer: str, headers: Headers, trusted: Networks, country_header: str) -> str:
    """The country that the peer told in this header, when it is a trusted proxy; otherwise empty."""
    if not country_header or not trusted.covers(peer):
        return ""
    return clean_country(headers.get(country_header, ""))


def clean_country(text: str) -> str:
    """ISO 3166 alpha-2 in capitals; empty for anything else."""
    code = text.strip().upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() and code not in NO_COUNTRIES else ""


def network(host: str) -> str:
    """An IPv4 address whole, an IPv6 one cut to /64; what is no address (a Unix socket's peer) as it is."""
    if ":" not in host:
        return host  # an IPv4 address has one spelling; parsing each would take most of a log's import
    try:
        packed = socket.inet_pton(socket.AF_INET6, host)
    except (OSError, ValueError):
        return _network_parsed(host)
    if not any(packed[:_CUT]):
        return _network_parsed(host)  # it may be IPv4 written as IPv6
    # As below, in a tenth of the time.
    return f"{socket.inet_ntop(socket.AF_INET6, packed[:_CUT] + bytes(16 - _CUT))}/{IPV6_PREFIX}"


def _network_parsed(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((int(address), IPV6_PREFIX), strict=False))
    return str(address)
