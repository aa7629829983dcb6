"""The hash chain against the published vectors."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.events.chain import chain_ids
from api.events.records import EventTuple

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "sync_chain.json").read_text())
WITH_IDS = [case for case in VECTORS["batches"] if "ids" in case]


def as_tuples(events: list[dict[str, Any]]) -> list[EventTuple]:
    """Events as the log keeps them."""
    names = ("seq", "kind", "episode", "session", "at_ms", "from_ms", "to_ms", "wall_ms", "offline")
    return [tuple(event[name] for name in names) for event in events]  # type: ignore[misc]


@pytest.mark.parametrize("case", WITH_IDS, ids=lambda case: case["name"])
def test_published_events_have_the_published_ids(case: dict[str, Any]) -> None:
    ids = chain_ids(VECTORS["device_id"], case["body"]["after"], as_tuples(case["body"]["events"]))
    assert [event_id.hex() for event_id in ids] == case["ids"]
    assert case["ids"][-1] == case["body"]["head"]
