"""The Pipeline page, as an admin's browser gets it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
import streamlit as st
from sqlalchemy import Engine
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

import dashboard
from api.measurement.causes import Cause
from dashboard import calls, pipeline_charts, pipeline_strip, pipeline_tables, session
from dashboard.calls import Answer
from dashboard.pipeline_causes import CAUSES, text_of
from dashboard.pipeline_data import Lag
from models.conservation import DayBalance
from models.counting import ArrivalDay, DeviceLog, PipelineDay, SetAside
from models.tables import Role
from tests.dashboard.conftest import end_sessions, put_session, put_user
from tests.factories import make_episode

SCRIPT = Path(dashboard.__file__).parent / "app.py"
TODAY = datetime.now(UTC).date()
NOW_MS = int(datetime.now(UTC).timestamp() * 1000)
LAG = {
    "as_of_ms": NOW_MS,
    "folded": 1000,
    "partitions": [
        {"partition": 0, "next_offset": 7, "end_offset": 7, "records_behind": 0, "oldest_waiting_ms": 0,
         "last_step_ms": NOW_MS - 3000},
    ],
}  # fmt: skip


class Api:
    """Stands for the API: answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.lag = Answer(200, LAG)
        self.replay = Answer(202, {"replayed": 3})
        self.writes: list[tuple[str, str, Any]] = []

    def ask(self, method: str, path: str, json: Any = None) -> Answer:
        """What `calls.ask` gives."""
        if method == "GET":
            return self.lag
        self.writes.append((method, path, json))
        return self.replay


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    """The API, as the page reaches it."""
    api = Api()
    monkeypatch.setattr(calls, "ask", api.ask)
    return api


@pytest.fixture
def admin(dashboard_store: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An admin whose browser is signed in; the store."""
    put_session(dashboard_store, put_user(dashboard_store, Role.ADMIN), "token")
    monkeypatch.setattr(session, "token", lambda: "token")
    return dashboard_store


def put(engine: Engine, *rows: object) -> None:
    """Rows as the worker would leave them."""
    with Session(engine) as store_session:
        store_session.add_all(rows)
        store_session.commit()


def put_traffic(engine: Engine, *, arrived: int = 900) -> None:
    """A day on which 900 events counted, 60 were repetitions and 3 could not count."""
    with Session(engine) as store_session:
        episode_id = make_episode(store_session).id
    put(
        engine,
        PipelineDay(received_day=TODAY, kind="event", outcome="counted", events=900),
        PipelineDay(received_day=TODAY, kind="event", outcome="duplicate", events=60),
        PipelineDay(received_day=TODAY, kind="event", outcome="unknown_episode", events=3),
        PipelineDay(received_day=TODAY, kind="hit", outcome="counted", events=12),
        ArrivalDay(episode_id=episode_id, received_day=TODAY, day=TODAY, events=arrived, starts=1, listens=1,
                   heard_seconds=1, last_received_ms=NOW_MS),
        *(aside(number) for number in range(3)),
    )  # fmt: skip


def aside(number: int, cause: str = "unknown_episode", **event: Any) -> SetAside:
    """An event that was set aside today."""
    payload = event or {
        "seq": number, "kind": "progress", "episode": f"episode-{number}", "session": "s", "at_ms": NOW_MS,
        "from_ms": 0, "to_ms": 60_000, "wall_ms": 60_000, "offline": False,
    }  # fmt: skip
    return SetAside(
        event_id=bytes([number]) * 32, cause=cause, device=b"\xab" * 16, received_at_ms=NOW_MS,
        payload=json.dumps(payload),
    )  # fmt: skip


def run() -> AppTest:
    """One run of the page alone; who may open it is the frame's business."""

    def script() -> None:
        from dashboard.app_pages import pipeline

        pipeline.render()

    return AppTest.from_function(script, default_timeout=60).run()


def words(app: AppTest) -> str:
    """All text of the page."""
    elements = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.success, *app.error, *app.get("html")]
    return "\n".join(str(getattr(element, "value", None) or element.proto.body) for element in elements)


@pytest.mark.usefixtures("api")
def test_an_empty_store_says_so_in_sentences(admin: Engine) -> None:
    app = run()
    assert not app.exception
    text = words(app)
    assert "No event has come in during the last 28 days" in text
    assert "Nothing is set aside" in text
    assert "what every device told fits together" in text
    assert "Nobody has asked for audio" in text
    assert not app.dataframe


