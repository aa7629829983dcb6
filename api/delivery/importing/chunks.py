"""Lines of an access log as hits: classified, addresses hashed, episodes and versions found, in records."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api import clock
from api.delivery.importing.blocks import LineBlock, Texts
from api.delivery.importing.episodes import NOT_AUDIO, UNKNOWN, EpisodeFinder
from api.delivery.importing.known import Known, distinct
from api.delivery.importing.repeats import Repeats
from api.events.columns import METHODS, pack_columns
from api.events.log import partition_of
from api.events.records import HitChunk
from api.hits.classify import Classifier
from api.hits.identity import mix
from api.hits.parts import NO_SINGLE_RANGE, PROBE, parse_bounds, sent_parts
from api.hits.traits import TOLD_BY_THE_LINE, Trait
from models.columns import DAY_MS
from models.rotations import has_earlier, rotation_of

Column = NDArray[Any]
MOST_PATHS = 10_000
"""Of those that are no known episode's: a report shows the first few, and a scanner asks for millions."""
OTHER = METHODS.index("OTHER")


@dataclass(frozen=True, slots=True)
class LogFile:
    """The file that lines are of."""

    prefix: bytes
    """Fifteen bytes that stand for it; the sixteenth is the partition of the event log."""
    name: str
    format: str


