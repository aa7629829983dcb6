"""Placements over HTTP: where an ad may stand, and what happens to it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, select

from models.advertising import Placement
from models.counting import Playback
from models.tables import Episode
from tests.api.advertising.conftest import Market, day, today
from tests.factories import make_episode


def refusal(answer: Any) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, answer.json()["error"]


def published(offset: int) -> datetime:
    """The first instant of the day so many days from today."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0) + timedelta(days=offset)


def test_a_placement_reads_as_it_was_made(market: Market) -> None:
    campaign = market.campaign()
    made = market.placement(campaign, from_day=day(1), to_day=day(3))
    assert {name: made[name] for name in market.spot()} == market.spot()
    assert (made["from_day"], made["to_day"], made["is_counted_back"]) == (day(1), day(3), False)
    assert (made["show"], made["episode"], made["creative"]) == ("The Quiet Hour", "Night Trains", None)
    found = market.call("mine", "GET", f"/v1/campaigns/{campaign['id']}/placements").json()
    assert found == {"items": [made], "total": 1}


def test_without_days_it_runs_from_today_to_the_end_of_the_campaign(market: Market) -> None:
    made = market.placement(market.campaign())
    assert (made["from_day"], made["to_day"]) == (day(0), day(10))
    later = market.placement(market.campaign(from_day=day(5)), start_ms=0, end_ms=1000)
    assert (later["from_day"], later["to_day"]) == (day(5), day(10))


def test_a_whole_show_needs_no_episode(market: Market) -> None:
    made = market.placement(market.campaign(), episode_id=None)
    assert (made["episode_id"], made["episode"], made["counting"]) == (None, None, "current")


REFUSED: dict[str, tuple[dict[str, Any], tuple[int, str], str]] = {
    "beyond the end": ({"start_ms": 590_000, "end_ms": 600_001}, (422, "beyond_end"), "over after 600000 ms"),
    "under a second": ({"start_ms": 1000, "end_ms": 1999}, (422, "too_short"), "at least 2000"),
    "backwards": ({"start_ms": 5000, "end_ms": 1000}, (422, "too_short"), "at least 6000"),
    "before the campaign": ({"from_day": day(-21)}, (422, "in_the_past"), "count-back"),
    "yesterday": ({"from_day": day(-1)}, (422, "in_the_past"), "count-back"),
    "after the campaign": ({"to_day": day(11)}, (422, "outside_campaign"), f"{day(-20)} to {day(10)}"),
    "days the wrong way round": ({"from_day": day(3), "to_day": day(2)}, (422, "bad_days"), "Swap them"),
    "before the recording begins": ({"start_ms": -1}, (422, "invalid"), "start_ms"),
    "a position with a fraction": ({"end_ms": 90_000.5}, (422, "invalid"), "end_ms"),
    "a position as text": ({"end_ms": "90000"}, (422, "invalid"), "end_ms"),
}


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("fields", "refused", "says"), REFUSED.values(), ids=REFUSED)
def test_it_refuses_and_says_what_to_do(
    market: Market, fields: dict[str, Any], refused: tuple[int, str], says: str
) -> None:
    campaign = market.campaign()
    answer = market.place(campaign, **fields)
    assert refusal(answer) == refused
    assert says in answer.json()["message"]
    assert market.call("mine", "GET", f"/v1/campaigns/{campaign['id']}/placements").json()["total"] == 0


def test_the_last_second_of_a_recording_is_a_place(market: Market) -> None:
    assert market.placement(market.campaign(), start_ms=599_000, end_ms=600_000)["end_ms"] == 600_000


def test_an_episode_belongs_to_its_show(market: Market) -> None:
    with Session(market.engine) as session:
        elsewhere = str(make_episode(session).uuid)
    campaign = market.campaign()
    assert refusal(market.place(campaign, episode_id=elsewhere)) == (422, "episode_of_another_show")
    assert market.place(campaign, episode_id=market.show).status_code == 404
    assert market.place(campaign, show_id=market.episode).status_code == 404


