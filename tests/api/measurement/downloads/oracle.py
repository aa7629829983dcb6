"""Downloads by the words of docs/counting.md, with sets, lists and loops and nothing clever.

It shares no code with the product: what agrees with it was written twice.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import pairwise

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ROTATION_DAYS = 90
ENDLESS = 1 << 62
WINDOWS = ("calendar", "first_touch", "last_touch")


@dataclass(frozen=True)
class File:
    """One version of an episode's file."""

    bytes: int
    """0 when unknown."""
    header_bytes: int = 0
    bitrate_bps: int | None = None
    duration_ms: int | None = None
    name: str = ""
    """Tells it from the episode's other versions."""


@dataclass(frozen=True)
class Request:
    """One line of a log, or one live hit."""

    at_ms: int
    ip: str
    user_agent: str
    episode: str
    file: File
    method: str = "GET"
    status: int = 200
    range: str | None = None
    sent: int = 0
    has_range: bool = True
    """Whether it is known what Range was asked for."""
    traits: frozenset[str] = frozenset()
    """bot, datacenter, watch, referrer, not_audio, included, redirect."""
    splits: tuple[str, str, str] = ("", "", "")
    """App, device class, country."""


@dataclass
class Counts:
    """What the rollups have to say."""

    outcomes: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    """(episode, UTC day, outcome) -> hits."""
    sent: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    """(episode, UTC day, outcome) -> bytes."""
    hours: Counter[tuple[str, int]] = field(default_factory=Counter)
    """(episode, hour) -> downloads."""
    splits: Counter[tuple[str, int, str, str]] = field(default_factory=Counter)
    """(episode, UTC day, kind, value) -> downloads."""
    consumers: dict[tuple[str, int], set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    """(episode, UTC day) -> (network, user agent) with a download."""

    @property
    def downloads(self) -> int:
        """All of them."""
        return sum(hits for (_, _, outcome), hits in self.outcomes.items() if outcome == "download")


def network(ip: str) -> str:
    """IPv4 whole, IPv6 cut to /64."""
    address = ip_address(ip)
    if address.version == 6 and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address) if address.version == 4 else f"{int(address) >> 64:x}::/64"


def single_range(request: Request) -> tuple[int, int] | None:
    """The one part that Range asks for, `[first, end)`; None when it asks for several, or cannot be told."""
    size = request.file.bytes or ENDLESS
    if not request.has_range or request.range is None or not request.range.startswith("bytes="):
        return None
    first, dash, last = request.range.removeprefix("bytes=").partition("-")
    if not dash or not (first + last).isdecimal():
        return None
    if not first:
        return (max(0, size - int(last)), size) if request.file.bytes else None
    end = int(last) + 1 if last else size
    return (int(first), min(end, size))


def part(request: Request) -> tuple[str, int, int]:
    """What went out: `("part", first, end)`, or `("bytes", 0, amount)` when only the amount is known."""
    if request.status == 302:
        asked = (0, request.file.bytes) if request.range is None else single_range(request)
        assert asked is not None, "several ranges and a redirect: not told"
        return ("part", *asked)
    if request.status == 200:
        return ("part", 0, min(request.sent, request.file.bytes or ENDLESS))
    asked = single_range(request)
    if asked is None:
        return ("bytes", 0, request.sent)
    first, end = asked
    return ("part", first, max(first, min(first + request.sent, end)))


