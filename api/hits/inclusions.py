"""The inclusion list: networks that many listeners share, each with the day on which somebody looked into it.

A line is `NETWORK YYYY-MM-DD NOTE`, for example `198.51.100.0/24 2026-11-02 university halls`.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from api import clock
from api.hits.networks import BITS, Address, Network, parse_network, read_lines

VALID_DAYS = 90
"""How long a look lasts. IAB PTM v2.3 asks for another one at least as often.

It speaks for days before it as well as after: what is looked into is traffic that has come, often in logs that are
imported later; and a date that is replaced by a newer one must not take the listeners of last month away."""
EPOCH = date(1970, 1, 1)


class Inclusion(NamedTuple):
    """One line of the list."""

    network: Network
    validated: date
    note: str


class Inclusions:
    """Asked for an address and a day, this tells whether the list speaks for it."""

    def __init__(self, entries: Iterable[Inclusion]) -> None:
        self.entries = tuple(entries)
        self._days: dict[Network, list[int]] = defaultdict(list)
        for entry in self.entries:
            self._days[entry.network].append((entry.validated - EPOCH).days)
        self._lengths = sorted({(network.version, network.length) for network in self._days})

    def has(self, address: Address, day: int) -> bool:
        """Whether the address was looked into at most 90 days before or after this day (days since 1970-01-01)."""
        for version, length in self._lengths:
            if version == address.version:
                shift = BITS[version] - length
                network = Network(version, address.number >> shift << shift, length)
                if any(abs(day - looked) <= VALID_DAYS for looked in self._days.get(network, ())):
                    return True
        return False


def read_inclusions(path: Path) -> Inclusions:
    """The list in this file; behind `#` is a comment. Raises ListError."""
    return Inclusions(read_lines(path, parse_inclusion))


def parse_inclusion(line: str) -> Inclusion:
    """One line. Raises ValueError."""
    network, validated, note = (*line.split(None, 2), "", "")[:3]
    try:
        day = date.fromisoformat(validated)
    except ValueError:
        advice = "write the day on which it was looked into behind the network, like 2026-11-02"
        raise ValueError(f"{validated!r} is no day; {advice}" if validated else advice) from None
    # Somewhere it may be tomorrow already.
    if day > clock.now().date() + timedelta(days=1):
        raise ValueError(f"{day} is still to come; write the day on which it was looked into")
    return Inclusion(parse_network(network), day, note)