def test_what_is_not_public_is_not_there_for_advertisers(market: Market) -> None:
    campaign, draft = market.campaign(), market.add_episode(published_at=None)
    soon = market.add_episode(published_at=published(3))
    for hidden in (draft, soon):
        assert market.place(campaign, episode_id=hidden).status_code == 404
        assert market.place(campaign, "admin", episode_id=hidden).status_code == 201
    silent = market.add_episode(duration_ms=None)
    answer = market.place(campaign, episode_id=silent)
    assert refusal(answer) == (422, "beyond_end")
    assert "no recording yet" in answer.json()["message"]


def test_a_whole_show_is_checked_against_the_recordings_it_is_in(market: Market) -> None:
    campaign = market.campaign()
    at = {"episode_id": None, "start_ms": 300_000, "end_ms": 330_000}
    # No recording yet that it is in: the longest one tells what is usual.
    assert refusal(market.place(campaign, episode_id=None, start_ms=600_000, end_ms=630_000)) == (422, "beyond_end")
    short = market.add_episode(duration_ms=200_000, published_at=published(0))
    answer = market.place(campaign, **at)
    assert refusal(answer) == (422, "beyond_end")
    assert "single episodes" in answer.json()["message"]
    with Session(market.engine) as session:
        session.exec(select(Episode).where(Episode.uuid == UUID(short))).one().first_published_at = published(-30)
        session.commit()
    assert market.place(campaign, **at).status_code == 201


def test_how_long_a_draft_is_does_not_show_in_refusals(market: Market) -> None:
    market.add_episode(duration_ms=200_000, published_at=None)
    market.add_episode(duration_ms=700_000, published_at=published(3))
    campaign = market.campaign()
    answer = market.place(campaign, episode_id=None, start_ms=650_000, end_ms=660_000)
    assert refusal(answer) == (422, "beyond_end")
    assert "over after 600000 ms" in answer.json()["message"]
    at = {"episode_id": None, "start_ms": 300_000, "end_ms": 330_000}
    assert "over after 200000 ms" in market.place(campaign, "admin", **at).json()["message"]
    assert market.place(campaign, **at).status_code == 201


# -- beside other ads ------------------------------------------------------------------------------------------------

BESIDE = {
    "the same": ({}, True),
    "one millisecond of it": ({"start_ms": 89_999, "end_ms": 100_000}, True),
    "around it": ({"start_ms": 0, "end_ms": 200_000}, True),
    "right behind it": ({"start_ms": 90_000, "end_ms": 100_000}, False),
    "right before it": ({"start_ms": 50_000, "end_ms": 60_000}, False),
    "on its last day": ({"from_day": day(5), "to_day": day(8)}, True),
    "the day after": ({"from_day": day(6), "to_day": day(8)}, False),
    "the days before": ({"from_day": day(0), "to_day": day(1)}, False),
    "another episode": ({"episode_id": "another"}, False),
    "the whole show, which is younger": ({"episode_id": None}, False),
}


@pytest.mark.parametrize(("fields", "is_refused"), BESIDE.values(), ids=BESIDE)
def test_no_two_ads_take_the_same_seconds_on_the_same_days(
    market: Market, fields: dict[str, Any], is_refused: bool
) -> None:
    if fields.get("episode_id") == "another":
        fields = {"episode_id": market.add_episode()}
    market.placement(market.campaign(), from_day=day(2), to_day=day(5))
    for who in ("mine", "rival"):
        answer = market.place(market.campaign(who), who, **fields)
        if is_refused:
            assert refusal(answer) == (409, "overlap")
            assert f"from 60000 to 90000 ms, on {day(2)} to {day(5)}" in answer.json()["message"]
            assert ("Teas" in answer.json()["message"]) == (who == "mine"), "who else advertises is not told"
        else:
            assert answer.status_code == 201, answer.text
            break


