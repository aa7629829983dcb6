"""Events that were set aside for a cause that may pass, judged once more when it has."""

import json
from typing import Any

from sqlalchemy import Connection

from api.events.log import Record
from api.events.records import EventTuple, Replay, pack
from api.measurement.causes import Cause, cause_of_event
from api.measurement.conclude import EVENT_FIELDS
from api.measurement.load import find_episodes
from models.queries import folding

PAGE = 2000


def list_ready(connection: Connection, cause: Cause) -> list[Record]:
    """A record for each event whose cause is gone, to be appended to the log: the worker judges, and counts once."""
    ready: list[Record] = []
    for page in folding.list_set_aside_pages(connection, cause, PAGE):
        events = [(row, _event(json.loads(row[4]))) for row in page]
        episodes = find_episodes(connection, {event[2] for _, event in events})
        for (event_id, _, device, received_ms, _), event in events:
            episode = episodes.get(event[2])
            if episode is not None and cause_of_event(episode, event, received_ms) is None:
                # Under its UUID from here on: what an address means may change, what was counted must not.
                named = (*event[:2], episode.uuid, *event[3:])
                ready.append(Record(bytes(device), pack(Replay(bytes(device), received_ms, bytes(event_id), named))))
    return ready


def _event(payload: dict[str, Any]) -> EventTuple:
    seq, kind, name, session, at_ms, from_ms, to_ms, wall_ms, offline = (payload[field] for field in EVENT_FIELDS)
    return seq, kind, name, session, at_ms, from_ms, to_ms, wall_ms, offline
