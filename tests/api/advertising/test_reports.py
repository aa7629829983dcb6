"""Reports, reach and planning over HTTP: what an admin reads is what was counted."""

from typing import Any

import pytest
from sqlmodel import Session

from tests.api.advertising.conftest import Market, day
from tests.api.advertising.reached import devices, put_impressions, put_listeners, put_reached, put_split
from tests.factories import make_show


@pytest.fixture
def running(market: Market) -> dict[str, Any]:
    """A campaign with impressions of three days, 600 devices reached."""
    campaign = market.campaign(from_day=day(-10), to_day=day(10))
    ad = market.placement(campaign, from_day=day(0))
    numbers = {"delivered": 400, "started": 390, "heard_25": 380, "heard_50": 300, "heard_75": 200, "heard_100": 150}
    days = {
        -3: {**numbers, "confirmed": 300, "offline_confirmed": 75},
        -2: {"delivered": 20, "confirmed": 10, "offline_confirmed": 1},
        -1: {**numbers, "confirmed": 290, "offline_confirmed": 60},
    }
    put_impressions(market.engine, ad, market.episode, days)
    put_split(market.engine, ad, "country", {-3: {"SI": 380, "AT": 15, "": 5}, -1: {"SI": 400, "AT": 20}})
    put_split(market.engine, ad, "app", {-3: {"Castaway": 400}, -1: {"Castaway": 420}})
    reached = devices("reached", 590)
    put_reached(market, campaign, market.show, {-3: reached[:300], -2: reached[290:300], -1: reached[300:590]})
    return campaign


