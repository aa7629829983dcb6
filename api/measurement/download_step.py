"""Counts the hits of one step of the worker: reads the rows they touch, folds, writes; in the step's transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy import Connection

from api.measurement.downloads import Changes, DayAddress, State, changes, rows_of
from api.measurement.impressions_delivered import Delivered
from api.measurement.impressions_step import count_delivered
from api.measurement.incoming import FindVersion, Incoming, Ints
from api.measurement.rules import threshold_bytes
from api.measurement.windows import CALENDAR, Versions
from models import sketches
from models.bulk import Row
from models.queries import download_folding as store
from models.queries.audio_versions import Version, list_versions, list_versions_by_id
from models.rotations import rotation_of

_UNSIGNED = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Rules:
    """What an installation may choose, as its rollups were made with it."""

    window: str = CALENDAR
    excess_cap: int = 1000
    """0: no cap."""

    def to_texts(self) -> dict[str, str]:
        """As the store keeps them."""
        return {"download_window": self.window, "excess_cap": str(self.excess_cap)}

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> "Rules":
        """As the store has them; what it lacks is as by default."""
        return cls(texts.get("download_window", CALENDAR), int(texts.get("excess_cap", "1000")))


def find_version(connection: Connection, names: Iterable[str]) -> FindVersion:
    """Which version of which of these episodes (UUIDs) a hit is for. A file that is not known is judged by the first of
    the episode: a recount has to find the same, whatever versions have come since."""
    versions = list_versions(connection, {uuid for name in names if (uuid := _try_uuid(name))})
    exact = {(version.episode, version.sha256): version for version in versions}
    first = {version.episode: version for version in reversed(versions)}
    return lambda episode, sha256: exact.get((episode, sha256)) or first.get(episode)


def _try_uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


def count_hits(connection: Connection, incoming: Incoming, delivered: Delivered) -> Changes:
    """Fold hits into the store; what they changed. Impressions are added to `delivered` and not written."""
    rules = Rules.from_texts(store.list_counting_rules(connection))
    keys, row_of = rows_of(incoming)
    state = load_state(connection, keys, rules, incoming, row_of)
    excess = list_excess(connection, state, rules.excess_cap)
    if crossing := [key for key, (was, now) in excess.items() if now and not was]:
        # All that these addresses did on that day is taken back.
        others = set(store.list_keys_of_addresses(connection, crossing)) - set(keys)
        state = load_state(connection, [*keys, *sorted(others)], rules, incoming, row_of)
        excess = list_excess(connection, state, rules.excess_cap)
    versions, show_of = load_versions(connection, state)
    found = changes(state, excess, rules.window, versions)
    _write(connection, found, show_of)
    delivered.update(count_delivered(connection, state, found.was_judged, found.judged))
    found.known, found.flood = state.known, state.flood
    return found


def load_state(connection: Connection, keys: list[Row], rules: Rules, incoming: Incoming, row_of: Ints) -> State:
    """The rows with these keys, those around them that a window may reach, and the hits that come in."""
    stored = {tuple(row[:4]): _plain(row) for row in store.list_consumer_days(connection, keys)}
    around = _around(connection, keys, stored) if rules.window != CALENDAR else []
    state = State([*keys, *around], stored)
    state.take_in(incoming, row_of)
    return state


def _plain(row: Row) -> Row:
    return (*row[:4], bytes(row[4]), bool(row[5]), *row[6:])


def _around(connection: Connection, keys: list[Row], stored: dict[Row, Row]) -> list[Row]:
    """The stored days before and after, as long as they follow each other: windows may reach from one into the next."""
    seen = set(keys)
    found: list[Row] = []
    reach = set(keys)
    while reach:
        beside = {
            (day + step, address, agent, episode_id)
            for day, address, agent, episode_id in reach
            for step in (-1, 1)
            if rotation_of(day + step) == rotation_of(day)
        } - seen
        seen |= beside
        rows = [_plain(row) for row in store.list_consumer_days(connection, sorted(beside))]
        stored.update({row[:4]: row for row in rows})
        found += [row[:4] for row in rows]
        reach = {row[:4] for row in rows}
    return found


def list_excess(connection: Connection, state: State, cap: int) -> dict[DayAddress, tuple[bool, bool]]:
    """Whether each day's address was, and is, over the cap: user agents times episodes with an eligible hit."""
    if not cap:
        return {}
    is_first = np.r_[True, (np.diff(state.day) != 0) | (np.diff(state.address) != 0)][: len(state.keys)]
    number = np.cumsum(is_first) - 1
    added = np.bincount(number, state.is_eligible & ~state.was_eligible, minlength=1).astype(np.int64)
    # Sorted by day and address, but for rows that a window or a cap made us read besides; those are asked for twice.
    keys = list(zip(state.day[is_first].tolist(), state.address[is_first].tolist(), strict=True))
    more: dict[DayAddress, int] = {}
    for place in np.flatnonzero(added).tolist():
        more[keys[place]] = more.get(keys[place], 0) + int(added[place])
    # Hardly any address comes near the cap: so first those that do.
    near = cap + 1 - max(more.values(), default=0)
    busy = sorted(set(keys if near <= 0 else store.list_busy(connection, keys, near)))
    counts = store.count_eligible(connection, busy, cap + 1)
    return {key: (count > cap, count + more.get(key, 0) > cap) for key, count in counts.items()}


