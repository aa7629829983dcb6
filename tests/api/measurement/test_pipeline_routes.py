"""GET /v1/pipeline: what became of everything that came in, for admins."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlmodel import Session

from api.events import LogUnavailableError
from api.measurement.worker import Worker
from api.settings import Settings
from tests.api.conftest import People
from tests.device import DAY_MS, Phone, encode, now_ms, register
from tests.factories import make_episode

ROUTES = ("/v1/pipeline", "/v1/pipeline/lag")


@pytest.fixture
def episode(engine: Engine) -> UUID:
    """A published episode."""
    with Session(engine) as session:
        return make_episode(session).uuid


def fold(client: TestClient, engine: Engine, settings: Settings) -> None:
    """Have the worker do all there is."""
    Worker(engine, client.app.state.log, settings).drain()


def send(client: TestClient, episode: UUID) -> None:
    """One phone tells six events, five of which count, and one of those twice; its fifth never comes. Another tells of
    an episode that nobody knows."""
    phone = register(client)
    for minute in range(4):
        phone.write(episode, "progress", minute * 60_000, (minute + 1) * 60_000)
    phone.write(uuid4(), "progress", 0, 60_000)
    phone.write(episode, "progress", 0, 60_000, now_ms() + DAY_MS)
    phone.write(episode, "pause")
    for first, last in ((1, 4), (4, 4), (6, 6), (7, 7)):
        post(client, phone, first, last)
    unknown = register(client)
    unknown.write(uuid4(), "progress", 0, 60_000)
    post(client, unknown)


def post(client: TestClient, phone: Phone, first: int = 1, last: int | None = None) -> None:
    """A stretch of a phone's log, taken."""
    answer = client.post("/v1/sync", content=encode(phone.batch(first, last)), headers=phone.headers)
    assert answer.status_code == 202, answer.text


