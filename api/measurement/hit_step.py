"""Hits of a step of the worker, live and from access logs: counted, and accounted for."""

from collections import Counter

from sqlalchemy import Connection

from api import clock
from api.events.records import Hit, HitChunk
from api.measurement.causes import Cause
from api.measurement.download_step import count_hits, find_version
from api.measurement.impressions_delivered import Delivered
from api.measurement.incoming import Incoming, of_chunk, of_hits
from models.columns import DAY_MS
from models.queries import imports
from models.queries.imports import Progress

Outcomes = Counter[tuple[int, str, str]]
"""(received day, kind, outcome) -> number, as in `pipeline_day`."""
KNOWN = "known"
"""Outcome of a line of a log that another log has told before."""

FLOOD = "flood"
"""Cause of hits that are too many of one consumer, one episode and one day to be kept."""


def write_hits(connection: Connection, hits: list[Hit], outcomes: Outcomes, delivered: Delivered) -> None:
    """Count live hits. What they delivered of ads is added to `delivered`, to be written with what else there is."""
    if not hits:
        return
    find = find_version(connection, {hit.episode for hit in hits})
    for hit in hits:
        is_known = find(hit.episode, hit.audio_sha256) is not None
        outcomes[hit.at_ms // DAY_MS, "hit", "counted" if is_known else Cause.UNKNOWN_EPISODE] += 1
    for day, flood in count_hits(connection, of_hits(hits, find), delivered).flood.items():
        outcomes[day, "hit", "counted"] -= flood
        outcomes[day, "hit", FLOOD] += flood


def write_chunks(connection: Connection, chunks: list[HitChunk], outcomes: Outcomes, delivered: Delivered) -> None:
    """Count lines of one access log, received on one day; those that were not counted before. As `write_hits`."""
    new = _not_counted(connection, chunks)
    if not new:
        return
    day = new[0].received_ms // DAY_MS
    find = find_version(connection, {episode for chunk in new for episode, _ in chunk.files})
    incoming = Incoming.joined([of_chunk(chunk, find) for chunk in new])
    found = count_hits(connection, incoming, delivered)
    known, flood = found.known, found.flood.total()
    changed = Counter(found.by_outcome)
    changed[KNOWN] += known
    changed[FLOOD] += flood
    changed[Cause.UNKNOWN_EPISODE] += incoming.unknown
    for chunk in new:
        changed.update(chunk.aside)
    _note(connection, new[-1], changed)
    outcomes[day, "hit", "counted"] += len(incoming.entries) - known - flood
    outcomes[day, "hit", FLOOD] += flood
    outcomes[day, "hit", "duplicate"] += known
    outcomes[day, "hit", Cause.UNKNOWN_EPISODE] += incoming.unknown


def _not_counted(connection: Connection, chunks: list[HitChunk]) -> list[HitChunk]:
    """Without chunks that an interrupted import appended twice.

    A file that grew meanwhile is cut otherwise, so a chunk may overlap what is counted: then it is taken whole, and its
    lines that were counted are known ones.
    """
    lines = imports.get_lines(connection, chunks[0].source) or 0
    new = []
    for chunk in chunks:
        if chunk.first_line + chunk.lines > lines:
            new.append(chunk)
            lines = chunk.first_line + chunk.lines
    return new


def _note(connection: Connection, last: HitChunk, changed: Counter[str]) -> None:
    lines = last.first_line + last.lines
    progress = Progress(last.source, last.name, lines, last.unpacked_bytes, last.digest)
    imports.put_import(connection, progress, format_name=last.format, has_ranges=last.has_ranges, now=clock.now())
    imports.add_import_outcomes(connection, last.source, changed)