@pytest.mark.usefixtures("api")
def test_a_day_s_events_add_up_and_are_checked(admin: Engine) -> None:
    put_traffic(admin)
    app = run()
    assert not app.exception
    assert "Every event of these 28 days is accounted for" in words(app)
    newest = app.dataframe[0].value.iloc[0].to_dict()
    assert newest == {"day": TODAY, "received": 963, "counted": 900, "duplicate": 60, "aside": 3, "check": "✓"}


@pytest.mark.usefixtures("api")
def test_a_day_that_another_table_contradicts_is_named(admin: Engine) -> None:
    put_traffic(admin, arrived=901)
    app = run()
    assert "1 day does not hold" in words(app)
    assert app.dataframe[0].value["check"].iloc[0] == "✗ 901 in arrivals"


@pytest.mark.usefixtures("api")
def test_a_cause_says_what_it_means_and_shows_samples(admin: Engine) -> None:
    put_traffic(admin)
    put(
        admin,
        aside(9, "undecodable", record="c0ffee"),
        PipelineDay(received_day=TODAY, kind="record", outcome="undecodable", events=1),
    )
    app = run()
    text = words(app)
    assert "**Unknown episode** · 3 events" in text
    assert "not in the catalogue" in text
    assert "**Undecodable** · 1 event" in text
    known, unreadable = app.dataframe[1].value, app.dataframe[2].value
    assert set(known["episode"]) == {"episode-0", "episode-1", "episode-2"}
    assert set(known["device"]) == {"abababab"}
    assert "c0ffee" in unreadable["record"].iloc[0]
    assert [button.key for button in app.button] == ["replay-unknown_episode"], "the other cause cannot go away"


def test_a_replay_is_asked_of_the_api_and_its_answer_told_once(admin: Engine, api: Api) -> None:
    put_traffic(admin)
    app = run()
    assert api.writes == []
    app.button(key="replay-unknown_episode").click().run()
    assert api.writes == [("POST", "/v1/pipeline/replay", {"cause": "unknown_episode"})]
    assert "3 events are with the worker" in words(app)
    app.run()
    assert "with the worker" not in words(app)


def test_a_replay_that_finds_nothing_to_count_says_so(admin: Engine, api: Api) -> None:
    put_traffic(admin)
    api.replay = Answer(202, {"replayed": 0})
    app = run()
    app.button(key="replay-unknown_episode").click().run()
    assert [info.value for info in app.info] == ["Nothing to count: the cause is not gone for any of these events."]


def test_a_replay_that_is_refused_says_why(admin: Engine, api: Api) -> None:
    put_traffic(admin)
    api.replay = Answer(403, {"error": "forbidden", "message": "This needs the role admin."})
    app = run()
    app.button(key="replay-unknown_episode").click().run()
    assert [error.value for error in app.error] == ["This needs the role admin."]


@pytest.mark.usefixtures("api")
def test_devices_with_gaps_or_forks_are_listed(admin: Engine) -> None:
    gap = json.dumps([[2, 4, "a", "b"]])
    put(
        admin,
        DeviceLog(device=b"\x01" * 16, last_seq=9, last_id=b"i" * 32, missing=gap, is_broken=False, is_forked=True,
                  last_received_ms=NOW_MS),
    )  # fmt: skip
    app = run()
    assert "1 device: 1 with gaps, 1 forked" in words(app)
    row = app.dataframe[0].value.iloc[0].to_dict()
    assert (row["device"], row["trouble"], row["missing"], row["last_seq"]) == ("01010101", "fork, gap", 3, 9)