def ask(market: Market, who: str, path: str) -> Any:
    """The answer to a question that is answered."""
    answer = market.call(who, "GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_admin_reads_what_was_counted(market: Market, running: dict[str, Any]) -> None:
    report = ask(market, "admin", f"/v1/campaigns/{running['id']}/report")
    assert report["totals"] == {
        "delivered": 820, "started": 790, "heard_25": 770, "heard_50": 610, "heard_75": 410, "heard_100": 310,
        "confirmed": 600, "offline_confirmed": 136,
    }  # fmt: skip
    assert [(row["day"], row["delivered"], row["confirmed"]) for row in report["days"]] == [
        (day(-3), 400, 300),
        (day(-2), 20, 10),
        (day(-1), 400, 290),
    ]
    assert [(row["episode_id"], row["confirmed"]) for row in report["episodes"]] == [(market.episode, 600)]
    assert report["offline_share"] == round(136 / 600, 4)
    assert report["countries"] == [
        {"value": "SI", "delivered": 780},
        {"value": "AT", "delivered": 35},
        {"value": None, "delivered": 5},
    ]
    assert (report["currency"], report["spend_cents"]) == ("EUR", 1200)
    assert report["privacy"] == {"is_guarded": False, "least": 50}
    some = ask(market, "admin", f"/v1/campaigns/{running['id']}/report?from={day(-2)}&to={day(-2)}")
    assert (some["totals"]["delivered"], some["spend_cents"]) == (20, 20)


def test_an_advertiser_reads_whole_fifties(market: Market, running: dict[str, Any]) -> None:
    report = ask(market, "mine", f"/v1/campaigns/{running['id']}/report")
    assert report["totals"]["delivered"] == 800
    assert report["totals"]["confirmed"] == 600
    # 400, 420 and 820 so far: what the small day has comes with a later one.
    assert [row["delivered"] for row in report["days"]] == [400, None, 400]
    assert report["countries"] == [{"value": "SI", "delivered": 750}]
    assert report["offline_share"] == round(100 / 600, 4)
    assert report["spend_cents"] == 1200
    assert report["privacy"]["is_guarded"]


def test_reach_and_frequency_of_a_campaign(market: Market, running: dict[str, Any]) -> None:
    path = f"/v1/campaigns/{running['id']}"
    reach = ask(market, "admin", f"{path}/reach?by=day")
    assert reach["reach"] == {"value": 590, "low": 590, "high": 590, "is_exact": True, "relative_error": 0.0}
    curve = {row["day"]: row["value"] for row in reach["rows"]}
    assert [curve[day(offset)] for offset in (-4, -3, -2, -1, 0)] == [0, 300, 300, 590, 590]
    assert ask(market, "admin", f"{path}/reach?from={day(-2)}&to={day(-1)}")["reach"]["value"] == 300
    frequency = ask(market, "admin", f"{path}/frequency")
    assert [row["devices"] for row in frequency["rows"]] == [580, 10, 0, 0, 0]
    assert frequency["average"] == round(600 / 590, 2)
    guarded = ask(market, "mine", f"{path}/reach?by=day")
    assert guarded["reach"] == {"value": 550, "low": 550, "high": 599, "is_exact": False, "relative_error": 0.0891}
    assert [row["devices"] for row in ask(market, "mine", f"{path}/frequency")["rows"]] == [550, *[None] * 4]


@pytest.fixture
def shows(market: Market) -> list[str]:
    """Three shows: the second shares 500 of its 1,500 devices with the first, the third has 10 of its own."""
    with Session(market.engine) as session:
        found = [market.show, *(str(make_show(session).uuid) for _ in range(2))]
    listeners = devices("listeners", 2000)
    put_listeners(
        market,
        {
            (found[0], -70): listeners[:600],
            (found[0], -35): listeners[300:1000],
            (found[1], -35): listeners[500:2000],
            (found[2], -1): devices("few", 10),
        },
    )
    return found


def query(shows: list[str], **more: object) -> str:
    """What follows the question mark."""
    return "&".join([*(f"shows={show}" for show in shows), *(f"{name}={value}" for name, value in more.items())])


def test_planning_is_exact_for_an_admin_while_small(market: Market, shows: list[str]) -> None:
    span = f"from={day(-80)}&to={day(0)}"
    found = ask(market, "admin", f"/v1/reach?{query(shows[:2])}&{span}&by=day")
    assert found["reach"] == {"value": 2000, "low": 2000, "high": 2000, "is_exact": True, "relative_error": 0.0}
    curve = {row["day"]: row["value"] for row in found["rows"]}
    assert (curve[day(-71)], curve[day(-70)], curve[day(-36)], curve[day(-35)]) == (0, 600, 600, 2000)
    part = ask(market, "admin", f"/v1/reach?{query(shows[:2])}&from={day(-36)}&to={day(-1)}")
    assert part["reach"]["value"] == 1700
    assert ask(market, "admin", f"/v1/reach?{query(shows[:2])}&{span}&by=month")["rows"][-1]["value"] == 2000
    overlap = ask(market, "admin", f"/v1/reach/overlap?{query(shows)}&{span}")["rows"]
    assert [row["value"] for row in overlap] == [1000, 500, 0, 1500, 0, 10]
    adds = ask(market, "admin", f"/v1/reach/incremental?{query(shows[:1], add=shows[1])}&add={shows[2]}&{span}")
    assert (adds["before"]["value"], adds["after"]["value"]) == (1000, 2010)
    assert [row["value"] for row in adds["rows"]] == [1000, 10]


def test_planning_for_an_advertiser_is_estimated_from_a_sample(market: Market, shows: list[str]) -> None:
    span = f"from={day(-80)}&to={day(0)}"
    reach = ask(market, "mine", f"/v1/reach?{query(shows[:2])}&{span}")["reach"]
    assert reach["value"] % 50 == 0
    assert not reach["is_exact"]
    assert reach["low"] <= 2000 <= reach["high"]
    few = ask(market, "mine", f"/v1/reach?{query(shows[2:])}&{span}")["reach"]
    assert few == dict.fromkeys(("value", "low", "high", "relative_error")) | {"is_exact": False}


def test_the_rows_can_be_had_as_csv(market: Market, running: dict[str, Any], shows: list[str]) -> None:
    lines = {
        f"/v1/campaigns/{running['id']}/report?rows=country": "value,delivered\r\nSI,750\r\n",
        f"/v1/campaigns/{running['id']}/frequency?": "frequency,devices\r\n1,550\r\n2,\r\n3,\r\n4,\r\n5,\r\n",
    }
    for path, expected in lines.items():
        answer = market.call("mine", "GET", f"{path}&format=csv")
        assert (answer.text, answer.headers["content-type"]) == (expected, "text/csv; charset=utf-8")
    overlap = market.call("admin", "GET", f"/v1/reach/overlap?{query(shows, format='csv')}").text
    assert overlap.splitlines()[0] == "value,low,high,is_exact,relative_error,show_id,other_id"


REFUSALS = {
    "another day to begin with": ("mine", "/v1/campaigns/{campaign}/report?from={day}", 422, "begin with the campaign"),
    "somebody else's campaign": ("rival", "/v1/campaigns/{campaign}/frequency", 404, "no such campaign"),
    "a creator": ("owner", "/v1/reach?shows={show}", 403, "role"),
    "nobody": ("nobody", "/v1/reach/overlap?shows={show}", 401, "API key"),
    "a show that is not there": ("mine", "/v1/reach?shows={campaign}", 404, "catalogue"),
    "shows by day": ("mine", "/v1/reach?shows={show}&by=day", 422, "by=month"),
    "days that run backwards": ("admin", "/v1/reach?shows={show}&from={day}&to=2020-01-01", 422, "Swap"),
    "no show": ("mine", "/v1/reach", 422, "shows"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_say_what_to_do(market: Market, running: dict[str, Any], name: str) -> None:
    who, path, status, words = REFUSALS[name]
    answer = market.call(who, "GET", path.format(campaign=running["id"], show=market.show, day=day(-1)))
    assert answer.status_code == status
    assert words in answer.json()["message"]