@dataclass(slots=True)
class ChunkMaker:
    """Makes records of a file's blocks, which have to come in order."""

    file: LogFile
    partitions: int
    finder: EpisodeFinder
    classifier: Classifier
    secret: str
    _repeats: Repeats = field(default_factory=Repeats)
    _known: Known = field(init=False)
    _episodes: dict[str, int] = field(default_factory=dict)
    """A number for each episode seen, the same in every block of the file."""
    unknown_paths: Counter[str] = field(default_factory=Counter)
    """Paths of audio that is no known episode's, for the report."""

    def __post_init__(self) -> None:
        self._known = Known(self.classifier, self.secret)

    def records(self, block: LineBlock) -> Iterator[tuple[int, HitChunk]]:
        """The block's record for each partition of the event log; one without hits too, since it says how far."""
        columns, files, aside = self._episodes_of(block)
        kept = columns.pop("kept")
        agents, countries = self._consumers(block, kept, columns)
        self._parts(block, kept, columns, files)
        columns["repeat"] = self._repeats.count(self._likeness(columns, files), columns["at_ms"])
        names = [(episode, sha256) for episode, sha256 in files]
        place = self._partition(columns["address"])
        aside["unreadable"] = len(block.unreadable)
        for partition in range(self.partitions):
            part = columns if self.partitions == 1 else _chosen(columns, place == partition)
            yield (
                partition,
                HitChunk(
                    received_ms=clock.now_ms(),
                    source=self.file.prefix + bytes([partition]),
                    name=self.file.name,
                    format=self.file.format,
                    has_ranges=block.has_ranges,
                    first_line=block.first_line,
                    lines=block.lines,
                    unpacked_bytes=block.unpacked_bytes,
                    digest=block.digest,
                    aside=dict(aside) if partition == 0 else {},
                    files=names,
                    agents=agents,
                    countries=countries,
                    hits=len(part["at_ms"]),
                    columns=pack_columns(part),
                ),
            )

    def _episodes_of(self, block: LineBlock) -> tuple[dict[str, Column], list[tuple[str, str]], Counter[str]]:
        """Which lines are of an episode (`kept`), the version of each, and how many are of none."""
        rows = block.rows
        paths = max(1, len(rows.path.values))
        if len(rows.host.values) <= 1:
            pairs, inverse = distinct(rows.path.codes, paths)
        else:
            both = rows.host.codes.astype(np.int64) * paths + rows.path.codes
            pairs, inverse = np.unique(both, return_inverse=True)
        counts = np.bincount(inverse, minlength=len(pairs)).tolist()
        files: list[tuple[str, str]] = []
        place_of: dict[tuple[str, str], int] = {}
        places = np.full(len(pairs), -1, np.int64)
        dated: list[tuple[int, str]] = []
        aside: Counter[str] = Counter()
        for pair, place in enumerate(pairs.tolist()):
            host, path = divmod(place, paths)
            episode, version = self.finder.find(rows.host.values[host], rows.path.values[path])
            if episode in {NOT_AUDIO, UNKNOWN}:
                aside[episode] += counts[pair]
                if episode == UNKNOWN and len(self.unknown_paths) < MOST_PATHS:
                    self.unknown_paths[rows.path.values[path]] += counts[pair]
                continue
            versions = self.finder.versions(episode)
            named = next((known for known in versions if version and known.sha256.startswith(version)), versions[-1])
            if len(versions) > 1 and not version:
                dated.append((pair, episode))
            places[pair] = place_of.setdefault((episode, named.sha256), len(place_of))
        files = list(place_of)
        file = places[inverse]
        for pair, episode in dated:
            self._date(rows.at_ms, np.flatnonzero(inverse == pair), file, episode, files)
        kept = np.flatnonzero(file >= 0)
        return {"kept": kept, "file": file[kept], "at_ms": rows.at_ms[kept]}, files, aside

    def _date(self, at_ms: Column, rows: Column, file: Column, episode: str, files: list[tuple[str, str]]) -> None:
        """Set which version of a file that was replaced was there when each of these lines was written."""
        versions = self.finder.versions(episode)
        since = np.array([round(version.since_at.timestamp() * 1000) for version in versions], np.int64)
        chosen = np.maximum(np.searchsorted(since, at_ms[rows], side="right") - 1, 0)
        for number in np.unique(chosen).tolist():
            name = (episode, versions[number].sha256)
            if name not in files:
                files.append(name)
            file[rows[chosen == number]] = files.index(name)

    def _consumers(
        self, block: LineBlock, kept: Column, columns: dict[str, Column]
    ) -> tuple[list[tuple[str, str]], list[str]]:
        """Address, agent and what is known of them; returns the lists that the columns point into."""
        rows, known = block.rows, self._known
        day = columns["at_ms"] // DAY_MS
        ip, agent = (Texts(texts.codes[kept], texts.values) for texts in (rows.ip, rows.user_agent))
        traits, country, countries = known.address_facts(ip, day)
        columns["address"], columns["agent"] = known.hashes(ip, agent, rotation_of(day))
        columns["earlier"] = np.zeros(len(kept), np.uint64)
        chosen = np.flatnonzero(has_earlier(day))
        if len(chosen):
            some_ip, some_agent = (Texts(texts.codes[chosen], texts.values) for texts in (ip, agent))
            _, columns["earlier"][chosen] = known.hashes(some_ip, some_agent, rotation_of(day[chosen]) - 1)
        said = np.array([countries.setdefault(text, len(countries)) for text in rows.country.values], np.int64)
        said = said[rows.country.codes[kept]]
        columns["countries"] = np.where(said > 0, said, country)
        agent_traits, columns["agents"], agents = known.agent_facts(agent)
        traits |= agent_traits
        referrer = rows.referrer.codes[kept]
        preloads = [int(self.classifier.referrer(text)) if text else 0 for text in rows.referrer.values]
        traits |= np.array(preloads, np.uint16)[referrer]
        columns["traits"] = traits
        return agents, list(countries)

    def _parts(self, block: LineBlock, kept: Column, columns: dict[str, Column], files: list[tuple[str, str]]) -> None:
        """Method, status, and the part of the file that was sent."""
        rows = block.rows
        methods = [METHODS.index(method) if method in METHODS else OTHER for method in rows.method.values]
        columns["method"] = np.array(methods, np.uint8)[rows.method.codes[kept]]
        columns["status"] = rows.status[kept]
        bounds = [parse_bounds(text) for text in rows.range.values] or [NO_SINGLE_RANGE]
        first, last = (np.array(values, np.int64)[rows.range.codes[kept]] for values in zip(*bounds, strict=True))
        is_probe = (first == PROBE[0]) & (last == PROBE[1])
        sizes = np.array([self._size(*file) for file in files], np.int64)[columns["file"]] if files else 0
        start, end, is_unplaced = sent_parts(columns["status"], first, last, rows.sent_bytes[kept], sizes)
        columns["first_byte"], columns["end_byte"] = start, end
        columns["traits"] |= np.where(is_unplaced, int(Trait.BYTES_ONLY), 0).astype(np.uint16)
        columns["traits"] |= np.where(is_probe, int(Trait.PROBE), 0).astype(np.uint16)

    def _size(self, episode: str, sha256: str) -> int:
        return next(version.audio_bytes for version in self.finder.versions(episode) if version.sha256 == sha256)

    def _likeness(self, columns: dict[str, Column], files: list[tuple[str, str]]) -> NDArray[np.uint64]:
        """A number for all by which two lines of a file can be told apart."""
        numbers = [self._episodes.setdefault(episode, len(self._episodes)) for episode, _ in files]
        episode = np.array(numbers, np.uint64)[columns["file"]] if files else np.zeros(0, np.uint64)
        mixed = columns["agent"]
        for name in ("at_ms", "first_byte", "end_byte"):
            mixed = mix(mixed, columns[name].astype(np.uint64))
        kind = columns["status"].astype(np.uint64) << np.uint64(8) | columns["method"]
        kind |= (columns["traits"] & np.uint64(TOLD_BY_THE_LINE)) << np.uint64(24)
        return np.asarray(mix(mixed, kind | episode << np.uint64(32)), np.uint64)

    def _partition(self, address: Column) -> Column:
        if self.partitions == 1:
            return np.zeros(len(address), np.int64)
        used, inverse = np.unique(address, return_inverse=True)
        places = [partition_of(value.to_bytes(8), self.partitions) for value in used.tolist()]
        return np.array(places, np.int64)[inverse]


def _chosen(columns: dict[str, Column], is_chosen: Column) -> dict[str, Column]:
    return {name: values[is_chosen] for name, values in columns.items()}