def test_the_page_works_while_the_api_does_not(admin: Engine, api: Api) -> None:
    put_traffic(admin)
    api.lag = calls.NO_ANSWER
    app = run()
    assert not app.exception
    assert "The API does not answer" in words(app)
    assert "Every event of these 28 days" in words(app)


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("role", list(Role))
def test_only_an_admin_s_frame_has_the_page(
    dashboard_store: Engine, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    put_session(dashboard_store, put_user(dashboard_store, role), "token")
    monkeypatch.setattr(session, "token", lambda: "token")
    framed: list[str] = []
    navigation = st.navigation

    def watch(pages: Any, **how: Any) -> Any:
        framed.extend(page.title for section in pages.values() for page in section)
        return navigation(pages, **how)

    monkeypatch.setattr(st, "navigation", watch)
    assert not AppTest.from_file(str(SCRIPT), default_timeout=60).run().exception
    assert ("Pipeline" in framed) == (role == Role.ADMIN)


@pytest.mark.parametrize("role", [Role.CREATOR, None])
def test_an_open_page_stops_when_its_reader_is_no_admin_any_more(
    admin: Engine, api: Api, monkeypatch: pytest.MonkeyPatch, role: Role | None
) -> None:
    end_sessions(admin)
    if role:
        put_session(admin, put_user(admin, role), "token")
    reruns: list[str] = []

    def rerun(scope: str) -> NoReturn:
        reruns.append(scope)
        st.stop()

    monkeypatch.setattr(st, "rerun", rerun)
    run()
    assert reruns == ["app"]


def test_every_cause_has_its_words() -> None:
    assert set(CAUSES) == set(Cause)
    assert text_of("quite_new").title == "Quite new"


def lag(**parts: Any) -> Lag:
    """Nothing waits, unless told otherwise."""
    usual = {"records_behind": 0, "oldest_waiting_ms": 0, "last_step_ms": NOW_MS - 3000, "positions": [(0, 7, 7)]}
    return Lag(**{**usual, **parts})


def test_the_strip_says_how_much_waits_for_how_long_and_how_fast_it_goes() -> None:
    text = pipeline_strip.strip(
        lag(records_behind=1234, oldest_waiting_ms=12_000, positions=[(0, 7, 1241)]), 200.0, NOW_MS
    )
    assert "<b>1,234</b> records wait, for 12 s" in text
    assert "<b>12,000</b> events a minute" in text
    assert "Offset 7 of 1,241" in text
    assert "Last step 3 s ago" in text
    assert "es-late" not in text
    assert "es-late" in pipeline_strip.strip(lag(records_behind=1, oldest_waiting_ms=60_000), 0.0, NOW_MS)


def test_the_strip_of_a_worker_that_keeps_up_or_never_ran() -> None:
    assert "Nothing waits to be counted" in pipeline_strip.strip(lag(), None, NOW_MS)
    assert "measuring the rate" in pipeline_strip.strip(lag(), None, NOW_MS)
    assert "The worker has never run" in pipeline_strip.strip(lag(last_step_ms=None), None, NOW_MS)
    two = pipeline_strip.strip(lag(positions=[(0, 7, 7), (1, 5, 9)]), None, NOW_MS)
    assert "Offset 0: 7 of 7, 1: 5 of 9" in two


def test_the_rate_is_that_of_the_last_minute() -> None:
    readings: list[tuple[int, int]] = []
    assert pipeline_strip.rate(readings) is None
    for second in range(0, 101, 2):
        folded = 5000 + max(0, second - 40) * 10
        readings = pipeline_strip.newest([*readings, (second * 1000, folded)])
        if second == 2:
            assert pipeline_strip.rate(readings) is None, "too close together to tell"
    assert (readings[0][0], readings[-1][0]) == (40_000, 100_000)
    assert pipeline_strip.rate(readings) == 10


def test_readings_of_another_store_are_forgotten() -> None:
    assert pipeline_strip.newest([(0, 900), (2000, 950), (4000, 10)]) == [(4000, 10)]


def test_the_columns_stack_counted_duplicates_and_set_aside() -> None:
    days = [DayBalance(TODAY - timedelta(days=1)), DayBalance(TODAY, 900, 60, {"too_late": 2, "erased": 1})]
    figure = pipeline_charts.outcomes_per_day(days)
    assert [(bar.name, list(bar.y)) for bar in figure.data] == [
        ("Counted", [0, 900]),
        ("Duplicates", [0, 60]),
        ("Set aside", [0, 3]),
    ]
    assert figure.layout.barmode == "stack"


def test_the_check_says_which_table_differs() -> None:
    day = DayBalance(TODAY, 900, 0, {"too_late": 5, "erased": 7}, arrived=900, kept=4)
    assert pipeline_tables.check(day) == "✗ 4 of 5 set aside are kept"
