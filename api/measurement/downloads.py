"""Folds hits into the rows of their consumers in memory: what the rows are to be, and what that changes in the rollups.

`judge` says what becomes of every hit of a set of rows. The rollups get what it says of the rows as they are now, less
what it said of them as they were: so at every commit each rollup is the sum over all rows, however hits were batched.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.measurement.entries import Entries, merge_entries, pack_entries, unpack_entries
from api.measurement.incoming import Attributes, Incoming, Ints
from api.measurement.rules import CODE, ELIGIBLE, OUTCOMES, Codes, judge_alone
from api.measurement.windows import Judgement, KeyDays, Versions, judge
from models.bulk import Row
from models.downloads import DOWNLOAD, HOUR_MS
from models.rotations import rotation_of

Bools = NDArray[np.bool_]
DayAddress = tuple[int, int]
MOST_HITS = 20_000
"""Of one consumer on one episode and one day. Who asks more often is no listener, and all of a row's hits are judged
each time that it gets one more."""
NOTHING: Attributes = ("", "", "")


@dataclass(slots=True)
class State:
    """Rows of `consumer_day`, as they are stored and with the hits that came in; arrays have a place per row."""

    keys: list[Row]
    """(day, address, agent, episode_id), in order."""
    stored: dict[Row, Row]
    """Those that are in the store, whole, by their keys."""
    day: Ints = field(init=False)
    address: Ints = field(init=False)
    agent: Ints = field(init=False)
    episode_id: Ints = field(init=False)
    earlier: Ints = field(init=False)
    attributes: list[Attributes] = field(init=False)
    """As they are to be; of several the last in the alphabet stands, which depends on no order."""
    attributes_before: list[Attributes] = field(init=False)
    entries: Entries = field(init=False)
    rows: Ints = field(init=False)
    """The row of each entry."""
    is_new: Bools = field(init=False)
    """Whether an entry came in now."""
    is_eligible: Bools = field(init=False)
    was_eligible: Bools = field(init=False)
    known: int = field(init=False)
    """Hits that came in and had been told before."""
    flood: Counter[int] = field(init=False)
    """Day -> hits that came in and are too many to be kept."""

    def __post_init__(self) -> None:
        columns = np.array(self.keys, np.int64).reshape(len(self.keys), 4).T
        self.day, self.address, self.agent, self.episode_id = (np.ascontiguousarray(column) for column in columns)

    def take_in(self, incoming: Incoming, row_of: Ints) -> None:
        """Add hits; `row_of` has the row of each."""
        empty: Row = (*(0,) * 4, b"", False, "", "", "", 0, 0)
        before = [self.stored.get(key, empty) for key in self.keys]
        old, old_rows = unpack_entries([row[4] for row in before])
        entries = np.concatenate([old, incoming.entries])
        rows = np.concatenate([old_rows, row_of])
        order = merge_entries(entries, rows)
        self.known = len(entries) - len(order)
        order = self._without_flood(order, rows, len(old))
        self.entries, self.rows, self.is_new = entries[order], rows[order], order >= len(old)
        self.was_eligible = np.array([row[5] for row in before], bool)
        self.is_eligible = self.was_eligible.copy()
        codes = judge_alone(self.entries["method"], self.entries["status"], self.entries["traits"])
        self.is_eligible[self.rows[codes == ELIGIBLE]] = True
        self.earlier = np.array([row[9] for row in before], np.int64)
        self.earlier[row_of] = incoming.earlier
        self.attributes_before = [row[6:9] for row in before]
        self.attributes = self._merged(incoming, row_of)

    def _without_flood(self, order: Ints, rows: Ints, old: int) -> Ints:
        """Places of entries, of each row only the first `MOST_HITS` that came."""
        self.flood = Counter()
        counts = np.bincount(rows[order], minlength=len(self.keys))
        for row in np.flatnonzero(counts > MOST_HITS).tolist():
            came = np.sort(order[(rows[order] == row) & (order >= old)])
            left_out = came[max(0, len(came) - (int(counts[row]) - MOST_HITS)) :]
            order = order[~np.isin(order, left_out)]
            self.flood[int(self.day[row])] += len(left_out)
        return order

    def _merged(self, incoming: Incoming, row_of: Ints) -> list[Attributes]:
        merged = list(self.attributes_before)
        names = incoming.attributes
        for row, place in zip(*_pairs(row_of, incoming.about, len(names)), strict=True):
            before, new = merged[row], names[place]
            if before != new:
                merged[row] = new if before == NOTHING else _last(before, new)
        return merged

    @property
    def chain(self) -> Ints:
        """A number for all days of a consumer on an episode, as long as its key lasts."""
        return _numbered(self.address, self.agent, self.episode_id, rotation_of(self.day))


def _pairs(row_of: Ints, about: Ints, names: int) -> tuple[list[int], list[int]]:
    pairs = np.unique(row_of * max(1, names) + about)
    rows, places = np.divmod(pairs, max(1, names))
    return rows.tolist(), places.tolist()


def _last(before: Attributes, new: Attributes) -> Attributes:
    return max(before[0], new[0]), max(before[1], new[1]), max(before[2], new[2])


def _numbered(*columns: NDArray[Any]) -> Ints:
    """The same number for equal rows of the columns, from 0 on in their order."""
    order = np.lexsort(columns[::-1])
    begins = np.zeros(len(order), bool)
    for column in columns:
        ordered = column[order]
        begins[1:] |= ordered[1:] != ordered[:-1]
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.cumsum(begins)
    return numbers


def rows_of(incoming: Incoming) -> tuple[list[Row], Ints]:
    """The keys of the rows that hits belong to, in order, and the row of each hit."""
    columns = (incoming.day, incoming.address, incoming.agent, incoming.episode_id)
    numbers = _numbered(*columns)
    first = np.zeros(numbers.max() + 1 if len(numbers) else 0, np.int64)
    first[numbers[::-1]] = np.arange(len(numbers))[::-1]
    return list(zip(*(column[first].tolist() for column in columns), strict=True)), numbers


@dataclass(slots=True)
class Changes:
    """What a fold is to write."""

    consumer_days: list[Row] = field(default_factory=list)
    outcomes: list[Row] = field(default_factory=list)
    hours: list[Row] = field(default_factory=list)
    splits: list[Row] = field(default_factory=list)
    gained: dict[tuple[int, int], tuple[list[int], list[int]]] = field(default_factory=dict)
    """(episode_id, day) -> the consumers that have a download now, by `agent` and, where there is one, by `earlier`;
    64 bits without sign."""
    lost: set[tuple[int, int]] = field(default_factory=set)
    """(episode_id, day) of which a consumer's download was taken back."""
    by_outcome: dict[str, int] = field(default_factory=dict)
    """Outcome -> hits, over all episodes and days."""
    known: int = 0
    flood: Counter[int] = field(default_factory=Counter)
    """As in `State`."""


