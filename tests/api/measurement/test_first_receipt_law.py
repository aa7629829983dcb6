"""The law of counting over time: records that came on different days, with what was refused missing from them, count
the same wherever the micro-batches are cut, and the first receipt of an event decides.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from api.events.records import SyncBatch, pack
from models.columns import DAY_MS
from tests.api.measurement.test_counting_law import (
    DEVICES,
    DURATIONS_S,
    EPISODES,
    PUBLISHED_MS,
    TODAY,
    contents,
    cuts,
    fold,
    fresh,
    outcomes,
)
from tests.device import GENESIS, Phone

__all__ = ["fresh"]

MINUTE_MS = 60_000


@dataclass(frozen=True)
class Logged:
    """An event of a phone, and whether it was refused at the door."""

    episode: int
    minutes: int
    """After the last midnight; before it when negative."""
    seconds: int
    is_refused: bool


@dataclass(frozen=True)
class Delivery:
    """A stretch of a phone's log that arrived."""

    phone: int
    first: int
    count: int
    minutes: int
    """Of the receipt, after the last midnight."""


MOMENTS = [-96 * 1440, -51 * 1440, -2 * 1440, -1441, -30, -5, 0, 5, 30, 700, 1439, 1441, 2 * 1440, 60 * 1440]
logged = st.builds(
    Logged,
    episode=st.sampled_from([0, 0, 0, 1, 2]),
    minutes=st.sampled_from(MOMENTS),
    seconds=st.sampled_from([0, 5, 20, 31, 60]),
    is_refused=st.sampled_from([False, False, False, True]),
)
deliveries = st.builds(
    Delivery,
    phone=st.integers(0, 1),
    first=st.integers(0, 9),
    count=st.integers(1, 10),
    minutes=st.sampled_from([0, 1, 20, 720, 1439, 1440, 1441, 3 * 1440, 40 * 1440, 95 * 1440]),
)


def write(histories: tuple[list[Logged], list[Logged]]) -> list[Phone]:
    """The logs of two phones; a refused event has a seq and no place in the chain."""
    phones = [Phone(device) for device in DEVICES]
    for phone, history in zip(phones, histories, strict=True):
        for event in history:
            at_ms = TODAY * DAY_MS + event.minutes * MINUTE_MS
            phone.write(EPISODES[event.episode], "pause", 0, event.seconds * 1000, at_ms)
            if event.is_refused:
                phone.ids[-1] = phone.ids[-2] if len(phone.ids) > 1 else GENESIS
    return phones


def record(phone: Phone, history: list[Logged], delivery: Delivery) -> tuple[bytes, list[int], int] | None:
    """The log record of a delivery, the places of the events in it, and when it came; None when nothing is sent."""
    places = [place for place in range(delivery.first, delivery.first + delivery.count) if place < len(history)]
    if not places:
        return None
    received_ms = TODAY * DAY_MS + delivery.minutes * MINUTE_MS
    accepted = [place for place in places if not history[place].is_refused]
    events = [tuple(phone.log[place].values()) for place in accepted]
    after = phone.ids[places[0] - 1] if places[0] else GENESIS
    receipt = hashlib.sha256(repr(places).encode()).digest()
    batch = SyncBatch(
        phone.bytes, received_ms, receipt, after, phone.ids[places[-1]], places[0] + 1, places[-1] + 1, events
    )
    return pack(batch), accepted, received_ms


def cause_at(event: dict[str, Any], received_ms: int) -> str:
    """What the design says of an event that came then."""
    if UUID(event["episode"]) not in DURATIONS_S:
        return "unknown_episode"
    if event["at_ms"] < PUBLISHED_MS - DAY_MS:
        return "before_publication"
    if event["at_ms"] > received_ms + 10 * MINUTE_MS:
        return "clock_ahead"
    return "too_late" if event["at_ms"] < received_ms - 90 * DAY_MS else "counted"


def rows(engine: Engine, statement: str) -> list[tuple[Any, ...]]:
    """What a statement finds, sorted."""
    with engine.connect() as connection:
        return sorted(
            tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
            for row in connection.execute(text(statement))
        )


@settings(
    max_examples=200,
    deadline=None,
    derandomize=False,  # in CI too: other histories each time; one that fails is printed, to be tried again
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    histories=st.tuples(st.lists(logged, min_size=1, max_size=10), st.lists(logged, max_size=6)),
    arriving=st.lists(deliveries, min_size=1, max_size=8),
    steps=cuts,
)
def test_the_first_receipt_decides_and_cuts_change_nothing(
    fresh: Callable[[], Engine],
    histories: tuple[list[Logged], list[Logged]],
    arriving: list[Delivery],
    steps: list[int],
) -> None:
    phones = write(histories)
    payloads: list[bytes] = []
    first: dict[str, str] = {}
    received = 0
    for delivery in arriving:
        phone = phones[delivery.phone]
        if arrived := record(phone, histories[delivery.phone], delivery):
            payload, places, received_ms = arrived
            payloads.append(payload)
            received += len(places)
            for place in places:
                first.setdefault(phone.ids[place], cause_at(phone.log[place], received_ms))
    if not payloads:
        return
    kept: list[Any] = []
    for cut in (steps, list(range(len(payloads))), []):
        engine = fresh()
        fold(engine, payloads, cut)
        told = outcomes(engine)
        tables = ("receipt", "device_log", "arrival_day", "pipeline_day", "show_arrival")
        kept.append([contents(engine), told, *(rows(engine, f"SELECT * FROM {table}") for table in tables)])
    assert kept[0] == kept[1] == kept[2]
    duplicates = told.pop("duplicate", 0)
    decided = list(first.values())
    assert told == {outcome: decided.count(outcome) for outcome in set(decided)}
    assert duplicates == received - len(first)
    assert contents(engine)["set_aside"] == sorted(
        (bytes.fromhex(event_id), outcome) for event_id, outcome in first.items() if outcome != "counted"
    )
    assert rows(engine, "SELECT count(*) FROM device_log WHERE is_forked OR is_broken") == [(0,)]