def test_a_whole_show_and_its_episodes_are_the_same_recordings(market: Market) -> None:
    young, old = market.add_episode(published_at=published(0)), market.add_episode(published_at=published(-1))
    draft = market.add_episode(published_at=None)
    campaign = market.campaign()
    whole = market.placement(campaign, episode_id=None)
    assert refusal(market.place(campaign, episode_id=None)) == (409, "overlap")
    for episode, status in ((young, 409), (draft, 409), (old, 201)):
        answer = market.place(campaign, "admin", episode_id=episode)
        assert answer.status_code == status, episode
    assert "in every episode of the show" in market.place(campaign, episode_id=young).json()["message"]
    market.call("mine", "DELETE", f"/v1/placements/{whole['id']}")
    assert market.place(campaign, "admin", episode_id=draft, from_day=day(1)).status_code == 201
    for who, where in (("admin", "in 'Night Trains'"), ("mine", "in an episode of the show")):
        answer = market.place(campaign, who, episode_id=None, from_day=day(1))
        assert refusal(answer) == (409, "overlap")
        assert f"stands {where} from" in answer.json()["message"]


def test_of_two_at_the_same_moment_one_gets_the_place(market: Market) -> None:
    buyers = [(who, market.campaign(who)) for who in ("mine", "rival") for _ in range(3)]
    with ThreadPoolExecutor(len(buyers)) as pool:
        answers = list(pool.map(lambda buyer: market.place(buyer[1], buyer[0]), buyers))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    with Session(market.engine) as session:
        assert len(session.exec(select(Placement)).all()) == 1


# -- changing and removing -------------------------------------------------------------------------------------------


def test_a_change_is_checked_like_a_new_placement(market: Market) -> None:
    campaign = market.campaign()
    creative = market.made("mine", f"/v1/campaigns/{campaign['id']}/creatives", {"name": "Calm"})
    made = market.placement(campaign, from_day=day(1))
    beside = market.placement(campaign, start_ms=90_000, end_ms=120_000)
    path = f"/v1/placements/{made['id']}"
    changed = market.call("mine", "PATCH", path, {"start_ms": 50_000, "to_day": day(4), "creative_id": creative["id"]})
    expected = {"start_ms": 50_000, "to_day": day(4), "creative_id": creative["id"], "creative": "Calm"}
    assert changed.json() == {**made, **expected, "counting": changed.json()["counting"]}
    refused = {
        "overlap": {"end_ms": 90_001},
        "beyond_end": {"start_ms": 500_000, "end_ms": 700_000},
        "too_short": {"end_ms": 50_999},
        "outside_campaign": {"to_day": day(11)},
        "in_the_past": {"from_day": day(-1)},
        "bad_days": {"from_day": day(5)},
        "not_found": {"creative_id": beside["id"]},
    }
    for code, change in refused.items():
        assert market.call("mine", "PATCH", path, change).json()["error"] == code
    found = market.call("mine", "GET", f"/v1/campaigns/{campaign['id']}/placements").json()
    assert found["items"][0] == changed.json()


def test_what_may_be_counted_keeps_its_place_and_its_past(market: Market) -> None:
    made = market.placement(market.campaign())
    path = f"/v1/placements/{made['id']}"
    for change in ({"start_ms": 0}, {"end_ms": 80_000}, {"from_day": day(1)}):
        assert refusal(market.call("mine", "PATCH", path, change)) == (409, "fixed")
    answer = market.call("mine", "PATCH", path, {"to_day": day(-1)})
    assert refusal(answer) == (422, "in_the_past")
    assert f"the earliest to_day is today, {day(0)}" in answer.json()["message"]
    assert market.call("mine", "PATCH", path, {"to_day": day(1)}).json()["to_day"] == day(1)


def test_removed_it_ends_today_and_stays_in_the_list(market: Market) -> None:
    campaign = market.campaign()
    made = market.placement(campaign)
    path = f"/v1/placements/{made['id']}"
    assert market.call("mine", "DELETE", path).status_code == 204
    (removed,) = market.call("mine", "GET", f"/v1/campaigns/{campaign['id']}/placements").json()["items"]
    assert (removed["to_day"], removed["removed_at"] is None) == (day(0), False)
    assert market.call("mine", "DELETE", path).status_code == 204
    assert refusal(market.call("mine", "PATCH", path, {"to_day": day(1)})) == (409, "removed")
    assert refusal(market.call("mine", "POST", f"{path}/count-back", {"from_day": day(-1)})) == (409, "removed")
    assert refusal(market.place(campaign)) == (409, "overlap")
    later = market.placement(campaign, from_day=day(1))
    market.call("mine", "DELETE", f"/v1/placements/{later['id']}")
    (_, never) = market.call("mine", "GET", f"/v1/campaigns/{campaign['id']}/placements").json()["items"]
    assert never["to_day"] < never["from_day"], "what is removed before its first day has none"
    assert market.place(campaign, from_day=day(1)).status_code == 201, "its place is free again"


