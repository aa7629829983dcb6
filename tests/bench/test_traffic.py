"""What the bench sends is valid, and what it expects to be counted is right."""

import json
from uuid import uuid4

import pytest

from api.events.chain import GENESIS, chain_ids
from api.sync.envelope import parse_batch
from bench.traffic import DAY_MS, Device, Expected, Traffic, expect, make_traffic

NOW_MS = 1_793_000_000_000
EPISODE_MS = 3_600_000
EPISODES = [str(uuid4()) for _ in range(20)]
DEVICES = [Device(str(uuid4()), f"token-{n}") for n in range(3)]


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    """Four batches of ten events for each of three devices."""
    return make_traffic(DEVICES, EPISODES, events=120, batch_size=10, seed=3, now_ms=NOW_MS, episode_ms=EPISODE_MS)


def bodies_of(traffic: Traffic, device: int) -> list[bytes]:
    """A device's bodies in the order they go out."""
    return [request.partition(b"\r\n\r\n")[2] for request in traffic.requests[device :: len(DEVICES)]]


def test_every_request_states_its_own_length_and_token(traffic: Traffic) -> None:
    assert len(traffic.requests) == 12
    for place, request in enumerate(traffic.requests):
        head, _, body = request.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head.split(b"\r\n")
        assert f"Authorization: Bearer token-{place % 3}".encode() in head.split(b"\r\n")


def test_the_service_refuses_none_of_the_events(traffic: Traffic) -> None:
    for device in range(len(DEVICES)):
        for body in bodies_of(traffic, device):
            batch = parse_batch(body)
            assert (len(batch.accepted), batch.rejected) == (10, [])


def test_batches_of_a_device_are_one_unbroken_chain(traffic: Traffic) -> None:
    for place, device in enumerate(DEVICES):
        after, next_seq = GENESIS, 1
        for body in bodies_of(traffic, place):
            batch = parse_batch(body)
            assert (batch.after, batch.first_seq) == (after, next_seq)
            assert chain_ids(device.device_id, after, batch.accepted)[-1].hex() == batch.head
            after, next_seq = batch.head, batch.last_seq + 1


def test_events_could_have_happened(traffic: Traffic) -> None:
    for place in range(len(DEVICES)):
        events = [event for body in bodies_of(traffic, place) for event in json.loads(body)["events"]]
        assert [event["at_ms"] for event in events] == sorted(event["at_ms"] for event in events)
        assert events[-1]["at_ms"] < NOW_MS
        for event in events:
            assert 0 <= event["from_ms"] <= event["to_ms"] <= EPISODE_MS
            assert event["to_ms"] - event["from_ms"] <= 2 * event["wall_ms"] + 1


def test_same_seed_gives_the_same_listening_and_another_seed_another() -> None:
    def episodes_of(seed: int) -> list[str]:
        made = make_traffic(
            DEVICES, EPISODES, events=60, batch_size=20, seed=seed, now_ms=NOW_MS, episode_ms=EPISODE_MS
        )
        return [
            event["episode"]
            for place in range(3)
            for body in bodies_of(made, place)
            for event in json.loads(body)["events"]
        ]

    assert episodes_of(1) == episodes_of(1)
    assert episodes_of(1) != episodes_of(2)


def test_expected_counts_seconds_once_per_device_episode_and_day() -> None:
    day = 20_000 * DAY_MS
    first = [
        (1, "download", "a", "s1", day, 0, 0, 0, False),
        (2, "progress", "a", "s1", day + 1, 0, 29_000, 29_000, True),
        (3, "pause", "a", "s1", day + 2, 20_000, 30_000, 10_000, True),
        (4, "pause", "a", "s1", day + DAY_MS, 20_000, 30_999, 10_999, True),
    ]
    second = [(1, "download", "a", "s1", day, 0, 0, 0, False)]
    assert expect([first, second]) == Expected(starts=2, listens=1, heard_seconds=40)
