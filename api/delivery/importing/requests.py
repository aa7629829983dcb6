"""What a logged request says: method, path, host; and whose it was behind proxies."""

import re
from ipaddress import ip_address

from api.addresses import try_parse_hop

_METHOD = re.compile(r"[A-Za-z][A-Za-z_-]{0,31}")
_END_OF_PATH = re.compile(r"[?#]")
_PORT = re.compile(r":\d*$")


def parse_request(line: str) -> tuple[str, str, str]:
    """Method, path and host of `GET /a.mp3?b HTTP/1.1`; empty texts when it is no HTTP request."""
    method, _, rest = line.partition(" ")
    if not rest or not _METHOD.fullmatch(method):
        return "", "", ""
    target, _, protocol = rest.rpartition(" ")
    # A target may have spaces, and the oldest HTTP has no protocol.
    path, host = parse_target(target if target and protocol.startswith("HTTP/") else rest)
    return method, path, host


def parse_target(target: str) -> tuple[str, str]:
    """Path and host of `/a.mp3?b` or `https://host:port/a.mp3?b`; percent-encoding stays."""
    cut = _END_OF_PATH.search(target)
    target = target[: cut.start()] if cut else target
    if target.startswith("/") or "://" not in target:
        return target, ""
    host, slash, path = target.partition("://")[2].partition("/")
    return slash + path or "/", host_of(host)


def host_of(authority: str) -> str:
    """Lower case, without user or port."""
    return _PORT.sub("", authority.rpartition("@")[2]).lower()


def country_of(text: str) -> str:
    """Two letters, upper case; empty for a country's name, and for what is none."""
    return text.upper() if len(text) == len("DE") and text.isascii() and text.isalpha() else ""


def address_of(text: str) -> str:
    """An address without the port and the brackets that some servers log with it."""
    if "[" not in text and not ("." in text and ":" in text):
        return text  # nearly all; parsing each would take longer than all else
    return try_parse_hop(text) or text


def nearest_public(forwarded: str) -> str:
    """Of X-Forwarded-For, the last address that is not private: what stands before it, anyone may have written."""
    addresses = [try_parse_hop(hop) or hop.strip() for hop in forwarded.split(",")]
    return next((address for address in reversed(addresses) if _is_public(address)), addresses[-1])


def _is_public(address: str) -> bool:
    try:
        return ip_address(address).is_global
    except ValueError:
        return False
