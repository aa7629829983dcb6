"""Sets of networks: whether an address is in one of a hundred thousand, and the files they are listed in."""

import socket
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

BITS = {4: 32, 6: 128}
MAPPED = 0xFFFF << 32
"""An IPv4 address written as IPv6, `::ffff:192.0.2.1`, is this plus the IPv4 address."""
MAPPED_BITS = 96

T = TypeVar("T")


class ListError(ValueError):
    """A list cannot be used; says which file, which line, and what to do."""


class Address(NamedTuple):
    """An IP address; one that is IPv4 written as IPv6 is IPv4."""

    version: int
    number: int


class Network(NamedTuple):
    """A stretch of addresses."""

    version: int
    number: int
    length: int
    """Bits that all its addresses begin with."""

    @property
    def end(self) -> int:
        """The number behind its last address."""
        return self.number + (1 << BITS[self.version] - self.length)


def try_parse_address(host: str) -> Address | None:
    """The address in this text; None when it is none. A zone (`fe80::1%eth0`) is left out."""
    try:
        if ":" not in host:
            return Address(4, int.from_bytes(socket.inet_pton(socket.AF_INET, host)))
        number = int.from_bytes(socket.inet_pton(socket.AF_INET6, host.partition("%")[0]))
    except (OSError, ValueError):
        return None
    return Address(4, number - MAPPED) if number >> 32 == 0xFFFF else Address(6, number)


def parse_network(text: str) -> Network:
    """A network in CIDR notation, or one address. Raises ValueError."""
    host, slash, bits = text.partition("/")
    address = try_parse_address(host) if "%" not in host else None
    if address is None or (slash and not (bits.isascii() and bits.isdigit())):
        raise ValueError(f"{text!r} is no network; write it like 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7")
    size = BITS[address.version]
    is_mapped = address.version == 4 and ":" in host
    length = (int(bits) - MAPPED_BITS if is_mapped else int(bits)) if slash else size
    if not 0 <= length <= size:
        raise ValueError(f"{text!r} is no network: /{bits} is out of range")
    if rest := address.number & ((1 << size - length) - 1):
        begin = text_of(Address(address.version, address.number - rest))
        raise ValueError(f"{text!r} is no network: write {begin}/{length}, or the address alone")
    return Network(address.version, address.number, length)


class Networks:
    """Asked for an address, this looks it up among sorted, merged ranges: as long for a hundred thousand as for ten."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._borders: dict[int, list[int]] = {4: [], 6: []}
        for network in sorted(networks):
            borders = self._borders[network.version]
            if borders and network.number <= borders[-1]:
                borders[-1] = max(borders[-1], network.end)
            else:
                borders += (network.number, network.end)

    def __bool__(self) -> bool:
        return any(self._borders.values())

    def covers(self, host: str) -> bool:
        """Whether the address is in one of the networks; what is no address is in none."""
        address = try_parse_address(host)
        return address is not None and self.has(address)

    def has(self, address: Address) -> bool:
        """As `covers`, for one that was parsed before."""
        # Begin and end of the ranges take turns: behind a begin means inside.
        return bool(bisect_right(self._borders[address.version], address.number) & 1)


NOWHERE = Networks(())


def parse_networks(text: str) -> Networks:
    """Networks separated by commas. Raises ValueError."""
    return Networks(parse_network(part.strip()) for part in text.split(",") if part.strip())


def read_networks(path: Path) -> Networks:
    """A file with one network or address a line; behind `#` is a comment. Raises ListError."""
    return Networks(read_lines(path, parse_network))


def read_lines(path: Path, parse: Callable[[str], T]) -> Iterator[T]:
    """What `parse` makes of every line that says something. Raises ListError when it raises ValueError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ListError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip()
        if said:
            try:
                yield parse(said)
            except ValueError as error:
                raise ListError(f"{path}, line {number}: {error}.") from error


def text_of(address: Address) -> str:
    """The address as people write it."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    return socket.inet_ntop(family, address.number.to_bytes(BITS[address.version] // 8))
