"""Networks of addresses."""

import pytest

from api.addresses import network

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
