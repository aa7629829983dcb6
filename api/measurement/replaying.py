"""Events that were set aside for a cause that may pass, judged once more when it has."""

import asyncio
import json
from typing import Any

from sqlalchemy import Connection

from api.events import EventLog
from api.events.log import Record
from api.events.records import EventTuple, Replay, pack
from api.measurement.causes import Cause, cause_of
from api.measurement.conclude import EVENT_FIELDS
from api.measurement.fold import ACTION
from api.measurement.load import find_episodes
from models.queries import folding
from models.queries.folding import CatalogueEpisode

PAGE = 2000


def list_ready(connection: Connection, cause: Cause) -> list[Record]:
    """A record for each event whose cause is gone, to be appended to the log: the worker judges, and counts once."""
    ready: list[Record] = []
    for page in folding.list_set_aside_pages(connection, cause, PAGE):
        events = [(row, _event(json.loads(row[4]))) for row in page]
        episodes = find_episodes(connection, {event[2] for _, event in events})
        for (event_id, _, device, received_ms, _), event in events:
            episode = episodes.get(event[2])
            if episode is not None and _is_countable(episode, event, received_ms):
                # Under its UUID from here on: what an address means may change, what was counted must not.
                named = (*event[:2], episode.uuid, *event[3:])
                ready.append(Record(bytes(device), pack(Replay(bytes(device), received_ms, bytes(event_id), named))))
    return ready


async def append_all(log: EventLog, records: list[Record]) -> None:
    """Append in groups; returns when all are on disk. Raises LogUnavailableError: some may be appended then, which a
    repetition does no harm to."""
    for start in range(0, len(records), PAGE):
        await asyncio.gather(*(log.append(record) for record in records[start : start + PAGE]))


def _event(payload: dict[str, Any]) -> EventTuple:
    seq, kind, name, session, at_ms, from_ms, to_ms, wall_ms, offline = (payload[field] for field in EVENT_FIELDS)
    return seq, kind, name, session, at_ms, from_ms, to_ms, wall_ms, offline


def _is_countable(episode: CatalogueEpisode, event: EventTuple, received_ms: int) -> bool:
    span_ms = 0 if event[1] == ACTION else event[6] - event[5]
    return cause_of(episode, event[4], span_ms, event[7], received_ms) is None
