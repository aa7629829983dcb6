"""Forms that write: what they send, how often, and what they say of a refusal."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from dashboard import calls, positions, submissions
from dashboard.calls import NO_ANSWER, Answer
from models.advertising import Advertiser
from models.tables import Role, User
from tests.dashboard.advertised import TODAY, Advertised, Api, put_advertiser, put_campaign, put_placement
from tests.dashboard.test_pages import sign_in


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    """The API, as pages reach it."""
    api = Api()
    monkeypatch.setattr(calls, "ask", api.ask)
    return api


@pytest.fixture
def user(dashboard_store: Engine, monkeypatch: pytest.MonkeyPatch) -> User:
    """An advertiser whose browser is signed in."""
    return sign_in(dashboard_store, Role.ADVERTISER, monkeypatch)


@pytest.fixture
def advertiser(dashboard_store: Engine, user: User) -> Advertiser:
    """The user's company."""
    return put_advertiser(dashboard_store, user)


@pytest.fixture
def made(dashboard_store: Engine, user: User, advertiser: Advertiser) -> Advertised:
    """A campaign without a placement, and an episode that has none."""
    return put_campaign(dashboard_store, advertiser, user)


def open_campaigns(user: User) -> AppTest:
    """One run of the page with all campaigns."""

    def script(user) -> None:
        from dashboard.app_pages import campaigns

        campaigns.render(user, None)

    app = AppTest.from_function(script, default_timeout=60, args=(user,)).run()
    assert not app.exception
    return app


def open_campaign(user: User, made: Advertised) -> AppTest:
    """One run of a campaign's page."""

    def script(user) -> None:
        from dashboard.app_pages import campaign

        campaign.render(user, None)

    app = AppTest.from_function(script, default_timeout=60, args=(user,))
    app.query_params["campaign"] = str(made.campaign.uuid)
    app.run()
    assert not app.exception
    return app


def labelled(elements: Any, label: str) -> Any:
    """The widget with this label."""
    (found,) = [element for element in elements if element.label == label]
    return found


def fill(app: AppTest, **texts: str) -> AppTest:
    """Fill the form for a new campaign and send it."""
    labels = {"name": "Name", "price": "Price for 1,000 impressions", "budget": "Budget"}
    for name, text in {"name": "Spring teas", "price": "12.50", "budget": "5,000", **texts}.items():
        labelled(app.text_input, labels[name]).set_value(text)
    labelled(app.button, "Make the campaign").click()
    app.run()
    assert not app.exception
    return app


def test_a_campaign_is_sent_in_minor_units_with_a_key(user: User, advertiser: Advertiser, api: Api) -> None:
    app = fill(open_campaigns(user))
    ((method, path, body),) = api.writes
    assert (method, path) == ("POST", "/v1/campaigns")
    assert body == {
        "advertiser_id": str(advertiser.uuid),
        "name": "Spring teas",
        "currency": "EUR",
        "price_cents": 1250,
        "budget_cents": 500_000,
        "billing": "confirmed",
        "confirm_percent": 50,
        "from_day": str(TODAY),
        "to_day": str(TODAY + timedelta(days=29)),
        "impression_cap": None,
        "daily_cap": None,
    }
    assert api.keys[0]
    assert "Spring teas is there" in app.success[0].value
    assert labelled(app.text_input, "Name").value == ""


@pytest.mark.usefixtures("advertiser")
def test_a_refusal_is_told_as_the_api_says_it_and_nothing_typed_is_lost(user: User, api: Api) -> None:
    api.answer = Answer(409, {"message": "Teahouse & Sons has a campaign 'Spring teas' already. Choose another name."})
    app = fill(open_campaigns(user))
    assert [error.value for error in app.error] == [api.answer.body["message"]]
    assert labelled(app.text_input, "Name").value == "Spring teas"
    app.run()
    assert not app.error


@pytest.mark.usefixtures("advertiser")
@pytest.mark.parametrize("texts", [{"price": "a lot"}, {"budget": "1.005"}, {"budget": ""}])
def test_what_is_no_amount_is_not_sent(user: User, api: Api, texts: dict[str, str]) -> None:
    app = fill(open_campaigns(user), **texts)
    assert api.writes == []
    assert f"Write the {next(iter(texts))} as an amount of EUR, €1,234.50 for example." in app.error[0].value


@pytest.mark.usefixtures("advertiser")
def test_a_form_that_got_no_answer_is_sent_again_with_the_same_key(user: User, api: Api) -> None:
    api.answer = NO_ANSWER
    app = fill(open_campaigns(user))
    fill(app)
    assert api.keys[0] == api.keys[1]
    fill(app, name="Summer teas")
    assert api.keys[2] != api.keys[0]