def threshold(file: File) -> int | None:
    """Bytes that make a download; None when no number does."""
    if file.bytes == 0:
        return None
    if file.duration_ms is None or file.duration_ms < 60_000:
        return file.bytes
    if file.bitrate_bps:
        return min(file.bytes, file.header_bytes + 60 * file.bitrate_bps // 8)
    return min(file.bytes, 60_000 * file.bytes // file.duration_ms)


def static_cause(request: Request) -> str | None:
    """Why this request, looked at alone, cannot count."""
    if request.method != "GET":
        return "not_get"
    if request.status == 302 and "redirect" not in request.traits:
        return "redirected"
    if request.status not in {200, 206, 0, 302}:
        return "status"
    for trait in ("not_audio", "bot", "datacenter", "watch"):
        if trait in request.traits:
            return trait
    if request.has_range and request.range == "bytes=0-1":
        return "probe"
    return "referrer" if "referrer" in request.traits else None


def excessive(requests: Iterable[Request], cap: int) -> set[tuple[str, int]]:
    """(network, UTC day) of which nothing counts."""
    pairs: dict[tuple[str, int], set[tuple[str, str]]] = defaultdict(set)
    included = set()
    for request in requests:
        place = (network(request.ip), request.at_ms // DAY_MS)
        if static_cause(request) is None:
            pairs[place].add((request.user_agent, request.episode))
        if "included" in request.traits:
            included.add(place)
    return {place for place, found in pairs.items() if cap and len(found) > cap} - included


def windows(requests: list[Request], mode: str) -> list[list[Request]]:
    """The requests of one key, which are in the order of time, cut into windows."""
    found: list[list[Request]] = []
    for request in requests:
        if not found:
            is_new = True
        elif mode == "calendar":
            is_new = request.at_ms // DAY_MS != found[-1][0].at_ms // DAY_MS
        else:
            since = found[-1][0] if mode == "first_touch" else found[-1][-1]
            is_new = request.at_ms - since.at_ms >= DAY_MS
        if is_new:
            found.append([])
        found[-1].append(request)
    return found


def is_valid(window: list[Request]) -> bool:
    """Whether enough of any one version went out."""
    for file in {request.file for request in window}:
        needed = threshold(file)
        parts = [part(request) for request in window if request.file == file]
        amount = sum(end for kind, _, end in parts if kind == "bytes")
        reached = min(file.bytes, union([(first, end) for kind, first, end in parts if kind == "part"]) + amount)
        if needed is not None and reached >= needed:
            return True
    return False


def union(parts: list[tuple[int, int]]) -> int:
    """How many bytes are in any of the parts: between two neighbouring borders all are, or none."""
    borders = sorted({border for part in parts for border in part})
    return sum(
        high - low for low, high in pairwise(borders) if any(first <= low and high <= end for first, end in parts)
    )


def merged(files: Iterable[Iterable[Request]]) -> list[Request]:
    """All lines of overlapping files: a line is there as often as in the file that has it most often."""
    most: Counter[tuple[object, ...]] = Counter()
    lines: dict[tuple[object, ...], Request] = {}
    for file in files:
        keyed = [(recorded(request), request) for request in file]
        lines.update(keyed)
        most |= Counter(key for key, _ in keyed)
    return [lines[key] for key in most.elements()]


def recorded(request: Request) -> tuple[object, ...]:
    """What tells lines apart: two that agree in all of it are the same line, in whatever file. What lists of bots and
    networks say of a line is not in it, for lists change and the line does not."""
    what = part(request) if request.status in {200, 206, 0} else ("part", 0, request.sent)
    is_probe = request.has_range and request.range == "bytes=0-1"
    key = (request.at_ms, network(request.ip), request.user_agent, request.episode)
    return (*key, request.method, request.status, what, is_probe)


def count(requests: Iterable[Request], mode: str, cap: int = 1000) -> Counts:
    """Every request, by what became of it."""
    requests = list(requests)
    counts = Counts()
    keys: dict[tuple[str, str, str, int], list[Request]] = defaultdict(list)
    too_many = excessive(requests, cap)
    for request in requests:
        day = request.at_ms // DAY_MS
        cause = static_cause(request)
        if cause is None and (network(request.ip), day) in too_many:
            cause = "excess"
        if cause is not None:
            put(counts, request, cause)
        else:
            key = (network(request.ip), request.user_agent, request.episode, day // ROTATION_DAYS)
            keys[key].append(request)
    for of_key in keys.values():
        for window in windows(sorted(of_key, key=lambda request: request.at_ms), mode):
            first, *others = window
            valid = is_valid(window)
            put(counts, first, "download" if valid else "short")
            for request in others:
                put(counts, request, "duplicate" if valid else "short")
    return counts


def put(counts: Counts, request: Request, outcome: str) -> None:
    """Count one request."""
    day = request.at_ms // DAY_MS
    counts.outcomes[request.episode, day, outcome] += 1
    counts.sent[request.episode, day, outcome] += request.sent
    if outcome == "download":
        counts.hours[request.episode, request.at_ms // HOUR_MS] += 1
        for kind, value in zip(("app", "device", "country"), request.splits, strict=True):
            counts.splits[request.episode, day, kind, value] += 1
        counts.consumers[request.episode, day].add((network(request.ip), request.user_agent))