def read(people: People, path: str = "/v1/pipeline", **query: str) -> dict:
    """The answer to an admin."""
    answer = people.call("admin", "GET", path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_event_is_counted_or_a_duplicate_or_set_aside_and_the_tables_agree(
    people: People, client: TestClient, engine: Engine, settings: Settings, episode: UUID
) -> None:
    send(client, episode)
    fold(client, engine, settings)
    body = read(people)
    today = datetime.now(UTC).date()
    assert len(body["days"]) == 30
    assert body["days"][-1] == {
        "day": today.isoformat(),
        "received": 8,
        "counted": 5,
        "duplicate": 1,
        "set_aside": {"clock_ahead": 1, "unknown_episode": 1},
        "arrived": 5,
        "kept": 2,
        "is_true": True,
    }
    assert all(day["is_true"] and not day["received"] for day in body["days"][:-1])


def test_each_cause_has_its_newest_samples_as_they_were_sent_and_no_whole_device_id(
    people: People, client: TestClient, engine: Engine, settings: Settings, episode: UUID
) -> None:
    phone = register(client)
    for _ in range(7):
        phone.write(uuid4(), "progress", 0, 60_000)
    post(client, phone)
    fold(client, engine, settings)
    (cause,) = read(people)["causes"]
    assert (cause["cause"], cause["events"], len(cause["samples"])) == ("unknown_episode", 7, 5)
    told = dict(zip(phone.ids, phone.log, strict=True))
    assert all(sample["event"] == told[sample["event_id"]] for sample in cause["samples"])
    assert {sample["device"] for sample in cause["samples"]} == {phone.device_id[:8]}


def test_devices_with_holes_in_their_log_are_listed(
    people: People, client: TestClient, engine: Engine, settings: Settings, episode: UUID
) -> None:
    send(client, episode)
    fold(client, engine, settings)
    logs = read(people)["logs"]
    assert {name: logs[name] for name in ("devices", "broken", "forked", "with_gaps")} == {
        "devices": 1,
        "broken": 0,
        "forked": 0,
        "with_gaps": 1,
    }
    (log,) = logs["newest"]
    assert (log["missing_events"], log["last_seq"], log["is_broken"], log["is_forked"]) == (1, 7, False, False)


def test_the_lag_grows_until_the_worker_has_been_there(
    people: People, client: TestClient, engine: Engine, settings: Settings, episode: UUID
) -> None:
    assert read(people, "/v1/pipeline/lag")["partitions"] == [
        {
            "partition": 0,
            "next_offset": 0,
            "end_offset": 0,
            "records_behind": 0,
            "oldest_waiting_ms": 0,
            "last_step_ms": None,
        }
    ]
    before = now_ms()
    send(client, episode)
    lag = read(people, "/v1/pipeline/lag")
    (partition,) = lag["partitions"]
    assert (partition["records_behind"], partition["end_offset"], lag["folded"]) == (5, 5, 0)
    assert 0 <= partition["oldest_waiting_ms"] <= lag["as_of_ms"] - before + 1
    fold(client, engine, settings)
    lag = read(people, "/v1/pipeline/lag")
    (partition,) = lag["partitions"]
    assert (partition["next_offset"], partition["records_behind"], partition["oldest_waiting_ms"]) == (5, 0, 0)
    assert partition["last_step_ms"] >= before
    assert lag["folded"] == 8
    assert read(people)["lag"]["partitions"] == lag["partitions"]


def test_the_oldest_waiting_record_tells_for_how_long_it_has(
    people: People, client: TestClient, episode: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(client, episode)
    monkeypatch.setattr("api.clock.now_ms", lambda: now_ms() + 3_600_000)
    (partition,) = read(people, "/v1/pipeline/lag")["partitions"]
    assert 3_600_000 <= partition["oldest_waiting_ms"] < 3_700_000


def test_a_day_that_the_tables_do_not_agree_on_is_told(
    people: People, client: TestClient, engine: Engine, settings: Settings, episode: UUID
) -> None:
    send(client, episode)
    fold(client, engine, settings)
    with engine.begin() as connection:
        connection.execute(text("UPDATE arrival_day SET events = events + 1"))
    day = read(people)["days"][-1]
    assert (day["counted"], day["arrived"], day["is_true"]) == (5, 6, False)


def test_requests_for_audio_are_apart(people: People, client: TestClient, engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO pipeline_day (received_day, kind, outcome, events) VALUES (:day, 'hit', 'counted', 12)"),
            {"day": (datetime.now(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days},
        )
    body = read(people)
    assert body["hits"] == [{"day": datetime.now(UTC).date().isoformat(), "outcomes": {"counted": 12}}]
    assert body["days"][-1]["received"] == 0
    assert body["causes"] == []


def test_a_span_can_be_asked_for_and_one_that_makes_no_sense_is_refused(people: People) -> None:
    today = datetime.now(UTC).date()
    days = read(people, **{"from": str(today - timedelta(days=2)), "to": str(today)})["days"]
    assert [day["day"] for day in days] == [str(today - timedelta(days=n)) for n in (2, 1, 0)]
    answer = people.call("admin", "GET", "/v1/pipeline", params={"from": "2026-03-02", "to": "2026-03-01"})
    assert (answer.status_code, "Swap them" in answer.json()["message"]) == (422, True)
    answer = people.call("admin", "GET", "/v1/pipeline", params={"to": "0001-01-02"})
    assert [day["day"] for day in answer.json()["days"]] == ["0001-01-01", "0001-01-02"]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    ("who", "status"), [("owner", 403), ("other", 403), ("advertiser", 403), ("nobody", 401), ("admin", 200)]
)
def test_only_an_admin_is_told(people: People, path: str, who: str, status: int) -> None:
    assert people.call(who, "GET", path).status_code == status


@pytest.mark.parametrize("path", ROUTES)
def test_a_log_that_cannot_be_read_is_a_503(
    people: People, client: TestClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(_partition: int) -> int:
        raise LogUnavailableError("disk I/O error")

    monkeypatch.setattr(client.app.state.log, "end", end)
    answer = people.call("admin", "GET", path)
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