def changes(state: State, excess: Mapping[DayAddress, tuple[bool, bool]], window: str, versions: Versions) -> Changes:
    """What the hits taken in change. `excess`: whether an address was, and is, over its cap on a day."""
    flags = [excess.get(key[:2], (False, False)) for key in state.keys]
    over = np.array(flags, bool).reshape(len(flags), 2)
    old, now = ~state.is_new, np.ones(len(state.is_new), bool)
    before = _Tally(state, old, judge(*_part(state, old, over[:, 0]), window, versions).codes, state.attributes_before)
    after = _Tally(state, now, judge(*_part(state, now, over[:, 1]), window, versions).codes, state.attributes)
    return after.less(before)


def judged(state: State, excess: Mapping[DayAddress, tuple[bool, bool]], window: str, versions: Versions) -> Judgement:
    """What becomes of every hit of a state."""
    over = np.array([excess.get(key[:2], (False, False))[1] for key in state.keys], bool)
    return judge(*_part(state, np.ones(len(state.rows), bool), over), window, versions)


def _part(state: State, chosen: Bools, is_excess: Bools) -> tuple[Entries, Ints, KeyDays]:
    return state.entries[chosen], state.rows[chosen], KeyDays(state.day, state.chain, is_excess)


class _Tally:
    """What some of the hits of a state add up to."""

    def __init__(self, state: State, chosen: Bools, codes: Codes, attributes: Sequence[Attributes]) -> None:
        self.state, self.attributes = state, attributes
        self.pair = _numbered(state.episode_id, state.day)
        """Per row: episode and day."""
        entries, rows = state.entries[chosen], state.rows[chosen]
        pairs = int(self.pair.max()) + 1 if len(self.pair) else 0
        self.of_pair = np.zeros(pairs, np.int64)
        self.of_pair[self.pair] = np.arange(len(self.pair))
        places = self.pair[rows] * len(OUTCOMES) + codes
        size = pairs * len(OUTCOMES)
        sent = entries["end"].astype(np.float64) - entries["first"]
        self.hits = np.bincount(places, minlength=size)
        self.sent_bytes = np.bincount(places, sent, minlength=size).astype(np.int64)
        is_download = codes == CODE[DOWNLOAD]
        of_download = rows[is_download]
        self.downloads = np.bincount(of_download, minlength=len(self.pair))
        hour = entries["at"][is_download].astype(np.int64) // HOUR_MS
        self.hours = np.bincount(self.pair[of_download] * 24 + hour, minlength=pairs * 24)

    def less(self, before: "_Tally") -> Changes:
        """What is to be added to the rollups when `before` is in them."""
        found = Changes()
        self._less_hits(before, found)
        for place in np.flatnonzero(self.hours != before.hours).tolist():
            episode_id, day = self._name(place // 24)
            found.hours.append((episode_id, day * 24 + place % 24, int(self.hours[place] - before.hours[place])))
        self._less_splits(before, found)
        self._less_consumers(before, found)
        self._rows(before, found)
        return found

    def _name(self, pair: int) -> tuple[int, int]:
        row = self.of_pair[pair]
        return int(self.state.episode_id[row]), int(self.state.day[row])

    def _less_hits(self, before: "_Tally", found: Changes) -> None:
        is_changed = (self.hits != before.hits) | (self.sent_bytes != before.sent_bytes)
        for place in np.flatnonzero(is_changed).tolist():
            hits = int(self.hits[place] - before.hits[place])
            outcome = OUTCOMES[place % len(OUTCOMES)]
            sent_bytes = int(self.sent_bytes[place] - before.sent_bytes[place])
            found.outcomes.append((*self._name(place // len(OUTCOMES)), outcome, hits, sent_bytes))
            found.by_outcome[outcome] = found.by_outcome.get(outcome, 0) + hits

    def _less_splits(self, before: "_Tally", found: Changes) -> None:
        sums: Counter[tuple[int, Attributes]] = Counter()
        for tally, sign in ((self, 1), (before, -1)):
            rows = np.flatnonzero(tally.downloads)
            about = map(tally.attributes.__getitem__, rows.tolist())
            counted = Counter(zip(self.pair[rows].tolist(), about, tally.downloads[rows].tolist(), strict=True))
            for (pair, attributes, downloads), times in counted.items():
                sums[pair, attributes] += sign * downloads * times
        by_value: Counter[tuple[int, str, str]] = Counter()
        for (pair, attributes), number in sums.items():
            for kind, value in zip(("app", "device", "country"), attributes, strict=True):
                by_value[pair, kind, value] += number
        found.splits = [
            (*self._name(pair), kind, value, number) for (pair, kind, value), number in by_value.items() if number
        ]

    def _less_consumers(self, before: "_Tally", found: Changes) -> None:
        state = self.state
        rows = np.flatnonzero((self.downloads > 0) & (before.downloads == 0))
        rows = rows[np.argsort(self.pair[rows], kind="stable")]
        cuts = np.flatnonzero(np.diff(self.pair[rows])) + 1
        for chosen in np.split(rows, cuts) if len(rows) else ():
            agent, earlier = (column[chosen].view(np.uint64) for column in (state.agent, state.earlier))
            found.gained[self._name(int(self.pair[chosen[0]]))] = agent.tolist(), earlier[earlier != 0].tolist()
        for row in np.flatnonzero((self.downloads == 0) & (before.downloads > 0)).tolist():
            found.lost.add((int(state.episode_id[row]), int(state.day[row])))

    def _rows(self, before: "_Tally", found: Changes) -> None:
        state = self.state
        is_changed = self.downloads != before.downloads
        is_changed[state.rows[state.is_new]] = True
        # A line that was told before may still tell a country that nobody knew then.
        pairs = zip(state.attributes, state.attributes_before, strict=True)
        is_changed |= np.fromiter((now != then for now, then in pairs), bool, len(state.keys))
        bounds = np.searchsorted(state.rows, np.arange(len(state.keys) + 1))
        changed = np.flatnonzero(is_changed)
        blobs = pack_entries(state.entries, bounds[changed], bounds[changed + 1])
        found.consumer_days = [
            (*state.keys[row], blob, bool(state.is_eligible[row]), *self.attributes[row], earlier, downloads)
            for row, blob, earlier, downloads in zip(
                changed.tolist(), blobs, state.earlier[changed].tolist(), self.downloads[changed].tolist(), strict=True
            )
        ]