@pytest.mark.parametrize("limit", ["budget_cents", "impression_cap"])
def test_nothing_is_added_to_a_campaign_that_is_spent(market: Market, limit: str) -> None:
    campaign = market.campaign(**{limit: 100, "price_cents": 1000})
    made = market.placement(campaign)
    market.count(made, -1, confirmed=99)
    assert market.place(campaign, start_ms=0, end_ms=1000).status_code == 201
    market.count(made, 0, confirmed=1)
    answer = market.place(campaign, start_ms=2000, end_ms=3000)
    assert refusal(answer) == (409, "spent")
    assert "Raise budget_cents or impression_cap" in answer.json()["message"]
    market.call("mine", "PATCH", f"/v1/campaigns/{campaign['id']}", {limit: 150})
    assert market.place(campaign, start_ms=2000, end_ms=3000).status_code == 201


def test_nothing_is_added_to_a_campaign_that_is_over(market: Market) -> None:
    campaign = market.campaign(from_day=day(-5), to_day=day(0))
    assert market.call("mine", "PATCH", f"/v1/campaigns/{campaign['id']}", {"to_day": day(-1)}).status_code == 200
    answer = market.place(campaign)
    assert refusal(answer) == (422, "outside_campaign")
    assert "send a later to_day" in answer.json()["message"]


# -- counting back ---------------------------------------------------------------------------------------------------


def heard(market: Market, offset: int) -> None:
    """A playback that is kept of that day."""
    with Session(market.engine) as session:
        episode = session.exec(select(Episode).where(Episode.uuid == UUID(market.episode))).one()
        kept = {"event_ids": b"", "coverage": b"", "repeats": b"", "wall_ms": 0, "first_at_ms": 0, "last_at_ms": 0}
        on = today() + timedelta(days=offset)
        session.add(Playback(day=on, device=bytes(16), episode_id=episode.id, is_start=True, is_offline=False, **kept))
        session.commit()


def test_counting_back_says_what_will_happen(market: Market) -> None:
    heard(market, -15)
    campaign = market.campaign()
    made = market.placement(campaign, from_day=day(2))
    answer = market.made("mine", f"/v1/placements/{made['id']}/count-back", {"from_day": day(-15)})
    assert (answer["from_day"], answer["to_day"], answer["days"]) == (day(-15), day(0), 16)
    assert f"Counting back from {day(-15)} to {day(0)}; 16 days." in answer["message"]
    assert '"counting": "current"' in answer["message"]
    placement = answer["placement"]
    assert (placement["from_day"], placement["is_counted_back"], placement["counting"]) == (day(-15), True, "pending")
    with Session(market.engine) as session:
        stored = session.exec(select(Placement)).one()
        assert (str(stored.from_day), stored.is_counted_back) == (day(-15), True)


def test_counting_back_has_its_bounds(market: Market) -> None:
    campaign = market.campaign()
    made = market.placement(campaign)
    path = f"/v1/placements/{made['id']}/count-back"

    def ask(offset: int) -> tuple[int, str, str]:
        answer = market.call("mine", "POST", path, {"from_day": day(offset)})
        return (*refusal(answer), answer.json()["message"])

    assert ask(-3)[:2] == (422, "in_the_past")
    assert "nothing has been heard or downloaded yet" in ask(-3)[2]
    heard(market, -10)
    assert ask(-21)[:2] == (422, "outside_campaign")
    assert ask(-11)[:2] == (422, "in_the_past")
    assert f"kept from {day(-10)} on" in ask(-11)[2]
    assert ask(0)[:2] == (422, "in_the_past")
    assert "counts from" in ask(0)[2]
    assert market.call("rival", "POST", path, {"from_day": day(-10)}).status_code == 404
    assert market.call("mine", "POST", path, {"from_day": day(-10)}).status_code == 200


