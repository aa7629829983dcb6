"""Episode actions: what is kept for the listener's apps, and what is counted."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from api.events import LogUnavailableError
from api.pseudonyms import listener_device
from api.settings import Settings
from api.sync.gpodder import action_routes, service, uploads
from models.queries import listeners
from tests.api.sync.gpodder.conftest import EPISODE, FEED, App, logged, play
from tests.device import now_ms
from tests.factories import make_episode

AT_MS = 1_795_168_800_000
"""2026-11-20 10:00 UTC, when `play()` happens."""


def spans(client: TestClient) -> list[tuple[int, int, int]]:
    """at_ms, from_ms, to_ms of every play in the log."""
    return [action[1:4] for _, action in logged(client)]


def test_a_play_is_kept_and_logged_as_the_span_that_was_heard(client: TestClient, ada: App) -> None:
    told = play(15, 120, guid="one")
    assert ada.tell(told)["update_urls"] == []
    assert ada.actions() == [told]
    [(_, (_, *said))] = logged(client)
    assert said == [AT_MS, 15_000, 120_000, "", FEED, EPISODE, "one"]


def test_the_id_is_the_hash_of_the_lines_that_the_page_gives(client: TestClient, engine: Engine, ada: App) -> None:
    ada.tell(play(15, 120))
    [(device, (event_id, *_))] = logged(client)
    with Session(engine) as session:
        uuid = listeners.get_listener_by_name(session, "ada").uuid
    assert device == listener_device(client.app.state.secret, uuid, "phone")  # type: ignore[attr-defined]
    lines = ["earshot-gpodder/1", device.hex(), EPISODE, str(AT_MS), "15", "120"]
    assert event_id == hashlib.sha256("\n".join(lines).encode()).digest()


def test_the_log_knows_no_names(client: TestClient, ada: App) -> None:
    ada.tell(play(device="adas-phone"))
    [record] = client.app.state.log.read(0, 0, 10)  # type: ignore[attr-defined]
    assert b"ada" not in record.payload


def test_devices_of_one_listener_and_of_two_have_pseudonyms_of_their_own(
    client: TestClient, listen: Callable[[str], App]
) -> None:
    listen("ada").tell(play(), play(device="tablet"), play(device=None))
    listen("bob").tell(play())
    assert len({device for device, _ in logged(client)}) == 4


def test_the_same_action_again_is_the_same_and_the_same_range_on_another_day_is_not(
    client: TestClient, ada: App
) -> None:
    first = ada.tell(play())["timestamp"]
    ada.tell(play(), play(timestamp="2026-11-21T10:00:00Z"))
    assert [action["timestamp"][:10] for action in ada.actions()] == ["2026-11-20", "2026-11-21"]
    assert [action["timestamp"][:10] for action in ada.actions(since=first)] == ["2026-11-21"]
    ids = [action[0] for _, action in logged(client)]
    assert (len(ids), len(set(ids))) == (3, 2)


INSTANTS = {
    "without a zone": "2026-11-20T10:00:00",
    "with Z": "2026-11-20T10:00:00Z",
    "with an offset": "2026-11-20T12:30:00+02:30",
    "with a fraction": "2026-11-20T10:00:00.000Z",
    "with a blank": "2026-11-20 10:00:00",
    "in Unix seconds": AT_MS // 1000,
    "in Unix seconds as text": str(AT_MS // 1000),
}


@pytest.mark.parametrize("timestamp", INSTANTS.values(), ids=INSTANTS)
def test_an_instant_is_understood(client: TestClient, ada: App, timestamp: Any) -> None:
    ada.tell(play(timestamp="2026-11-20T10:00:00"), play(timestamp=timestamp))
    assert spans(client) == [(AT_MS, 0, 60_000)] * 2
    assert [action["timestamp"] for action in ada.actions()] == ["2026-11-20T10:00:00"]


@pytest.mark.parametrize("nothing", [{}, {"timestamp": None}, {"timestamp": ""}])
def test_without_an_instant_it_was_when_it_came_and_a_repetition_is_still_the_same(
    client: TestClient, ada: App, nothing: dict[str, Any]
) -> None:
    told = {name: value for name, value in play().items() if name != "timestamp"} | nothing
    before = now_ms()
    day = datetime.now(UTC).date()
    ada.tell(told)
    ada.tell(told)
    if datetime.now(UTC).date() != day:
        pytest.skip("midnight came in between")
    assert all(before <= at_ms <= now_ms() for at_ms, _, _ in spans(client))
    assert len({action[0] for _, action in logged(client)}) == 1
    assert len(ada.actions()) == 1


@pytest.mark.parametrize("timestamp", ["yesterday", "1970-01-01T00:00:00", "9999-12-31T23:59:59-12:00", {}, 1e300])
def test_an_instant_that_says_nothing_is_kept_for_the_apps_and_not_counted(
    client: TestClient, ada: App, timestamp: Any
) -> None:
    ada.tell(play(timestamp=timestamp))
    [action] = ada.actions()
    assert action["position"] == 60
    assert logged(client) == []


RANGES: dict[str, tuple[dict[str, Any], tuple[int, int] | None]] = {
    "a span": ({"started": 15, "position": 120}, (15_000, 120_000)),
    "fractions": ({"started": 15.9, "position": "120.5"}, (15_000, 120_000)),
    "no total": ({"total": None}, (0, 60_000)),
    "a total that is none": ({"total": -1}, (0, 60_000)),
    "a senseless total": ({"total": "long"}, (0, 60_000)),
    "all minus one": ({"started": -1, "position": -1, "total": -1}, (0, 0)),
    "nothing told": ({"started": None, "position": None, "total": None}, (0, 0)),
    "where it began is not told": ({"started": None, "position": 120}, (0, 0)),
    "a mark as played": ({"started": 600, "position": 600}, None),
    "backwards": ({"started": 120, "position": 15}, None),
}


@pytest.mark.parametrize(("numbers", "span"), RANGES.values(), ids=RANGES)
def test_a_range_is_counted_when_it_is_one_and_kept_anyway(
    client: TestClient, ada: App, numbers: dict[str, Any], span: tuple[int, int] | None
) -> None:
    ada.tell(play(**numbers))
    assert len(ada.actions()) == 1
    assert [action[2:4] for _, action in logged(client)] == ([] if span is None else [span])


def test_without_a_position_no_numbers_are_answered(ada: App) -> None:
    ada.tell(play(-1, -1, total=-1), play(5, -1, total=600, timestamp="2026-11-21T10:00:00"))
    assert [{"started", "position", "total"} & action.keys() for action in ada.actions()] == [set(), set()]


@pytest.mark.parametrize("action", ["download", "delete", "new", "flattr"])
def test_what_is_no_play_is_kept_for_the_apps_and_not_counted(client: TestClient, ada: App, action: str) -> None:
    ada.tell({"podcast": FEED, "episode": EPISODE, "action": action.upper(), "timestamp": "2026-11-20T10:00:00"})
    assert ada.actions() == [
        {"podcast": FEED, "episode": EPISODE, "action": action, "timestamp": "2026-11-20T10:00:00"}
    ]
    assert logged(client) == []


NEVER_KEPT = {
    "no object": "play",
    "no podcast": {"episode": EPISODE, "action": "play"},
    "a podcast that is no address": play(podcast="mine"),
    "no episode": play(episode=None),
    "an action that there is not": play(action="dance"),
    "a position before the beginning": play(position=-7),
    "a position after a week": play(position=700_000),
    "a position that is none": play(position="far"),
    "a position without end": play(position=float("inf")),
    "a NUL": play(episode="https://podcast.example.com/\0.mp3"),
    "half a character": play(episode="https://podcast.example.com/\ud800.mp3"),
    "an endless address": play(episode="https://podcast.example.com/" + "x" * 5000),
}


@pytest.mark.parametrize("bad", NEVER_KEPT.values(), ids=NEVER_KEPT)
def test_an_action_that_cannot_be_kept_does_not_cost_the_others(client: TestClient, ada: App, bad: Any) -> None:
    body = json.dumps([play(), bad, play(timestamp="2026-11-21T10:00:00")])
    assert ada.call("POST", "/api/2/episodes/{user}.json", content=body).status_code == 200
    assert len(ada.actions()) == len(logged(client)) == 2


def test_a_number_of_thousands_of_digits_does_not_cost_the_others(ada: App) -> None:
    body = json.dumps([play(), play(position=7)]).replace('"position": 7', '"position": ' + "7" * 5000)
    assert ada.call("POST", "/api/2/episodes/{user}.json", content=body).status_code == 200
    assert len(ada.actions()) == 1


@pytest.mark.parametrize("body", ["", "nonsense", "{}", "[" * 100_000, "[{}", "[{} {}]", "[{},]", "[] []"])
def test_a_body_that_is_no_list_is_refused(ada: App, body: str) -> None:
    answer = ada.call("POST", "/api/2/episodes/{user}.json", content=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "unreadable")


def test_one_body_has_so_many_actions_and_those_behind_are_left_out(ada: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_ACTIONS", 3)
    ada.tell(*(play(position=second) for second in range(1, 6)))
    assert sorted(action["position"] for action in ada.actions()) == [1, 2, 3]


def test_devices_beyond_what_a_listener_may_have_are_one(client: TestClient, ada: App) -> None:
    told = [play(device=f"d{number}", position=number + 1) for number in range(service.MOST_DEVICES + 3)]
    for _ in range(2):
        ada.tell(*told)
        assert len(ada.get("/api/2/devices/{user}.json")) == service.MOST_DEVICES
        assert sorted(one["position"] for one in ada.actions() if "device" not in one) == [51, 52, 53]
    assert len(ada.actions()) == len({action[0] for _, action in logged(client)}) == 53
    assert len({device for device, _ in logged(client)}) == service.MOST_DEVICES + 1
    assert ada.tell(play(device="d0"))["timestamp"]


def test_devices_are_known_before_their_plays_are_in_the_log(
    client: TestClient, ada: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = client.app.state.log.append  # type: ignore[attr-defined]
    known: list[str] = []

    async def look_first(record: Any) -> None:
        known.extend(device["id"] for device in await run_in_threadpool(ada.get, "/api/2/devices/{user}.json"))
        await append(record)

    monkeypatch.setattr(client.app.state.log, "append", look_first)  # type: ignore[attr-defined]
    ada.tell(play())
    assert known == ["phone"]


def test_one_upload_leaves_places_in_the_logs_queue(
    client: TestClient, ada: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = client.app.state.log.append  # type: ignore[attr-defined]
    waiting: Counter[str] = Counter()

    async def count(record: Any) -> None:
        waiting["now"] += 1
        waiting["most"] = max(waiting["now"], waiting["most"])
        await append(record)
        waiting["now"] -= 1

    monkeypatch.setattr(client.app.state.log, "append", count)  # type: ignore[attr-defined]
    monkeypatch.setattr(action_routes, "ACTIONS_PER_RECORD", 1)
    monkeypatch.setattr("api.events.log.APPENDED_AT_ONCE", 2)
    ada.tell(*(play(position=second) for second in range(1, 8)))
    assert (len(logged(client)), waiting["most"]) == (7, 2)


class TestAllowance:
    """`EARSHOT_EVENTS_PER_MINUTE=2`."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        """Few events."""
        return settings.model_copy(update={"events_per_minute": 2})

    def test_who_sends_more_plays_than_that_is_asked_to_wait(self, client: TestClient, ada: App) -> None:
        path = "/api/2/episodes/{user}.json"
        ada.tell(play(), {**play(), "action": "download"}, {**play(), "action": "new"})
        waiting = ada.call("POST", path, json=[play(position=7), play(position=8)])
        assert (waiting.status_code, waiting.headers["retry-after"]) == (503, "60")
        ada.tell(play(device="tablet", position=9))
        assert [action[3] for _, action in logged(client)] == [60_000, 9_000]

    def test_an_upload_that_is_larger_by_itself_takes_a_whole_minute(self, client: TestClient, ada: App) -> None:
        ada.tell(*(play(position=second) for second in range(1, 6)))
        assert len(logged(client)) == 5
        assert ada.call("POST", "/api/2/episodes/{user}.json", json=[play()]).status_code == 503


def test_a_senseless_device_name_leaves_the_action_without_one(ada: App) -> None:
    ada.tell(play(device="my phone/../x"))
    assert "device" not in ada.actions()[0]
    assert ada.get("/api/2/devices/{user}.json") == []


def test_a_device_that_an_action_names_is_made(ada: App) -> None:
    ada.tell(play(device="tablet"))
    assert [(device["id"], device["type"]) for device in ada.get("/api/2/devices/{user}.json")] == [("tablet", "other")]


def test_changed_addresses_are_told(ada: App) -> None:
    told = play(podcast="HTTPS://Podcast.Example.com/feed.xml#x", episode=f" {EPISODE}")
    assert sorted(ada.tell(told)["update_urls"]) == sorted([[told["podcast"], FEED], [told["episode"], EPISODE]])
    assert (ada.actions()[0]["podcast"], ada.actions()[0]["episode"]) == (FEED, EPISODE)


def test_known_episodes_are_resolved_and_unknown_ones_keep_their_references(
    client: TestClient, engine: Engine, ada: App
) -> None:
    with Session(engine) as session:
        uuid = str(make_episode(session).uuid)
    old = f"http://old.example.com:81/media/{uuid}.mp3?x=1"
    ada.tell(play(episode=old), play(episode=uuid), play(guid=uuid), play())
    assert [(action[4], action[6]) for _, action in logged(client)] == [
        (uuid, old), (uuid, uuid), (uuid, EPISODE), ("", EPISODE),
    ]  # fmt: skip


def test_only_what_is_new_is_given_from_a_number_on(ada: App, listen: Callable[[str], App]) -> None:
    first = ada.tell(play())["timestamp"]
    tablet = listen("ada")
    second = tablet.tell(play(device="tablet", timestamp="2020-01-01T00:00:00"))["timestamp"]
    answer = ada.get("/api/2/episodes/{user}.json", since=first)
    assert ([action["device"] for action in answer["actions"]], answer["timestamp"]) == (["tablet"], second)
    assert ada.actions(since=second) == []
    assert first < second


def test_filters_and_aggregation(ada: App) -> None:
    other = "https://other.example.com/feed.xml"
    ada.tell(play(timestamp="2026-11-21T10:00:00", position=90), play(), play(podcast=other, device="tablet"))
    for address in (other, "HTTPS://Other.Example.com/feed.xml"):
        assert [action["podcast"] for action in ada.actions(podcast=address)] == [other]
    assert [action["podcast"] for action in ada.actions(device="tablet")] == [other]
    assert ada.actions(device="unknown") == []
    latest = {action["podcast"]: action["position"] for action in ada.actions(aggregated="true")}
    assert latest == {FEED: 90, other: 60}


def test_what_one_listener_does_another_never_sees(ada: App, listen: Callable[[str], App]) -> None:
    ada.tell(play())
    assert listen("bob").actions() == []


def test_nothing_is_acknowledged_that_the_log_did_not_take(
    client: TestClient, ada: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_record: Any) -> None:
        raise LogUnavailableError("full")

    with monkeypatch.context() as broken:
        broken.setattr(client.app.state.log, "append", fail)  # type: ignore[attr-defined]
        answer = ada.call("POST", "/api/2/episodes/{user}.json", json=[play()])
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
    assert ada.actions() == []
    ada.tell(play())
    assert len(ada.actions()) == 1


def test_what_the_store_did_not_take_is_told_again_and_recognised(
    client: TestClient, ada: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("down"))

    with monkeypatch.context() as broken:
        broken.setattr(action_routes.actions, "append_actions", fail)
        answer = ada.call("POST", "/api/2/episodes/{user}.json", json=[play()])
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
    ada.tell(play())
    assert len(ada.actions()) == 1
    ids = [action[0] for _, action in logged(client)]
    assert (len(ids), len(set(ids))) == (2, 1)


def test_thousands_at_once_become_records_that_the_worker_takes_one_by_one(client: TestClient, ada: App) -> None:
    ada.tell(*(play(position=second) for second in range(1, 1202)))
    assert len(ada.actions()) == 1201
    assert len(logged(client)) == 1201
    records = client.app.state.log.read(0, 0, 100)  # type: ignore[attr-defined]
    assert len(records) == 3
