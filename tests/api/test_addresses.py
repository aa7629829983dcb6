"""Whose request it is, behind proxies or not, and which network that is."""

from ipaddress import IPv6Address, IPv6Network

import httpx2
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from api.addresses import client_host, country_of, make_proxies, network
from api.app import create_app
from api.hits.networks import NOWHERE, parse_networks
from api.settings import Settings
from tests.conftest import Processes, free_port

TRUSTED = parse_networks("127.0.0.1, 10.0.0.0/8, 2001:db8:1::/48")

CASES = {
    "an IPv4 address whole": ("203.0.113.7", "203.0.113.7"),
    "an IPv6 address cut to its /64": ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
    "another address of the same /64": ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
    "an IPv4 address written as IPv6": ("::ffff:203.0.113.7", "203.0.113.7"),
    "a link-local address with its interface": ("fe80::1%eth0", "fe80::/64"),
    "no address": ("testclient", "testclient"),
}


@pytest.mark.parametrize(("host", "expected"), CASES.values(), ids=CASES)
def test_network_is(host: str, expected: str) -> None:
    assert network(host) == expected


GROUPS = st.lists(st.sampled_from([0, 0, 1, 0xFFFF]) | st.integers(0, 0xFFFF), min_size=8, max_size=8)


@given(GROUPS, st.booleans())
def test_network_of_ipv6_is_as_the_standard_library_writes_it(groups: list[int], is_long: bool) -> None:
    address = IPv6Address(":".join(f"{group:x}" for group in groups))
    expected = address.ipv4_mapped or IPv6Network((int(address), 64), strict=False)
    assert network(address.exploded if is_long else str(address)) == str(expected)


def forwarded(*lines: str) -> Headers:
    """A request's headers with X-Forwarded-For, on one line or on several."""
    return Headers(raw=[(b"x-forwarded-for", line.encode("latin-1")) for line in lines])


BEHIND = {
    "one proxy": ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
    "two proxies": ("10.0.0.1", ["203.0.113.7, 10.0.0.2"], "203.0.113.7"),
    "an invented address in front": ("10.0.0.1", ["192.0.2.66, 203.0.113.7, 10.0.0.2"], "203.0.113.7"),
    "an invented trusted address in front": ("10.0.0.1", ["10.9.9.9, 203.0.113.7"], "203.0.113.7"),
    "an invented line of its own": ("10.0.0.1", ["192.0.2.66", "203.0.113.7"], "203.0.113.7"),
    "a client in the proxies' own network": ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
    "a port": ("10.0.0.1", ["203.0.113.7:51234"], "203.0.113.7"),
    "IPv6": ("2001:db8:1::1", ["2001:db8:2::9"], "2001:db8:2::9"),
    "IPv6 in brackets with a port": ("127.0.0.1", ["[2001:db8:2::9]:443, 10.0.0.2:80"], "2001:db8:2::9"),
    "IPv6 in brackets": ("127.0.0.1", ["[2001:db8:2::9]"], "2001:db8:2::9"),
    "IPv4 written as IPv6": ("::ffff:10.0.0.1", ["::ffff:203.0.113.7"], "203.0.113.7"),
    "a peer that nobody trusts": ("203.0.113.7", ["192.0.2.66"], "203.0.113.7"),
    "a peer that is no address": ("testclient", ["192.0.2.66"], "testclient"),
    "no peer": ("", ["192.0.2.66"], ""),
    "no header": ("10.0.0.1", [], "10.0.0.1"),
    "an empty header": ("10.0.0.1", [""], "10.0.0.1"),
    "a word": ("10.0.0.1", ["unknown"], "10.0.0.1"),
    "a word behind an address": ("10.0.0.1", ["203.0.113.7, unknown"], "10.0.0.1"),
    "a word before the last proxy": ("10.0.0.1", ["203.0.113.7, ;DROP, 10.0.0.2"], "10.0.0.2"),
    "bytes": ("10.0.0.1", ["\xff\x00"], "10.0.0.1"),
}


@pytest.mark.parametrize(("peer", "lines", "expected"), BEHIND.values(), ids=BEHIND)
def test_the_client_is_whom_the_last_trusted_proxy_was_asked_by(peer: str, lines: list[str], expected: str) -> None:
    assert client_host(peer, forwarded(*lines), TRUSTED) == expected


