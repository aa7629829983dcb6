"""The simulated phone obeys the client rules of the sync protocol."""

import json
from pathlib import Path
from typing import Any

import pytest

from seed.catalogue import DAY_MS
from seed.client import GENESIS, Batch, Client, Event, Sealed, event_id

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "sync_chain.json").read_text())
MORNING_MS = 20_000 * DAY_MS + 8 * 3_600_000


def event(kind: str = "pause", from_s: int = 0, to_s: int = 0, **changes: Any) -> Event:
    fields: dict[str, Any] = {
        "kind": kind,
        "episode": "e1",
        "session": "s1",
        "at_ms": MORNING_MS,
        "from_ms": from_s * 1000,
        "to_ms": to_s * 1000,
        "wall_ms": (to_s - from_s) * 1000,
        "offline": False,
    }
    return Event(**{**fields, **changes})


def log_of(client: Client) -> list[Sealed]:
    batch = client.next_batch(client.last_seq)
    return batch.sealed if batch else []


def kinds(client: Client) -> list[str]:
    return [sealed.event.kind for sealed in log_of(client)]


@pytest.mark.parametrize(
    "batch", [batch for batch in VECTORS["batches"] if "ids" in batch], ids=lambda batch: str(batch["name"])
)
def test_ids_are_those_of_the_protocols_vectors(batch: dict[str, Any]) -> None:
    previous, ids = batch["body"]["after"], []
    for sent in batch["body"]["events"]:
        fields = {name: value for name, value in sent.items() if name != "seq"}
        previous = event_id(VECTORS["device_id"], sent["seq"], previous, Event(**fields))
        ids.append(previous)
    assert ids == batch["ids"]
    assert previous == batch["body"]["head"]


def test_nothing_is_told_before_listen_seconds_are_heard() -> None:
    client = Client("d", 30)
    client.record(event("play"))
    client.record(event("pause", 0, 29))
    assert kinds(client) == []


def test_the_second_that_makes_it_a_listen_seals_everything_in_order() -> None:
    client = Client("d", 30)
    client.record(event("play"))
    client.record(event("seek", 0, 20))
    client.record(event("pause", 100, 110))
    assert kinds(client) == ["play", "seek", "pause"]
    assert [sealed.seq for sealed in log_of(client)] == [1, 2, 3]


def test_what_comes_after_is_sealed_at_once() -> None:
    client = Client("d", 30)
    client.record(event("pause", 0, 30))
    client.record(event("play"))
    assert kinds(client) == ["pause", "play"]


def test_hearing_the_same_seconds_again_does_not_help() -> None:
    client = Client("d", 30)
    for _ in range(3):
        client.record(event("seek", 0, 29))
    assert kinds(client) == []


def test_half_seconds_are_not_seconds() -> None:
    client = Client("d", 30)
    client.record(event("pause", to_ms=29_999))
    assert kinds(client) == []


def test_a_day_that_ends_too_soon_leaves_one_short_with_the_longest_span() -> None:
    client = Client("d", 30)
    client.record(event("play"))
    client.record(event("seek", 0, 5))
    client.record(event("seek", 50, 62, offline=True))
    client.record(event("pause", 70, 73))
    client.record(event("play", at_ms=MORNING_MS + DAY_MS, episode="e2"))
    (sealed,) = log_of(client)
    short = sealed.event
    assert (short.kind, short.from_ms, short.to_ms, short.wall_ms, short.offline) == (
        "short",
        50_000,
        62_000,
        12_000,
        True,
    )
    assert short.at_ms == MORNING_MS, "it belongs to the day that it was heard on"


def test_play_alone_ends_the_day_as_a_short_of_nothing() -> None:
    client = Client("d", 30)
    client.record(event("play"))
    client.end_days(MORNING_MS + DAY_MS)
    (sealed,) = log_of(client)
    assert (sealed.event.kind, sealed.event.from_ms, sealed.event.to_ms) == ("short", 0, 0)


def test_the_same_day_is_not_over() -> None:
    client = Client("d", 30)
    client.record(event("play"))
    client.end_days(MORNING_MS + 3_600_000)
    assert kinds(client) == []


def test_each_day_and_each_episode_starts_its_own_pending() -> None:
    client = Client("d", 30)
    client.record(event("pause", 0, 30))
    client.record(event("pause", 30, 50, episode="e2"))
    client.record(event("pause", 30, 50, at_ms=MORNING_MS + DAY_MS))
    assert [(s.event.kind, s.event.episode) for s in log_of(client)] == [("pause", "e1"), ("short", "e2")]


def test_a_download_is_sealed_at_once_and_opens_nothing() -> None:
    client = Client("d", 30)
    client.record(event("download"))
    client.record(event("play"))
    assert kinds(client) == ["download"]


def test_the_log_is_a_chain_from_its_first_event() -> None:
    client = Client("d", 1)
    for second in range(4):
        client.record(event("seek", second, second + 1))
    previous = GENESIS
    for sealed in log_of(client):
        assert sealed.previous == previous
        assert sealed.id == event_id("d", sealed.seq, previous, sealed.event)
        previous = sealed.id


def make_log(events: int) -> Client:
    client = Client("d", 1)
    for second in range(events):
        client.record(event("seek", second, second + 1))
    return client


def seqs(batch: Batch | None) -> tuple[int, int]:
    assert batch is not None
    return batch.sealed[0].seq, batch.sealed[-1].seq


def test_a_batch_has_at_most_five_hundred_events() -> None:
    client = make_log(501)
    batch = client.next_batch(501)
    assert seqs(batch) == (1, 500)


def test_events_stay_until_they_are_acknowledged() -> None:
    client = make_log(10)
    assert seqs(client.next_batch(4)) == (1, 4)
    batch = client.next_batch(7)
    assert batch is not None
    assert seqs(batch) == (1, 7)
    client.acknowledge(batch)
    assert seqs(client.next_batch(10)) == (8, 10)


def test_an_empty_outbox_has_no_batch() -> None:
    client = make_log(2)
    batch = client.next_batch(2)
    assert batch is not None
    client.acknowledge(batch)
    assert client.next_batch(2) is None


def test_a_body_says_what_the_protocol_asks_for() -> None:
    client = make_log(3)
    first = client.next_batch(1)
    assert first is not None
    client.acknowledge(first)
    batch = client.next_batch(3)
    assert batch is not None
    body = json.loads(batch.body(123))
    assert (body["sent_at_ms"], body["after"], body["head"]) == (123, first.sealed[0].id, batch.sealed[-1].id)
    assert body["events"][0] == {
        "seq": 2,
        "kind": "seek",
        "episode": "e1",
        "session": "s1",
        "at_ms": MORNING_MS,
        "from_ms": 1000,
        "to_ms": 2000,
        "wall_ms": 1000,
        "offline": False,
    }