def test_counting_back_does_not_reach_into_another_ad_s_days(market: Market) -> None:
    heard(market, -10)
    campaign = market.campaign()
    first = market.placement(campaign)
    market.call("mine", "POST", f"/v1/placements/{first['id']}/count-back", {"from_day": day(-5)})
    market.call("mine", "DELETE", f"/v1/placements/{first['id']}")
    second = market.placement(campaign, from_day=day(1))
    path = f"/v1/placements/{second['id']}/count-back"
    assert refusal(market.call("mine", "POST", path, {"from_day": day(-1)})) == (409, "overlap")


def test_a_whole_show_that_counts_back_is_in_older_episodes_too(market: Market) -> None:
    heard(market, -10)
    short = market.add_episode(duration_ms=80_000, published_at=published(-4))
    made = market.placement(market.campaign(), episode_id=None)
    path = f"/v1/placements/{made['id']}/count-back"
    assert refusal(market.call("mine", "POST", path, {"from_day": day(-4)})) == (422, "beyond_end")
    market.placement(market.campaign("rival"), "rival", episode_id=short, start_ms=0, end_ms=30_000)
    assert market.call("mine", "POST", path, {"from_day": day(-3)}).status_code == 200


def test_nothing_is_counted_back_that_would_not_be_paid(market: Market) -> None:
    heard(market, -10)
    campaign = market.campaign(impression_cap=50)
    made = market.placement(campaign)
    market.count(made, 0, confirmed=50)
    path = f"/v1/placements/{made['id']}/count-back"
    assert refusal(market.call("mine", "POST", path, {"from_day": day(-3)})) == (409, "spent")


# -- what others see -------------------------------------------------------------------------------------------------


def test_a_creator_sees_what_is_placed_in_her_shows_and_no_prices(market: Market) -> None:
    campaign = market.campaign()
    creative = market.made("mine", f"/v1/campaigns/{campaign['id']}/creatives", {"name": "Calm"})
    made = market.placement(campaign, creative_id=creative["id"])
    market.placement(market.campaign("rival"), "rival", start_ms=0, end_ms=1000)
    market.count(made, 0, delivered=9, confirmed=5, offline_confirmed=2)
    market.count(made, 1, delivered=1)
    path = f"/v1/shows/{market.show}/placements"
    found = market.call("owner", "GET", path).json()
    assert [item["advertiser"] for item in found["items"]] == ["Loud Kettles", "Quiet Teas"]
    mine = found["items"][1]
    assert (mine["delivered"], mine["confirmed"], mine["offline_confirmed"]) == (10, 5, 2)
    assert (mine["campaign"], mine["creative"], mine["episode"]) == (campaign["name"], "Calm", "Night Trains")
    assert not [name for name in mine if "cents" in name or "budget" in name]
    assert market.call("admin", "GET", path).json() == found
    assert [market.call(who, "GET", path).status_code for who in ("other", "mine", "nobody")] == [404, 403, 401]


def test_the_catalogue_has_what_can_be_bought(market: Market) -> None:
    market.add_episode(published_at=None)
    market.add_episode(published_at=published(2))
    newest = market.add_episode(published_at=published(-1))
    found = market.call("mine", "GET", "/v1/catalogue").json()
    (show,) = found["items"]
    assert (found["total"], show["id"], show["title"]) == (1, market.show, "The Quiet Hour")
    assert [episode["id"] for episode in show["episodes"]] == [newest, market.episode]
    assert show["episodes"][0]["duration_ms"] == 600_000
    (show,) = market.call("mine", "GET", f"/v1/catalogue?show={market.show}&episodes=1").json()["items"]
    assert [episode["id"] for episode in show["episodes"]] == [newest]
    assert [market.call(who, "GET", "/v1/catalogue").status_code for who in ("owner", "nobody")] == [403, 401]


def test_somebody_else_s_placement_is_not_there(market: Market) -> None:
    made = market.placement(market.campaign())
    path = f"/v1/placements/{made['id']}"
    for method, at, body in (("PATCH", "", {"to_day": day(1)}), ("DELETE", "", None)):
        for who, status in (("rival", 404), ("owner", 403), ("nobody", 401)):
            assert market.call(who, method, path + at, body).status_code == status
    assert market.call("admin", "PATCH", path, {"to_day": day(1)}).status_code == 200
