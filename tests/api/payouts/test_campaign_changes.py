"""What an advertiser changes after ads were heard, beside a close: what was heard is paid."""

from datetime import date
from threading import Event, Thread
from typing import Any

import pytest
from sqlmodel import Session, select

from api.advertising import service
from api.payouts import close
from models.advertising import AdvertiserMember, Campaign, Placement
from models.queries import statements
from models.tables import Role
from tests.api.payouts.conftest import Office

HEARD = 10_000


@pytest.fixture
def campaign(office: Office) -> Campaign:
    """Heard ten thousand times in October, for 20.00 a thousand; `tess` may change it."""
    episode = office.episode(show := office.show("carol"))
    office.plan(show, listen_price_cents=0)
    campaign = office.campaign(budget_cents=10_000_000, price_cents=2000)
    office.impressions(office.place(campaign, episode), date(2026, 10, 5), HEARD)
    tess = office.hire("tess", Role.ADVERTISER)
    office.put(AdvertiserMember(advertiser_id=campaign.advertiser_id, user_id=tess.id))
    return campaign


@pytest.mark.parametrize("cut", [{"budget_cents": 100}, {"impression_cap": 50}, {"daily_cap": 50}])
def test_what_was_heard_is_paid_though_no_statement_has_settled_it(
    office: Office, campaign: Campaign, cut: dict[str, int]
) -> None:
    refused = office.call("tess", "PATCH", f"/v1/campaigns/{campaign.uuid}", json=cut)
    assert (refused.status_code, refused.json()["error"]) == (409, "below_heard")
    least = {"budget_cents": 20_100, "impression_cap": 10_050, "daily_cap": 10_050}
    enough = {name: least[name] for name in cut}
    assert office.call("tess", "PATCH", f"/v1/campaigns/{campaign.uuid}", json=enough).status_code == 200
    (statement,) = office.close("2026-10")
    assert (statement["total_cents"], office.gross(campaign)) == (14_000, 20_000)


# On SQLite a writer has the store to itself: there are no locks to take in any order.
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_change_does_not_wait_for_a_whole_close(
    office: Office, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "WAIT_SECONDS", 1)
    path = f"/v1/campaigns/{campaign.uuid}"
    with Session(office.engine) as session:
        statements.lock_money(session.connection())
        busy = office.call("tess", "PATCH", path, key="once", json={"budget_cents": 9_000_000})
    assert (busy.status_code, busy.json()["error"], busy.headers["retry-after"]) == (503, "busy", "60")
    again = office.call("tess", "PATCH", path, key="once", json={"budget_cents": 9_000_000})
    assert (again.status_code, again.json()["budget_cents"]) == (200, 9_000_000)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_change_in_the_middle_of_a_close_is_no_deadlock(
    office: Office, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing, drafting, draft = Event(), Event(), close.draft
    with Session(office.engine) as session:
        ad = session.exec(select(Placement)).one()
    # At its end the close marks the campaign as exhausted.
    assert office.call("tess", "PATCH", f"/v1/campaigns/{campaign.uuid}", json={"budget_cents": 20_100}).is_success
    office.impressions(ad, date(2026, 10, 6), HEARD)

    def slow(*args: Any) -> Any:
        drafting.set()
        changing.wait(10)
        return draft(*args)

    monkeypatch.setattr(close, "draft", slow)
    closing = Thread(target=office.close, args=("2026-10",))
    closing.start()
    assert drafting.wait(10)
    lock = service.spending.lock_terms

    def lock_late(*args: Any) -> None:
        changing.set()
        lock(*args)

    monkeypatch.setattr(service.spending, "lock_terms", lock_late)
    changed = office.call("tess", "PATCH", f"/v1/campaigns/{campaign.uuid}", json={"name": "Later"})
    closing.join(30)
    assert changed.status_code in {200, 503}
    assert office.rows("SELECT count(*) FROM statement") == [(1,)]
