"""What the forms send, taken by the API itself."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session, select
from streamlit.testing.v1 import AppTest

from dashboard import calls, session
from dashboard.calls import Answer
from models.advertising import Campaign, Creative, Placement
from models.tables import Episode, Role, Show, User
from tests.dashboard.advertised import TODAY, Advertised, put_advertiser
from tests.dashboard.test_campaign_forms import fill, labelled, open_campaign, open_campaigns, place
from tests.factories import make_episode, make_show, make_user


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """The store that the dashboard reads."""
    return sqlite_url


@pytest.fixture
def user(dashboard_store: Engine, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> User:
    """An advertiser with a company, whose browser talks to the API in this process."""
    with Session(dashboard_store, expire_on_commit=False) as store_session:
        user, api_key = make_user(store_session, Role.ADVERTISER)
    put_advertiser(dashboard_store, user)
    monkeypatch.setattr(session, "token", lambda: api_key)

    def ask(method: str, path: str, json: Any = None, *, key: str | None = None) -> Answer:
        headers = {"Authorization": f"Bearer {api_key}", **({"Idempotency-Key": key} if key else {})}
        answer = client.request(method, path, json=json, headers=headers)
        return Answer(answer.status_code, answer.json() if answer.content else {})

    monkeypatch.setattr(calls, "ask", ask)
    return user


@pytest.fixture
def episode(dashboard_store: Engine) -> Episode:
    """Somebody's episode of ten minutes."""
    with Session(dashboard_store, expire_on_commit=False) as store_session:
        return make_episode(store_session, make_show(store_session))


def only(engine: Engine, table: Any) -> Any:
    """The one row of a table."""
    with Session(engine, expire_on_commit=False) as store_session:
        return store_session.exec(select(table)).one()


def opened(engine: Engine, user: User, episode: Episode) -> AppTest:
    """The page of the one campaign that there is."""
    campaign = only(engine, Campaign)
    return open_campaign(user, Advertised(None, campaign, only(engine, Show), episode))  # type: ignore[arg-type]


def test_forms_lead_from_nothing_to_an_ad_that_stands_and_is_taken_out(
    user: User, episode: Episode, dashboard_store: Engine
) -> None:
    assert "Spring teas is there" in fill(open_campaigns(user)).success[0].value
    campaign = only(dashboard_store, Campaign)
    assert (campaign.price_cents, campaign.budget_cents, campaign.currency) == (1250, 500_000, "EUR")

    app = opened(dashboard_store, user, episode)
    labelled(app.text_input, "Name of the creative").set_value("The kettle")
    labelled(app.button, "Add the creative").click()
    app.run()
    assert [message.value for message in app.success] == ["The creative The kettle is there."]
    creative = only(dashboard_store, Creative)

    labelled(app.selectbox, "Creative").set_value(str(creative.uuid))
    app = place(app, start="9:50", end="10:30")
    assert "'Night Trains' is over after 600000 ms" in app.error[0].value
    app = place(app)
    placement = only(dashboard_store, Placement)
    assert (placement.start_ms, placement.end_ms, placement.creative_id) == (60_000, 90_000, creative.id)

    app = place(opened(dashboard_store, user, episode), start="1:10", end="1:20")
    assert app.error  # it overlaps
    labelled(app.button, "Remove the placement").click()
    app.run()
    assert [message.value for message in app.success] == ["The placement is removed."]
    assert only(dashboard_store, Placement).removed_at is not None


def test_a_change_sends_only_what_was_changed(user: User, episode: Episode, dashboard_store: Engine) -> None:
    fill(open_campaigns(user))
    place(opened(dashboard_store, user, episode))
    app = opened(dashboard_store, user, episode)
    save = "Save the changes"
    labelled(app.button, save).click()
    app.run()
    assert [error.value for error in app.error] == ["Nothing was changed."]
    labelled(app.text_input, "Budget, EUR").set_value("6,000.50")
    labelled(app.button, save).click()
    app.run()
    assert [message.value for message in app.success] == ["The changes are saved."]
    campaign = only(dashboard_store, Campaign)
    assert (campaign.budget_cents, campaign.to_day) == (600_050, TODAY + timedelta(days=29))
