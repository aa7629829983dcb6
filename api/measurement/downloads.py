"""Folds hits into the rows of their consumers in memory: what the rows are to be, and what that changes in the rollups.

`judge` says what becomes of every hit of a set of rows. The rollups get what it says of the rows as they are now, less
what it said of them as they were: so at every commit each rollup is the sum over all rows, however hits were batched.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.measurement.entries import Entries, chosen_entries, merge_entries, pack_entries, unpack_entries
from api.measurement.incoming import Attributes, Incoming, Ints
from api.measurement.rules import CODE, ELIGIBLE, OUTCOMES, Codes, judge_alone
from api.measurement.windows import CALENDAR, Judgement, KeyDays, Versions, judge
from models.bulk import Row
from models.downloads import DOWNLOAD, HOUR_MS
from models.rotations import rotation_of

Bools = NDArray[np.bool_]
DayAddress = tuple[int, int]
MOST_HITS = 20_000
"""Of one consumer on one episode and one day. Who asks more often is no listener, and all of a row's hits are judged
each time that it gets one more."""
NOTHING: Attributes = ("", "", "")


@dataclass
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
    """What `about` and `about_before` point into; the first is `NOTHING`."""
    about: Ints = field(init=False)
    """As they are to be; of several the last in the alphabet stands, which depends on no order."""
    about_before: Ints = field(init=False)
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
        columns = np.fromiter(chain.from_iterable(self.keys), np.int64, len(self.keys) * 4).reshape(len(self.keys), 4).T
        self.day, self.address, self.agent, self.episode_id = (np.ascontiguousarray(column) for column in columns)

    def take_in(self, incoming: Incoming, row_of: Ints) -> None:
        """Add hits; `row_of` has the row of each."""
        places = [place for place, key in enumerate(self.keys) if key in self.stored] if self.stored else []
        before = [self.stored[self.keys[place]] for place in places]
        where = np.array(places, np.int64)
        old, old_rows = unpack_entries([row[4] for row in before])
        entries = np.concatenate([old, incoming.entries])
        rows = np.concatenate([where[old_rows], row_of])
        order = merge_entries(entries, rows)
        self.known = len(entries) - len(order)
        order = self._without_flood(order, rows, len(old))
        self.entries, self.rows, self.is_new = chosen_entries(entries, order), rows[order], order >= len(old)
        self.was_eligible, self.earlier = np.zeros(len(self.keys), bool), np.zeros(len(self.keys), np.int64)
        self.was_eligible[where] = [row[5] for row in before]
        self.is_eligible = self.was_eligible.copy()
        codes = judge_alone(self.entries["method"], self.entries["status"], self.entries["traits"])
        self.is_eligible[self.rows[codes == ELIGIBLE]] = True
        self.earlier[where] = [row[9] for row in before]
        self.earlier[row_of] = incoming.earlier
        self._describe(where, [row[6:9] for row in before], incoming, row_of)

    @cached_property
    def pair(self) -> Ints:
        """A number for all rows of an episode and a day."""
        return _numbered(self.episode_id, self.day)

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

    def _describe(self, where: Ints, before: list[Attributes], incoming: Incoming, row_of: Ints) -> None:
        """Set what is known of the rows: `before` of those that are stored, and what came in."""
        names: dict[Attributes, int] = {NOTHING: 0}
        self.about_before = np.zeros(len(self.keys), np.int64)
        self.about_before[where] = [names.setdefault(found, len(names)) for found in before]
        self.about = self.about_before.copy()
        came = np.array([names.setdefault(found, len(names)) for found in incoming.attributes], np.int64)
        rows, codes = np.divmod(np.unique(row_of * len(names) + came[incoming.about]), len(names))
        self.attributes = list(names)
        is_alone = np.append(True, np.diff(rows) != 0) & np.append(np.diff(rows) != 0, True) if len(rows) else rows == 0
        is_plain = is_alone & (self.about[rows] == names[NOTHING])
        self.about[rows[is_plain]] = codes[is_plain]
        rest = ~is_plain & (self.about[rows] != codes)
        for row, code in zip(rows[rest].tolist(), codes[rest].tolist(), strict=True):
            merged = _last(self.attributes[self.about[row]], self.attributes[code])
            self.about[row] = names.setdefault(merged, len(names))
            if len(names) > len(self.attributes):
                self.attributes.append(merged)

    @property
    def chain(self) -> Ints:
        """A number for all days of a consumer on an episode, as long as its key lasts."""
        return _numbered(self.address, self.agent, self.episode_id, rotation_of(self.day))


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
    any_hit = np.zeros(numbers.max() + 1 if len(numbers) else 0, np.int64)
    any_hit[numbers] = np.arange(len(numbers))
    return list(zip(*(column[any_hit].tolist() for column in columns), strict=True)), numbers


@dataclass(slots=True)
class Changes:
    """What a fold is to write."""

    was_judged: Judgement
    """Of the hits that were stored."""
    judged: Judgement
    """Of all hits."""
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
    was_over, is_over = _over(state, excess)
    old, now = np.flatnonzero(~state.is_new), slice(None)
    was_judged = judge(*_part(state, old, was_over, window), window, versions)
    now_judged = judge(*_part(state, now, is_over, window), window, versions)
    before = _Tally(state, old, was_judged.codes, state.about_before)
    after = _Tally(state, now, now_judged.codes, state.about)
    return after.less(before, Changes(was_judged, now_judged))


def judged(state: State, excess: Mapping[DayAddress, tuple[bool, bool]], window: str, versions: Versions) -> Judgement:
    """What becomes of every hit of a state."""
    return judge(*_part(state, slice(None), _over(state, excess)[1], window), window, versions)


def _over(state: State, excess: Mapping[DayAddress, tuple[bool, bool]]) -> tuple[Bools, Bools]:
    """Whether the address of each row was, and is, over its cap."""
    if not excess:  # as nearly always
        return np.zeros(len(state.keys), bool), np.zeros(len(state.keys), bool)
    flags = np.array([excess.get(key[:2], (False, False)) for key in state.keys], bool).reshape(len(state.keys), 2)
    return flags[:, 0], flags[:, 1]


def _part(state: State, chosen: Ints | slice, is_excess: Bools, window: str) -> tuple[Entries, Ints, KeyDays]:
    chain = state.day if window == CALENDAR else state.chain  # which a calendar does not ask for
    return state.entries[chosen], state.rows[chosen], KeyDays(state.day, chain, is_excess)


class _Tally:
    """What some of the hits of a state add up to."""

    def __init__(self, state: State, chosen: Ints | slice, codes: Codes, about: Ints) -> None:
        self.state, self.about = state, about
        self.pair = state.pair
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

    def less(self, before: "_Tally", found: Changes) -> Changes:
        """What is to be added to the rollups when `before` is in them."""
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
        names = self.state.attributes
        places = np.concatenate([tally.pair * len(names) + tally.about for tally in (self, before)])
        downloads = np.concatenate([self.downloads, -before.downloads])
        places, downloads = places[downloads != 0], downloads[downloads != 0]
        places, inverse = np.unique(places, return_inverse=True)
        sums = np.bincount(inverse, downloads, minlength=len(places)).astype(np.int64)
        by_value: Counter[tuple[int, str, str]] = Counter()
        for place, number in zip(places.tolist(), sums.tolist(), strict=True):
            pair, about = divmod(place, len(names))
            for kind, value in zip(("app", "device", "country"), names[about], strict=True):
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
        is_changed |= state.about != state.about_before
        bounds = np.searchsorted(state.rows, np.arange(len(state.keys) + 1))
        changed = np.flatnonzero(is_changed)
        named = [state.attributes[about] for about in state.about[changed].tolist()]
        columns: list[Iterable[Any]] = [
            *(column[changed].tolist() for column in (state.day, state.address, state.agent, state.episode_id)),
            pack_entries(state.entries, bounds[changed], bounds[changed + 1]),
            state.is_eligible[changed].tolist(),
            *([name[place] for name in named] for place in range(len(NOTHING))),
            state.earlier[changed].tolist(),
            self.downloads[changed].tolist(),
        ]
        found.consumer_days = list(zip(*columns, strict=True))