def load_versions(connection: Connection, state: State) -> tuple[Versions, dict[int, int]]:
    """Facts of all audio versions that these hits are of, and the show of each of their episodes."""
    found = sorted(list_versions_by_id(connection, np.unique(state.entries["version"]).tolist()), key=_id)
    columns = [
        np.array(values, np.int64)
        for values in (
            [version.id for version in found],
            [version.audio_bytes for version in found],
            [threshold_bytes(version) for version in found],
        )
    ]
    return Versions(*columns), {version.episode_id: version.show_id for version in found}


def _id(version: Version) -> int:
    return version.id


def _write(connection: Connection, found: Changes, show_of: Mapping[int, int]) -> None:
    store.put_consumer_days(connection, sorted(found.consumer_days))
    store.add_outcomes_of_hits(connection, sorted(found.outcomes))
    store.add_download_hours(connection, sorted(found.hours))
    store.add_download_splits(connection, sorted(found.splits))
    _write_shows(connection, found, show_of)
    _write_consumers(connection, found, show_of)


def _write_shows(connection: Connection, found: Changes, show_of: Mapping[int, int]) -> None:
    """The same sums once more, over all episodes of a show."""
    outcomes: Counter[tuple[int, int, str]] = Counter()
    sent_bytes: Counter[tuple[int, int, str]] = Counter()
    for episode_id, day, outcome, hits, sent in found.outcomes:
        outcomes[show_of[episode_id], day, outcome] += hits
        sent_bytes[show_of[episode_id], day, outcome] += sent
    store.add_outcomes_of_shows(connection, [(*key, hits, sent_bytes[key]) for key, hits in sorted(outcomes.items())])
    splits: Counter[tuple[int, str, int, str]] = Counter()
    for episode_id, day, kind, value, downloads in found.splits:
        splits[show_of[episode_id], kind, day, value] += downloads
    store.add_splits_of_shows(connection, [(*key, downloads) for key, downloads in sorted(splits.items())])


def _write_consumers(connection: Connection, found: Changes, show_of: Mapping[int, int]) -> None:
    """Unite the day's sketches with the consumers that came; make those anew that lost one."""
    items: dict[Row, tuple[list[int], list[int]]] = {}
    for (episode_id, day), gained in found.gained.items():
        for place in (episode_id, 0):
            known = items.setdefault((show_of[episode_id], day, place), ([], []))
            for numbers, new in zip(known, gained, strict=True):
                numbers.extend(new)
    anew = {(show_of[episode_id], day, place) for episode_id, day in found.lost for place in (episode_id, 0)}
    keys = sorted({*items, *anew})
    if not keys:
        return
    store.lock_consumers(connection)
    before = {row[:3]: row for row in store.list_consumer_sketches(connection, keys)}
    rows = []
    for key in keys:
        if key in anew:
            stored, found_again = (sketches.EMPTY, sketches.EMPTY), store.list_consumers(connection, *key)
            consumers = (
                [agent & _UNSIGNED for agent, _ in found_again],
                [number & _UNSIGNED for _, number in found_again if number],
            )
        else:
            row = before.get(key)
            stored = (bytes(row[3]), bytes(row[4])) if row else (sketches.EMPTY, sketches.EMPTY)
            consumers = items[key]
        agents, earlier = consumers
        rows.append((*key, sketches.add_to_sketch(stored[0], agents), sketches.add_to_sketch(stored[1], earlier)))
    store.put_consumer_sketches(connection, rows)