def test_without_trusted_proxies_the_header_says_nothing() -> None:
    assert client_host("127.0.0.1", forwarded("203.0.113.7"), NOWHERE) == "127.0.0.1"


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=30), max_size=4), st.ip_addresses(v=4))
def test_nothing_that_a_client_sends_hides_its_address(invented: list[str], client: object) -> None:
    expected = str(client)
    if TRUSTED.covers(expected):
        return
    assert client_host("10.0.0.1", forwarded(*invented, f"{client}, 10.0.0.2"), TRUSTED) == expected
    assert client_host(expected, forwarded(*invented), TRUSTED) == expected


COUNTRIES = {
    "a trusted proxy's": ("10.0.0.1", {"CF-IPCountry": "nz"}, "NZ"),
    "anybody's": ("203.0.113.7", {"CF-IPCountry": "NZ"}, ""),
    "unknown to the proxy": ("10.0.0.1", {"CF-IPCountry": "XX"}, ""),
    "Tor": ("10.0.0.1", {"CF-IPCountry": "T1"}, ""),
    "a name": ("10.0.0.1", {"CF-IPCountry": "New Zealand"}, ""),
    "not said": ("10.0.0.1", {}, ""),
}


@pytest.mark.parametrize(("peer", "headers", "expected"), COUNTRIES.values(), ids=COUNTRIES)
def test_a_country_is_taken_from_trusted_proxies(peer: str, headers: dict[str, str], expected: str) -> None:
    assert country_of(peer, Headers(headers), TRUSTED, "CF-IPCountry") == expected


def test_without_a_named_header_no_country_is_told() -> None:
    assert country_of("10.0.0.1", Headers({"": "NZ"}), TRUSTED, "") == ""


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^EARSHOT_TRUSTED_PROXIES: 'proxy\.example' is no network"):
        make_proxies("127.0.0.1, proxy.example", "")
    with pytest.raises(ValueError, match="EARSHOT_COUNTRY_HEADER is set, but no proxy may tell it"):
        make_proxies("", "CF-IPCountry")


# -- who goes by it ----------------------------------------------------------------------------------------------------


def sign_in_from(client: TestClient | httpx2.Client, place: str, number: int) -> int:
    """The answer to a wrong password, for an e-mail address of its own."""
    body = {"email": f"{place}-{number}@example.com", "password": "wrong"}
    return client.post("/v1/session", json=body, headers={"X-Forwarded-For": place}).status_code


def test_sign_ins_are_limited_by_the_client_behind_the_proxy(settings: Settings, engine: object) -> None:
    trusting = settings.model_copy(update={"sign_ins_per_minute": 2, "trusted_proxies": "10.0.0.0/8"})
    with TestClient(create_app(trusting), client=("10.0.0.1", 5000)) as proxy:
        assert [sign_in_from(proxy, "203.0.113.7", number) for number in range(3)] == [401, 401, 429]
        assert sign_in_from(proxy, "203.0.113.8", 4) == 401
    with TestClient(create_app(trusting), client=("192.0.2.66", 5000)) as liar:
        assert [sign_in_from(liar, f"203.0.113.{number}", number) for number in range(3)] == [401, 401, 429]


def test_registrations_are_limited_by_the_client_behind_the_proxy(settings: Settings, engine: object) -> None:
    trusting = settings.model_copy(update={"registrations_per_minute": 1, "trusted_proxies": "10.0.0.0/8"})
    body = {"app": "test", "app_version": "1", "platform": "test"}
    with TestClient(create_app(trusting), client=("10.0.0.1", 5000)) as proxy:
        answers = [
            proxy.post("/v1/devices", json=body, headers={"X-Forwarded-For": place}).status_code
            for place in ("203.0.113.7", "203.0.113.7", "203.0.113.8")
        ]
    assert answers == [201, 503, 201]


@pytest.mark.parametrize(("trusted", "expected"), [("", [401, 401, 429]), ("127.0.0.1", [401, 401, 401])])
def test_the_server_believes_only_the_proxies_that_are_named(
    processes: Processes, trusted: str, expected: list[int]
) -> None:
    url, _ = processes.serve(EARSHOT_TRUSTED_PROXIES=trusted, EARSHOT_SIGN_INS_PER_MINUTE="2")
    with httpx2.Client(base_url=url) as client:
        assert [sign_in_from(client, f"203.0.113.{number}", number) for number in range(3)] == expected


def test_a_list_that_is_no_good_stops_the_server_with_a_message(
    processes: Processes, capfd: pytest.CaptureFixture[str]
) -> None:
    process = processes.start("serve", "--port", str(free_port()), EARSHOT_DATACENTERS="/nowhere/list.txt")
    assert process.wait(60) == 1
    told = capfd.readouterr().err
    assert told.startswith("EARSHOT_DATACENTERS: /nowhere/list.txt cannot be read")
    assert "Traceback" not in told