@pytest.mark.usefixtures("advertiser")
def test_the_next_campaign_has_another_key_even_if_it_is_the_same(user: User, api: Api) -> None:
    app = fill(open_campaigns(user))
    fill(app)
    assert len(set(api.keys)) == 2


def test_a_second_click_on_a_form_that_went_through_sends_the_same_key(api: Api) -> None:
    def script() -> None:
        import streamlit as st

        from dashboard import submissions

        drawn = st.session_state.setdefault("drawn", submissions.nonce("form"))
        # Both clicks come from the form as it was drawn first.
        submissions.send("form", drawn, "POST", "/v1/campaigns", {"name": "Spring"}, "Done.")
        submissions.tell("form")

    app = AppTest.from_function(script).run()
    app.run()
    assert api.keys[0] == api.keys[1]
    assert [message.value for message in app.success] == ["Done."]


def test_keys_differ_by_what_is_asked() -> None:
    drawn = "00000000-0000-4000-8000-000000000000"
    keys = {
        submissions.key_of(drawn, "POST", "/v1/campaigns", {"name": "a"}),
        submissions.key_of(drawn, "POST", "/v1/campaigns", {"name": "b"}),
        submissions.key_of(drawn, "POST", "/v1/campaigns/1/creatives", {"name": "a"}),
        submissions.key_of(drawn, "DELETE", "/v1/campaigns", {"name": "a"}),
    }
    assert len(keys) == 4


def place(app: AppTest, start: str = "1:00", end: str = "1:30") -> AppTest:
    """Fill the form for a placement and send it."""
    labelled(app.text_input, "Begins at").set_value(start)
    labelled(app.text_input, "Ends at").set_value(end)
    labelled(app.button, "Add the placement").click()
    app.run()
    assert not app.exception
    return app


def test_a_campaign_without_a_placement_asks_for_one(user: User, made: Advertised, api: Api) -> None:
    app = place(open_campaign(user, made))
    assert "Say where the ad stands" in [title.value for title in app.subheader]
    ((method, path, body),) = api.writes
    assert (method, path) == ("POST", f"/v1/campaigns/{made.campaign.uuid}/placements")
    assert body == {
        "show_id": str(made.show.uuid),
        "episode_id": str(made.episode.uuid),
        "start_ms": 60_000,
        "end_ms": 90_000,
        "creative_id": None,
        "from_day": str(TODAY),
        "to_day": str(made.campaign.to_day),
    }


def test_a_whole_show_is_sent_without_an_episode(user: User, made: Advertised, api: Api) -> None:
    app = open_campaign(user, made)
    app.get("button_group")[0].set_value("All new episodes").run()
    place(app)
    assert "episode_id" not in api.writes[0][2]


def test_counting_back_asks_from_the_campaign_s_first_day_on_and_says_what_the_api_says(
    user: User, made: Advertised, api: Api, dashboard_store: Engine
) -> None:
    placement = put_placement(dashboard_store, made)
    api.answer = Answer(202, {"message": "5 days are counted now."})
    app = open_campaign(user, made)
    labelled(app.button, "Count back from this day").click()
    app.run()
    body = {"from_day": str(made.campaign.from_day)}
    assert api.writes == [("POST", f"/v1/placements/{placement.uuid}/count-back", body)]
    assert [message.value for message in app.success] == ["5 days are counted now."]


def test_a_place_that_is_no_time_is_not_sent(user: User, made: Advertised, api: Api) -> None:
    app = place(open_campaign(user, made), end="half past")
    assert api.writes == []
    assert "where the ad ends as minutes and seconds, 12:30 for example" in app.error[0].value


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("0:00", 0),
        ("12:30", 750_000),
        (" 90:00 ", 5_400_000),
        ("1:02:03", 3_723_000),
        ("0:30.5", 30_500),
        ("12", None),
        ("1:60", None),
        ("1:75:00", None),
        ("-1:00", None),
    ],
)
def test_places_in_a_recording_are_typed_as_a_clock_shows_them(text: str, milliseconds: int | None) -> None:
    assert positions.try_parse(text) == milliseconds


@pytest.mark.parametrize("milliseconds", [0, 65_000, 3_723_000, 30_500, 30_050])
def test_a_place_is_read_back_as_it_is_said(milliseconds: int) -> None:
    assert positions.try_parse(positions.said(milliseconds)) == milliseconds
