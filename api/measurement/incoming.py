"""Hits out of records of the event log, as arrays: live ones and lines of access logs alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Self

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from api.events.columns import METHODS, Column, ColumnsError, pack_columns, unpack_columns
from api.events.records import Hit, HitChunk
from api.hits.parts import MOST_BYTES, NO_SINGLE_RANGE, WHOLE, is_probe, parse_bounds, sent_parts
from api.hits.traits import Trait
from api.measurement.entries import ENTRY, Entries
from models.columns import DAY_MS, day_number
from models.queries.audio_versions import Version

Ints = NDArray[np.int64]
Attributes = tuple[str, str, str]
"""App, device class, country."""
_END_MS = day_number(date.max) * DAY_MS
FindVersion = Callable[[str, str], Version | None]
"""Of an episode's UUID and a file's SHA-256; None when there is no such episode."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """Hits of known episodes, in the order of the log."""

    day: Ints
    address: Ints
    agent: Ints
    episode_id: Ints
    earlier: Ints
    about: Ints
    """Into `attributes`."""
    attributes: list[Attributes]
    entries: Entries
    unknown: int = 0
    """Hits of unknown episodes, which are left out."""

    @classmethod
    def none(cls) -> Self:
        """No hits."""
        nothing = np.zeros(0, np.int64)
        return cls(nothing, nothing, nothing, nothing, nothing, nothing, [], np.zeros(0, ENTRY))

    @classmethod
    def joined(cls, parts: Sequence["Incoming"]) -> Self:
        """Several as one."""
        shift = np.cumsum([0, *(len(part.attributes) for part in parts)])
        numbers = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("day", "address", "agent", "episode_id", "earlier", "entries")
        }
        return cls(
            **numbers,
            about=np.concatenate([part.about + by for part, by in zip(parts, shift, strict=False)]),
            attributes=[found for part in parts for found in part.attributes],
            unknown=sum(part.unknown for part in parts),
        )


def signed(values: Any) -> Ints:
    """64 bits as the store keeps them."""
    return np.asarray(values, np.uint64).view(np.int64)


def of_chunk(chunk: HitChunk, find: FindVersion) -> Incoming:
    """The hits of some lines of a log. Raises `ColumnsError`."""
    columns = unpack_columns(chunk.columns, chunk.hits)
    _check(chunk, columns)
    versions = [find(*file) for file in chunk.files]
    is_known = np.array([version is not None for version in versions], bool)[columns["file"]]
    kept = {name: column[is_known] for name, column in columns.items()}
    episode_ids = np.array([version.episode_id if version else 0 for version in versions], np.int64)
    ids = np.array([version.id if version else 0 for version in versions], np.int64)
    sizes = np.array([version.audio_bytes if version else 0 for version in versions], np.int64)
    entries = np.zeros(len(kept["file"]), ENTRY)
    entries["at"] = kept["at_ms"] % DAY_MS
    # A part never ends behind the file of the version that it is counted for.
    bound = np.where(sizes > 0, sizes, MOST_BYTES)[kept["file"]]
    entries["first"] = np.clip(kept["first_byte"], 0, bound)
    entries["end"] = np.clip(kept["end_byte"], entries["first"], bound)
    entries["version"] = ids[kept["file"]]
    for name in ("repeat", "status", "traits", "method"):
        entries[name] = kept[name]
    places = kept["agents"].astype(np.int64) * max(1, len(chunk.countries)) + kept["countries"]
    used, about = np.unique(places, return_inverse=True)
    attributes = [
        (*chunk.agents[place // max(1, len(chunk.countries))], chunk.countries[place % len(chunk.countries)])
        for place in used.tolist()
    ]
    return Incoming(
        kept["at_ms"] // DAY_MS,
        signed(kept["address"]),
        signed(kept["agent"]),
        episode_ids[kept["file"]],
        signed(kept["earlier"]),
        about.astype(np.int64),
        attributes,
        entries,
        int(len(is_known) - len(entries)),
    )


def _check(chunk: HitChunk, columns: dict[str, Column]) -> None:
    lists: dict[str, Sequence[object]] = {
        "file": chunk.files,
        "agents": chunk.agents,
        "countries": chunk.countries,
        "method": METHODS,
    }
    for name, values in lists.items():
        if chunk.hits and columns[name].max() >= len(values):
            raise ColumnsError(f"{name} points behind its list")
    check_times(columns["at_ms"])


def check_times(at_ms: Ints) -> None:
    """Raises ColumnsError for times that no calendar has."""
    if len(at_ms) and not 0 <= at_ms.min() <= at_ms.max() < _END_MS:
        raise ColumnsError("a time is beyond the calendar")


def only_days(chunk: HitChunk, first: int, last: int) -> HitChunk:
    """Without the hits of other UTC days, given as day numbers."""
    columns = unpack_columns(chunk.columns, chunk.hits)
    day = columns["at_ms"] // DAY_MS
    is_in = (day >= first) & (day <= last)
    kept = {name: column[is_in] for name, column in columns.items()}
    return structs.replace(chunk, hits=int(is_in.sum()), columns=pack_columns(kept))


def of_hits(hits: Sequence[Hit], find: FindVersion) -> Incoming:
    """Live hits. Raises `ColumnsError`."""
    found = [(hit, version) for hit in hits if (version := find(hit.episode, hit.audio_sha256)) is not None]
    entries = np.zeros(len(found), ENTRY)
    about: dict[Attributes, int] = {}
    rows = np.array([_row(hit, version, about) for hit, version in found], np.int64).reshape(len(found), 12)
    at_ms, status, method, first, last, sent, size, traits, version_id, episode_id, attributes, answered = rows.T
    check_times(at_ms)
    entries["at"], entries["version"], entries["status"] = at_ms % DAY_MS, version_id, status
    entries["method"], entries["is_live"] = method, 1
    entries["first"], entries["end"], is_unplaced = sent_parts(answered, first, last, sent, size)
    entries["traits"] = traits | np.where(is_unplaced, int(Trait.BYTES_ONLY), 0)
    consumers = np.array([_numbers(hit) for hit, _ in found], np.uint64).reshape(len(found), 3)
    return Incoming(
        at_ms // DAY_MS,
        signed(consumers[:, 0].copy()),
        signed(consumers[:, 1].copy()),
        episode_id,
        signed(consumers[:, 2].copy()),
        attributes,
        list(about),
        entries,
        len(hits) - len(found),
    )


def _row(hit: Hit, version: Version, about: dict[Attributes, int]) -> tuple[int, ...]:
    first, last = parse_bounds(hit.range) if hit.range else WHOLE
    traits = hit.traits | (int(Trait.PROBE) if is_probe(hit.range) else 0)
    place = about.setdefault((hit.app, hit.device_class, hit.country), len(about))
    method = _method_code(hit.method)
    sent, answered = hit.sent_bytes, hit.status
    if hit.status == 302 and hit.traits & Trait.REDIRECT:
        # What was asked for here is sent elsewhere; of several ranges nobody knows how much.
        is_several = "," in hit.range
        sent = 0 if is_several else MOST_BYTES
        answered = 200 if (first, last) in {WHOLE, NO_SINGLE_RANGE} and not is_several else 206
    return (
        *(hit.at_ms, hit.status, method, first, last, sent, version.audio_bytes, traits),
        *(version.id, version.episode_id, place, answered),
    )


def _numbers(hit: Hit) -> tuple[int, int, int]:
    consumer = hit.consumer.ljust(16, b"\0")
    return int.from_bytes(consumer[:8]), int.from_bytes(consumer[8:16]), hit.earlier


@lru_cache(maxsize=64)
def _method_code(method: str) -> int:
    return METHODS.index(method) if method in METHODS else METHODS.index("OTHER")
