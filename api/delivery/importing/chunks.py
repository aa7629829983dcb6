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
from api.delivery.importing.repeats import Repeats
from api.events.columns import METHODS, pack_columns
from api.events.log import partition_of
from api.events.records import HitChunk
from api.hits.classify import Classifier
from api.hits.identity import hash_address, hash_agent, key_of, mix
from api.hits.parts import NO_SINGLE_RANGE, is_probe, parse_bounds, sent_parts
from api.hits.traits import TOLD_BY_THE_LINE, Trait
from models.columns import DAY_MS
from models.rotations import has_earlier, rotation_of

Column = NDArray[Any]
REMEMBERED = 500_000
"""Addresses and user agents whose hashes are kept; beyond, they are worked out again."""
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
    _hashes: dict[bytes, dict[str, int]] = field(default_factory=dict)
    """By key and what is hashed."""
    _episodes: dict[str, int] = field(default_factory=dict)
    """A number for each episode seen, the same in every block of the file."""
    unknown_paths: Counter[str] = field(default_factory=Counter)
    """Paths of audio that is no known episode's, for the report."""

    def records(self, block: LineBlock) -> Iterator[tuple[int, HitChunk]]:
        """The block's record for each partition of the event log; one without hits too, since it says how far."""
        columns, files, aside = self._episodes_of(block)
        kept = columns.pop("kept")
        agents, countries = self._consumers(block, kept, columns)
        self._parts(block, kept, columns, files)
        columns["repeat"] = self._repeats.count(self._likeness(columns, files))
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
        pairs, inverse = np.unique(
            rows.host.codes.astype(np.int64) * max(1, len(rows.path.values)) + rows.path.codes, return_inverse=True
        )
        counts = np.bincount(inverse, minlength=len(pairs)).tolist()
        files: list[tuple[str, str]] = []
        place_of: dict[tuple[str, str], int] = {}
        places = np.full(len(pairs), -1, np.int64)
        dated: list[tuple[int, str]] = []
        aside: Counter[str] = Counter()
        for pair, place in enumerate(pairs.tolist()):
            host, path = divmod(place, max(1, len(rows.path.values)))
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
        rows = block.rows
        day = columns["at_ms"] // DAY_MS
        traits = np.zeros(len(kept), np.uint16)
        ip, agent = rows.ip.codes[kept], rows.user_agent.codes[kept]
        told = rows.country.codes[kept]
        address, consumer, earlier = (np.zeros(len(kept), np.uint64) for _ in range(3))
        country = np.zeros(len(kept), np.int64)
        countries: dict[str, int] = {"": 0}
        for number in np.unique(day).tolist():
            chosen = np.flatnonzero(day == number)
            self._address_facts(rows.ip, ip[chosen], number, chosen, traits, country, countries)
            key = key_of(self.secret, rotation_of(number))
            address[chosen] = self._hashed(rows.ip, ip[chosen], key, hash_address)
            consumer[chosen] = mix(address[chosen], self._hashed(rows.user_agent, agent[chosen], key, hash_agent))
            if has_earlier(number):
                key = key_of(self.secret, rotation_of(number) - 1)
                before = self._hashed(rows.ip, ip[chosen], key, hash_address)
                earlier[chosen] = mix(before, self._hashed(rows.user_agent, agent[chosen], key, hash_agent))
        columns |= {"address": address, "agent": consumer, "earlier": earlier}
        said = np.array([countries.setdefault(text, len(countries)) for text in rows.country.values], np.int64)[told]
        columns["countries"] = np.where(said > 0, said, country)
        agents = self._agent_facts(rows.user_agent, agent, traits, columns)
        for code, text in _used(rows.referrer, kept):
            traits[rows.referrer.codes[kept] == code] |= int(self.classifier.referrer(text)) if text else 0
        columns["traits"] = traits
        return agents, list(countries)

    def _address_facts(
        self,
        ips: Texts,
        codes: Column,
        day: int,
        chosen: Column,
        traits: Column,
        country: Column,
        countries: dict[str, int],
    ) -> None:
        used, inverse = np.unique(codes, return_inverse=True)
        facts = [self.classifier.address(ips.values[code], day) for code in used.tolist()]
        traits[chosen] |= np.array([int(fact.traits) for fact in facts], np.uint16)[inverse]
        numbers = [countries.setdefault(fact.country, len(countries)) for fact in facts]
        country[chosen] = np.array(numbers, np.int64)[inverse]

    def _hashed(self, texts: Texts, codes: Column, key: bytes, hashed: Any) -> Column:
        if sum(map(len, self._hashes.values())) > REMEMBERED:
            self._hashes.clear()
        known = self._hashes.setdefault(key + hashed.__name__.encode(), {})
        used, inverse = np.unique(codes, return_inverse=True)
        numbers = []
        for code in used.tolist():
            text = texts.values[code]
            number = known.get(text)
            if number is None:
                number = known[text] = hashed(key, text)
            numbers.append(number)
        return np.array(numbers, np.uint64)[inverse]

    def _agent_facts(
        self, texts: Texts, codes: Column, traits: Column, columns: dict[str, Column]
    ) -> list[tuple[str, str]]:
        used, inverse = np.unique(codes, return_inverse=True)
        facts = [self.classifier.agent(texts.values[code]) for code in used.tolist()]
        traits |= np.array([int(fact.traits) for fact in facts], np.uint16)[inverse]
        names: dict[tuple[str, str], int] = {}
        places = [names.setdefault((fact.app, fact.device_class), len(names)) for fact in facts]
        columns["agents"] = np.array(places, np.int64)[inverse]
        return list(names)

    def _parts(self, block: LineBlock, kept: Column, columns: dict[str, Column], files: list[tuple[str, str]]) -> None:
        """Method, status, and the part of the file that was sent."""
        rows = block.rows
        methods = [METHODS.index(method) if method in METHODS else OTHER for method in rows.method.values]
        columns["method"] = np.array(methods, np.uint8)[rows.method.codes[kept]]
        columns["status"] = rows.status[kept]
        bounds = [parse_bounds(text) for text in rows.range.values] or [NO_SINGLE_RANGE]
        first, last = (np.array(values, np.int64)[rows.range.codes[kept]] for values in zip(*bounds, strict=True))
        probes = np.array([is_probe(text) for text in rows.range.values], bool)[rows.range.codes[kept]]
        sizes = np.array([self._size(*file) for file in files], np.int64)[columns["file"]] if files else 0
        start, end, is_unplaced = sent_parts(columns["status"], first, last, rows.sent_bytes[kept], sizes)
        columns["first_byte"], columns["end_byte"] = start, end
        columns["traits"] |= np.where(is_unplaced, int(Trait.BYTES_ONLY), 0).astype(np.uint16)
        columns["traits"] |= np.where(probes, int(Trait.PROBE), 0).astype(np.uint16)

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


def _used(texts: Texts, kept: Column) -> Iterator[tuple[int, str]]:
    for code in np.unique(texts.codes[kept]).tolist():
        yield code, texts.values[code]
