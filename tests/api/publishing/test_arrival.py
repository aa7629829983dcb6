"""How late listens arrive: GET /v1/shows/{id}/arrival, and the completeness of each day in the stats."""

from datetime import UTC, date, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session

from api import clock
from models.counting import EpisodeDay, ShowArrival
from models.tables import Show
from tests.api.conftest import People
from tests.factories import make_episode, make_show, make_user

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still."""
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def owner(engine: Engine, people: People) -> People:
    """The same people; the owner's key belongs to the owner of the shows made here."""
    with Session(engine, expire_on_commit=False) as session:
        user, key = make_user(session)
    people.keys["owner"], people.keys["owner id"] = key, str(user.id)
    return people


def put_show(engine: Engine, owner: People, days: int) -> Show:
    """A show whose days bring 100 listens: 60 at hour 10, 30 at hour 30, 10 four days later; watched for so long."""
    with Session(engine, expire_on_commit=False) as session:
        show = make_show(session)
        show.owner_id = int(owner.keys["owner id"])
        episode = make_episode(session, show)
        for age in range(days + 1):
            arrived = {lag: n for lag, n in ((10, 60), (30, 30), (96, 10)) if lag < age * 24 + 12}
            day = TODAY - timedelta(days=age)
            session.add_all(
                ShowArrival(show_id=show.id, day=day, lag_hours=lag, starts=n, listens=n, heard_seconds=n)
                for lag, n in arrived.items()
            )
            session.add(put_day(episode.id, day, sum(arrived.values())))
        session.commit()
        return show


def put_day(episode_id: int, day: date, listens: int) -> EpisodeDay:
    """What was counted of an episode on a day."""
    return EpisodeDay(
        episode_id=episode_id,
        day=day,
        starts=listens,
        listens=listens,
        offline_listens=0,
        completions=0,
        heard_seconds=listens * 60,
    )


def test_a_day_says_how_much_of_it_has_arrived(owner: People, engine: Engine) -> None:
    show = put_show(engine, owner, days=60)
    rows = owner.call("owner", "GET", f"/v1/shows/{show.uuid}/stats").json()["rows"]
    today, yesterday, week_old = (rows[-1 - age]["completeness"] for age in (0, 1, 7))
    assert today["share"] == pytest.approx(0.6, abs=0.02)
    assert yesterday["share"] == pytest.approx(0.9, abs=0.02)
    assert yesterday["expected_listens"] == pytest.approx(100, abs=3)
    assert rows[-2]["listens"] == 90 <= yesterday["low"] <= 100 <= yesterday["high"] < 120
    assert (today["is_provisional"], yesterday["is_provisional"], week_old["is_provisional"]) == (True, True, False)


def test_without_enough_history_a_days_completeness_is_null(owner: People, engine: Engine) -> None:
    show = put_show(engine, owner, days=12)
    rows = owner.call("owner", "GET", f"/v1/shows/{show.uuid}/stats").json()["rows"]
    assert rows[-2]["listens"] == 90
    assert [row["completeness"] for row in rows] == [None] * 30


def test_a_row_by_episode_is_as_it_was(owner: People, engine: Engine) -> None:
    show = put_show(engine, owner, days=60)
    (row,) = owner.call("owner", "GET", f"/v1/shows/{show.uuid}/stats?by=episode").json()["rows"]
    assert set(row) == {"episode_id", "starts", "listens", "offline_listens", "completions", "heard_seconds"}


def test_the_distribution_of_lags_tells_when_a_day_can_be_trusted(owner: People, engine: Engine) -> None:
    show = put_show(engine, owner, days=60)
    answer = owner.call("owner", "GET", f"/v1/shows/{show.uuid}/arrival")
    assert answer.status_code == 200
    body = answer.json()
    assert body["reference_days"] == 56
    assert (body["median_lag_hours"], body["p90_lag_hours"], body["p99_lag_hours"]) == (10.8, 31.0, 117.6)
    shares = {point["lag_hours"]: point["share"] for point in body["points"]}
    assert (shares[0], shares[11], shares[31], shares[96], shares[120]) == (0, 0.6, 0.9, 0.9, 1)
    assert body["points"][-1]["lag_hours"] == 120


def test_without_enough_history_there_is_no_distribution(owner: People, engine: Engine) -> None:
    show = put_show(engine, owner, days=12)
    assert owner.call("owner", "GET", f"/v1/shows/{show.uuid}/arrival").json() == {
        "reference_days": 0,
        "listens": 0,
        "median_lag_hours": None,
        "p90_lag_hours": None,
        "p99_lag_hours": None,
        "points": [],
    }


@pytest.mark.parametrize(("who", "status"), [("other", 404), ("admin", 200), ("advertiser", 403), ("nobody", 401)])
def test_only_the_owner_and_admins_see_a_shows_lags(owner: People, engine: Engine, who: str, status: int) -> None:
    show = put_show(engine, owner, days=0)
    assert owner.call(who, "GET", f"/v1/shows/{show.uuid}/arrival").status_code == status


def test_the_reference_describes_completeness(client: TestClient) -> None:
    reference = client.get("/openapi.json").json()
    fields = reference["components"]["schemas"]["CompletenessOut"]["properties"]
    assert set(fields) == {"share", "expected_listens", "low", "high", "is_provisional"}
    assert set(reference["paths"]["/v1/shows/{show_id}/arrival"]["get"]["responses"]) == {
        "200", "401", "403", "404", "422",
    }  # fmt: skip
