"""Pacing, exhausted campaigns and forecasts, over HTTP and in the housekeeping."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, select

from api import exhausting
from models.advertising import Campaign, HeldDay, Placement
from models.counting import EpisodeDay
from models.downloads import HitOutcome
from models.tables import Episode
from models.webhooks import WebhookEvent
from tests.api.advertising.conftest import Market, day, today


def pacing(market: Market, campaign: dict[str, Any], who: str = "admin") -> dict[str, Any]:
    """How the campaign gets on."""
    return dict(market.call(who, "GET", f"/v1/campaigns/{campaign['id']}/pacing").json())


@pytest.fixture
def campaign(market: Market) -> dict[str, Any]:
    """Twenty days behind it, eleven with today before it; it pays for 3,100 impressions, a hundred a day."""
    return market.campaign(budget_cents=6200)


def test_an_even_plan_is_what_a_campaign_is_measured_by(market: Market, campaign: dict[str, Any]) -> None:
    placement = market.placement(campaign)
    for offset in range(-20, 0):
        market.count(placement, offset, delivered=130, started=120, confirmed=100, offline_confirmed=20)
    market.count(placement, 0, delivered=15, confirmed=10)
    found = pacing(market, campaign)
    assert (found["planned_impressions"], found["planned_so_far"], found["billable_so_far"]) == (3100, 2000, 2000)
    assert (found["state"], found["pace"], found["billable"], found["spent_cents"]) == ("on_track", 100, 2010, 4020)
    assert (found["projected_impressions"], found["projected_end"]) == (3100, day(10))
    assert (found["will_exhaust"], found["budget_share"], found["exhausted_at"]) == (True, 0.6484, None)
    assert len(found["days"]) == 21
    assert found["days"][1] == {
        "day": day(-19),
        "delivered": 130,
        "confirmed": 100,
        "offline_confirmed": 20,
        "billable": 100,
        "planned": 200,
        "billable_so_far": 200,
    }


@pytest.mark.parametrize(
    ("a_day", "state", "projected", "end"),
    [(50, "behind", 1550, None), (95, "on_track", 2945, None), (150, "ahead", 3100, 0), (105, "on_track", 3100, 9)],
)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_pace_of_the_last_week_leads_somewhere(
    market: Market, campaign: dict[str, Any], a_day: int, state: str, projected: int, end: int | None
) -> None:
    placement = market.placement(campaign)
    for offset in range(-20, 0):
        market.count(placement, offset, confirmed=a_day)
    found = pacing(market, campaign)
    assert (found["state"], found["projected_impressions"]) == (state, projected)
    assert found["projected_end"] == (None if end is None else day(end))
    assert found["will_exhaust"] == (end is not None)


def test_what_is_held_or_beyond_a_cap_is_not_billed(market: Market) -> None:
    campaign = market.campaign(budget_cents=100_000, daily_cap=50)
    placement = market.placement(campaign)
    market.count(placement, -2, confirmed=70)
    market.count(placement, -1, confirmed=60)
    with Session(market.engine) as session:
        row = session.exec(select(Placement)).one()
        flag = {"kind": "confirmed", "state": "open", "rule": "farm", "number": 15}
        session.add(HeldDay(episode_id=row.episode_id, placement_id=row.id, day=today() - timedelta(days=1), **flag))
        session.commit()
    found = pacing(market, campaign)
    assert (found["billable"], found["held"], found["unbilled"], found["spent_cents"]) == (95, 15, 20, 190)


def test_a_campaign_of_the_future_has_no_days(market: Market) -> None:
    found = pacing(market, market.campaign(from_day=day(2)))
    assert (found["state"], found["days"], found["pace"], found["planned_so_far"]) == ("upcoming", [], 0, 0)


def test_an_advertiser_is_told_whole_fifties(market: Market, campaign: dict[str, Any]) -> None:
    placement = market.placement(campaign)
    for offset, confirmed in ((-4, 30), (-3, 30), (-2, 39), (-1, 1)):
        market.count(placement, offset, delivered=confirmed, confirmed=confirmed)
    found = pacing(market, campaign, "mine")
    assert [row["confirmed"] for row in found["days"][-5:]] == [None, 50, None, 50, None]
    assert [row["billable_so_far"] for row in found["days"][-5:]] == [0, 50, 50, 100, 100]
    assert (found["billable"], found["spent_cents"]) == (100, 200)
    before = pacing(market, campaign, "mine")
    market.count(placement, 0, delivered=49, confirmed=49)
    assert pacing(market, campaign, "mine") == before, "49 more cannot be told from none"


def test_budgets_and_caps_do_not_tell_single_impressions(market: Market) -> None:
    """An advertiser who changes her limits and looks when the campaign is spent learns whole fifties only."""

    seconds = count(0, 1000)

    def told(confirmed: int) -> list[Any]:
        campaign, start_ms = market.campaign(price_cents=1000, budget_cents=50), next(seconds)
        placement = market.placement(campaign, start_ms=start_ms, end_ms=start_ms + 1000)
        market.count(placement, -1, confirmed=confirmed)
        path, seen = f"/v1/campaigns/{campaign['id']}", []
        for budget in (*range(50, 60), 99, 100, 101, 149, 150):
            market.call("mine", "PATCH", path, {"budget_cents": budget})
            found = pacing(market, campaign, "mine")
            seen.append((budget, found["state"], found["spent_cents"], found["will_exhaust"]))
        return seen

    assert told(51) == told(99)
    assert told(99) != told(100)


def test_somebody_else_s_pacing_is_not_there(market: Market, campaign: dict[str, Any]) -> None:
    path = f"/v1/campaigns/{campaign['id']}/pacing"
    seen = {who: market.call(who, "GET", path).status_code for who in ("mine", "admin", "rival", "owner", "nobody")}
    assert seen == {"mine": 200, "admin": 200, "rival": 404, "owner": 403, "nobody": 401}


# -- exhausted -------------------------------------------------------------------------------------------------------


def events(market: Market) -> list[WebhookEvent]:
    """All that was told of campaigns."""
    with Session(market.engine) as session:
        return list(session.exec(select(WebhookEvent).where(WebhookEvent.kind == "campaign.exhausted")))


def test_a_spent_budget_is_told_once_and_once_more_after_it_was_raised(market: Market) -> None:
    spent, running = market.campaign(budget_cents=200), market.campaign()
    placement = market.placement(spent)
    market.placement(running, start_ms=0, end_ms=1000)
    now = datetime.now(UTC)
    market.count(placement, -1, confirmed=99)
    assert exhausting.look(market.engine, now) == 0
    market.count(placement, 0, confirmed=1)
    assert [exhausting.look(market.engine, now) for _ in range(2)] == [1, 0]
    (event,) = events(market)
    assert (str(event.subject_uuid), json.loads(event.payload)["spent_cents"]) == (spent["id"], 200)
    with Session(market.engine) as session:
        assert len(json.loads(event.audience)) == 1, "the advertiser's member"
        bought = session.exec(select(Campaign).where(Campaign.uuid == UUID(spent["id"]))).one()
        assert bought.exhausted_at == now
    path = f"/v1/campaigns/{spent['id']}"
    assert market.call("mine", "GET", path).json()["state"] == pacing(market, spent)["state"] == "exhausted"
    assert market.call("mine", "PATCH", path, {"budget_cents": 400}).json()["exhausted_at"] is None
    assert exhausting.look(market.engine, now) == 0
    market.count(placement, 1, confirmed=100)
    assert exhausting.look(market.engine, now + timedelta(days=1)) == 1
    assert len(events(market)) == 2


def test_a_budget_that_turns_out_to_be_spent_is_told_at_once_and_in_fifties(market: Market) -> None:
    campaign = market.campaign(budget_cents=348)
    placement, path = market.placement(campaign), f"/v1/campaigns/{campaign['id']}"
    market.count(placement, 0, confirmed=120)
    assert market.call("mine", "PATCH", path, {"budget_cents": 240}).status_code == 409
    assert market.call("mine", "PATCH", path, {"budget_cents": 346}).json()["state"] == "running"
    market.count(placement, -1, confirmed=43)
    changed = market.call("mine", "PATCH", path, {"budget_cents": 348}).json()
    (event,) = events(market)
    payload = json.loads(event.payload)
    assert (changed["state"], payload["impressions"], payload["spent_cents"]) == ("exhausted", 150, 300)
    assert exhausting.look(market.engine, datetime.now(UTC)) == 0


def test_held_impressions_do_not_exhaust_a_campaign(market: Market) -> None:
    campaign = market.campaign(budget_cents=200)
    market.count(market.placement(campaign), 0, confirmed=120)
    with Session(market.engine) as session:
        row = session.exec(select(Placement)).one()
        flag = {"kind": "confirmed", "state": "open", "rule": "farm", "number": 30}
        session.add(HeldDay(episode_id=row.episode_id, placement_id=row.id, day=today(), **flag))
        session.commit()
    assert exhausting.look(market.engine, datetime.now(UTC)) == 0
    with Session(market.engine) as session:
        session.delete(session.exec(select(HeldDay)).one())
        session.commit()
    assert exhausting.look(market.engine, datetime.now(UTC)) == 1


# -- forecasts -------------------------------------------------------------------------------------------------------


def remember(market: Market, days: int, listens: int, downloads: int) -> None:
    """A history of the usual episode, the same every day."""
    with Session(market.engine) as session:
        episode = session.exec(select(Episode).where(Episode.uuid == UUID(market.episode))).one()
        for back in range(1, days + 1):
            on = today() - timedelta(days=back)
            heard = {"starts": listens, "listens": listens, "offline_listens": 0, "completions": 0, "heard_seconds": 0}
            session.add(EpisodeDay(episode_id=episode.id, day=on, **heard))
            hits = {"outcome": "download", "hits": downloads, "sent_bytes": 0}
            session.add(HitOutcome(episode_id=episode.id, day=on, **hits))
        session.commit()


def test_a_forecast_has_its_range_and_its_method(market: Market) -> None:
    remember(market, 75, 100, 300)
    path = f"/v1/shows/{market.show}/forecast?from={day(1)}&to={day(7)}&covers=all"
    found = market.call("owner", "GET", path).json()
    assert (found["from_day"], found["to_day"], found["covers"], found["level"]) == (
        day(1),
        day(7),
        "all_episodes",
        0.8,
    )
    assert (found["confirmed"]["expected"], found["delivered"]["expected"]) == (700, 2100)
    assert found["confirmed"]["low"] < 700 < found["confirmed"]["high"]
    assert "median" in found["method"]
    assert market.call("admin", "GET", path).json() == found
    guarded = market.call("mine", "GET", path).json()
    assert [guarded["confirmed"][name] % 50 for name in ("expected", "low", "high")] == [0, 0, 0]
    alone = market.call("owner", "GET", f"{path}&episode={market.episode}").json()
    assert (alone["covers"], alone["confirmed"]["expected"]) == ("episode", 700)
    assert [market.call(who, "GET", path).status_code for who in ("other", "nobody")] == [404, 401]


def test_too_little_history_is_said_so(market: Market) -> None:
    remember(market, 20, 100, 300)
    found = market.call("owner", "GET", f"/v1/shows/{market.show}/forecast?covers=all").json()
    assert (found["confirmed"], found["delivered"]) == (None, None)
    assert "Not enough history yet: 28 days need 62 days of listening" in found["confirmed_reason"]
    assert found["to_day"] == day(28)


def test_few_listeners_are_not_told_to_advertisers(market: Market) -> None:
    remember(market, 75, 7, 300)
    path = f"/v1/shows/{market.show}/forecast?from={day(1)}&to={day(7)}&covers=all"
    assert market.call("owner", "GET", path).json()["confirmed"]["expected"] == 49
    found = market.call("mine", "GET", path).json()
    assert found["confirmed"] is None
    assert "Fewer than 50" in found["confirmed_reason"]
    assert found["delivered"]["expected"] == 2100


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        (f"from={day(0)}", 422, "not in the future"),
        (f"from={day(5)}&to={day(4)}", 422, "Swap them"),
        (f"to={day(400)}", 422, "at most 366 days"),
        ("start_ms=5", 422, "together"),
        ("start_ms=5&end_ms=6", 422, "at least one second"),
        ("start_ms=0&end_ms=700000", 422, "over after 600000 ms"),
        ("episode=00000000-0000-0000-0000-000000000000", 404, "no such public episode"),
        ("covers=some", 422, "covers"),
    ],
)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_question_that_makes_no_sense_is_refused(market: Market, query: str, status: int, says: str) -> None:
    answer = market.call("admin", "GET", f"/v1/shows/{market.show}/forecast?{query}")
    assert answer.status_code == status
    assert says in answer.json()["message"]
