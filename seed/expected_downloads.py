"""What should be counted of the demo's hits, worked out by brute force: an independent check of the server.

The rules are those of docs/counting.md, in the plainest form: a loop over hits that know who made them. Of what an
installation can set, the defaults are expected: windows of a calendar day, and a cap of 1,000.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from ipaddress import ip_network
from typing import Any

from seed.catalogue import DAY_MS, Episode, Show, file_bytes, header_bytes
from seed.fetchers import Hit
from seed.fetching import MINUTE_BYTES

WINDOW, EXCESS_CAP = "calendar", 1000
DOWNLOAD = "download"
SPANS = (1, 7, 30)
"""Over how many days unique consumers are told."""
EPOCH = date(1970, 1, 1)

Consumer = tuple[str, str]
"""Network and user agent."""


def cause_of(hit: Hit) -> str | None:
    """Why a hit does not count whatever else its consumer asked for: the first cause that applies."""
    asked = hit.asked
    if asked.method != "GET":
        return "not_get"
    if asked.status not in {200, 206}:
        return "status"
    if hit.agent.cause:
        return hit.agent.cause
    if (asked.first, asked.last) == (0, 1):
        return "probe"
    return "referrer" if hit.referrer else None


def reached_bytes(hits: Iterable[Hit]) -> int:
    """How many different bytes of a file these brought together."""
    total = end_of_all = 0
    for first, end in sorted(_part(hit) for hit in hits):
        total += max(0, end - max(first, end_of_all))
        end_of_all = max(end_of_all, end)
    return total


def _part(hit: Hit) -> tuple[int, int]:
    first = hit.asked.first or 0
    return first, first + hit.asked.sent_bytes


@dataclass(slots=True)
class DownloadExpectation:
    """The sums over all hits."""

    outcomes: dict[tuple[str, int], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By episode's name and UTC day, as days since 1970: hits by what became of them."""
    splits: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By show, and `app`, `device` or `country`: downloads of each value, empty for unknown."""
    consumers: dict[tuple[str, int], set[Consumer]] = field(default_factory=lambda: defaultdict(set))
    """By show and day: who downloaded."""

    def to_json(self, shows: Sequence[Show], first: date, last: date) -> dict[str, Any]:
        """For files and tests."""
        total: Counter[str] = sum(self.outcomes.values(), Counter())
        return {
            "window": WINDOW,
            "excess_cap": EXCESS_CAP,
            "first": str(first),
            "last": str(last),
            "hits": total.total(),
            "outcomes": dict(total.most_common()),
            "by_episode_day": [
                {"episode": name, "day": _iso(day), "outcomes": dict(sorted(outcomes.items()))}
                for (name, day), outcomes in sorted(self.outcomes.items())
            ],
            "by_show": {show.text.slug: self._of_show(show.text.slug, first, last) for show in shows},
        }

    def _of_show(self, slug: str, first: date, last: date) -> dict[str, Any]:
        splits = {kind: dict(self.splits[slug, kind].most_common()) for kind in ("app", "device", "country")}
        days = range((first - EPOCH).days, (last - EPOCH).days + 1)
        consumers = {
            str(EPOCH + timedelta(days=day)): [self._unique(slug, day, span) for span in SPANS] for day in days
        }
        return {**splits, "consumers": consumers}

    def _unique(self, slug: str, last: int, span: int) -> int:
        days = range(last - span + 1, last + 1)
        return len(set().union(*(self.consumers[slug, day] for day in days if (slug, day) in self.consumers)))


def _iso(day: int) -> str:
    return str(EPOCH + timedelta(days=day))


def expect(hits: Iterable[Hit], shows: Sequence[Show]) -> DownloadExpectation:
    """What is to become of these hits, given in order of time."""
    found = DownloadExpectation()
    eligible: dict[tuple[Consumer, str, int], list[Hit]] = defaultdict(list)
    networks: dict[str, str] = {}
    for hit in hits:
        cause, day = cause_of(hit), hit.at_ms // DAY_MS
        if cause is not None:
            found.outcomes[hit.episode.name, day][cause] += 1
            continue
        network = networks.setdefault(hit.address, network_of(hit.address))
        eligible[(network, hit.agent.text), hit.episode.name, day].append(hit)
    asked_for = Counter((network, day) for (network, _), _, day in eligible)
    enough = {episode.name: _enough(show, episode) for show in shows for episode in show.episodes}
    for (consumer, name, day), window in eligible.items():
        if asked_for[consumer[0], day] > EXCESS_CAP:
            found.outcomes[name, day]["excess"] += len(window)
        elif reached_bytes(window) < enough[name]:
            found.outcomes[name, day]["short"] += len(window)
        else:
            _count(found, consumer, day, window)
    return found


def network_of(address: str) -> str:
    """An IPv6 address is its /64: what lies behind is one household."""
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


def _enough(show: Show, episode: Episode) -> int:
    return min(file_bytes(show, episode), header_bytes(show, episode) + MINUTE_BYTES)


def _count(found: DownloadExpectation, consumer: Consumer, day: int, window: Sequence[Hit]) -> None:
    first, *others = window
    slug, outcomes = first.episode.show, found.outcomes[first.episode.name, day]
    outcomes[DOWNLOAD] += 1
    if others:
        outcomes["duplicate"] += len(others)
    found.consumers[slug, day].add(consumer)
    for kind, value in _values(first).items():
        found.splits[slug, kind][value] += 1


def _values(hit: Hit) -> Mapping[str, str]:
    return {"app": hit.agent.app, "device": hit.agent.device, "country": hit.country}
