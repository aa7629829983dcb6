"""Addresses among networks, against the standard library's slow answer."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.hits.networks import (
    Address,
    ListError,
    Networks,
    parse_network,
    parse_networks,
    read_networks,
    text_of,
    try_parse_address,
)

MAPPED = IPv6Network("::ffff:0:0/96")


def write(folder: Path, text: str) -> Path:
    """A list in a file."""
    path = folder / "networks.txt"
    path.write_text(text)
    return path


@st.composite
def networks(draw: st.DrawFn) -> str:
    """Networks of any size, many of them close to each other so that they touch and overlap."""
    if draw(st.booleans()):
        number = draw(st.one_of(st.integers(0, 2**32 - 1), st.integers(0x0A000000, 0x0A0000FF)))
        return str(ip_network((number, draw(st.integers(0, 32))), strict=False))
    begin = 0x20010DB8 << 96
    number = draw(st.one_of(st.integers(0, 2**128 - 1), st.integers(begin, begin + 255)))
    return str(ip_network((number, draw(st.integers(0, 128))), strict=False))


@st.composite
def addresses_near(draw: st.DrawFn, among: list[str]) -> str:
    """An address in one of the networks, at its edge or anywhere."""
    if not among or draw(st.booleans()):
        return str(draw(st.ip_addresses()))
    network = ip_network(draw(st.sampled_from(among)))
    number = draw(st.sampled_from([int(network[0]), int(network[-1])])) + draw(st.integers(-1, 1))
    kind = type(network[0])
    return str(kind(min(max(number, 0), 2**network.max_prefixlen - 1)))


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Networks, and addresses to ask for."""
    among = draw(st.lists(networks(), max_size=12))
    return among, draw(st.lists(addresses_near(among), min_size=1, max_size=12))


def brute_force(among: list[str], host: str) -> bool:
    address = ip_address(host)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in map(plain, among) if network.version == address.version)


def plain(text: str) -> IPv4Network | IPv6Network:
    """The network; one that is IPv4 in the way that IPv6 writes it, as IPv4."""
    network = ip_network(text)
    if isinstance(network, IPv6Network) and network.subnet_of(MAPPED):
        return IPv4Network((int(network[0]) & 0xFFFFFFFF, network.prefixlen - 96))
    return network


@given(questions())
@example((["10.0.0.0/8", "10.0.0.0/24"], ["10.200.0.1", "11.0.0.0"]))
@example((["::ffff:192.0.2.0/120"], ["192.0.2.77", "::ffff:192.0.2.77", "192.0.3.0"]))
@example((["::/0"], ["192.0.2.1", "::ffff:192.0.2.1", "::1"]))
def test_lookup_agrees_with_trying_every_network(question: tuple[list[str], list[str]]) -> None:
    among, hosts = question
    found = Networks(map(parse_network, among))
    assert [found.covers(host) for host in hosts] == [brute_force(among, host) for host in hosts]


def test_touching_and_nested_networks_become_one_range() -> None:
    halves = [f"10.{n}.0.0/16" for n in range(256)]
    found = parse_networks(", ".join([*halves, "10.7.7.0/24"]))
    assert found._borders[4] == [10 << 24, 11 << 24]


@given(st.ip_addresses())
def test_an_address_is_read_as_the_standard_library_reads_it(address: IPv4Address | IPv6Address) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    plain = mapped or address
    assert try_parse_address(str(address)) == Address(plain.version, int(plain))
    assert ip_address(text_of(Address(plain.version, int(plain)))) == plain


NO_ADDRESSES = (
    "",
    "testclient",
    "1.2.3",
    "1.2.3.4.5",
    "256.0.0.1",
    "01.2.3.4",
    " 1.2.3.4",
    "::g",
    "1.2.3.4\0",
    "\ud800",
    "é",
)


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_is_in_no_network(text: str) -> None:
    assert try_parse_address(text) is None
    assert not parse_networks("0.0.0.0/0, ::/0").covers(text)


def test_a_zone_does_not_hide_an_address() -> None:
    assert parse_networks("fe80::/10").covers("fe80::1%eth0")


def test_a_file_has_a_network_a_line_and_comments(tmp_path: Path) -> None:
    text = "\ufeff# data centres\r\n\r\n  192.0.2.0/24  # one\r\n2001:db8::/32\r\n198.51.100.7\n"
    found = read_networks(write(tmp_path, text))
    hosts = ["192.0.2.200", "2001:db8:ffff::1", "198.51.100.7", "198.51.100.8", "2001:db9::1"]
    assert [found.covers(host) for host in hosts] == [True, True, True, False, False]


BROKEN = {
    "a word": ("192.0.2.0/24\n\nexample.com\n", "line 3: 'example.com' is no network; write it like 192.0.2.0/24"),
    "a part that is too long": ("192.0.2.0/33", "line 1: '192.0.2.0/33' is no network: /33 is out of range"),
    "bits of a host": ("10.1.2.3/8", "'10.1.2.3/8' is no network: write 10.0.0.0/8, or the address alone"),
    "a netmask": ("10.0.0.0/255.0.0.0", "no network; write it like"),
    "nothing behind the slash": ("10.0.0.0/", "no network; write it like"),
    "a mapped network that is wider than IPv4": ("::ffff:0.0.0.0/90", "out of range"),
    "two on a line": ("192.0.2.0/24 198.51.100.0/24", "no network; write it like"),
}


@pytest.mark.parametrize(("text", "told"), BROKEN.values(), ids=BROKEN)
def test_a_broken_line_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ListError) as error:
        read_networks(path)
    assert str(path) in str(error.value)
    assert told in str(error.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"missing\.txt cannot be read"):
        read_networks(tmp_path / "missing.txt")
    (tmp_path / "image.txt").write_bytes(b"\x89PNG\xff")
    with pytest.raises(ListError, match=r"image\.txt cannot be read"):
        read_networks(tmp_path / "image.txt")
