"""What creators and admins are shown: what is pending, the ledger, and what is behind a statement."""

from datetime import UTC, date, datetime

import pytest
from sqlmodel import Session

from models.counting import ArrivalDay
from models.downloads import ShowHitOutcome
from models.tables import Episode
from tests.api.payouts.conftest import Office

OCT_1, OCT_2, NOV_1 = date(2026, 10, 1), date(2026, 10, 2), date(2026, 11, 1)
PARTS = ("settled", "pending", "held", "void", "unbilled", "no_plan")


@pytest.fixture
def busy(office: Office) -> Office:
    """Carol's show with a plan from October on, Dave's without; an ad whose budget is used up; something held."""
    mine, theirs = office.show("carol"), office.show("dave")
    office.plan(mine, OCT_1)
    heard, other = office.episode(mine), office.episode(theirs)
    office.listens(heard, date(2026, 9, 30), 5)
    office.listens(heard, OCT_1, 100)
    office.held(heard, OCT_1, 20, rule="over_24_hours")
    office.held(heard, OCT_1, 3, state="void", rule="replay")
    office.listens(other, OCT_1, 40)
    placement = office.place(office.campaign(price_cents=1000, budget_cents=10), heard)
    office.impressions(placement, OCT_1, 15)
    return office


def test_everything_that_is_counted_is_somewhere(busy: Office) -> None:
    def numbers(cell: dict) -> tuple:
        return tuple(cell[name] for name in ("counted", *PARTS))

    before = busy.read("carol", "/v1/payouts/pending")
    assert numbers(before["total"]) == (120, 0, 87, 20, 3, 5, 5)
    assert before["total"]["pending_amounts"] == [{"currency": "EUR", "cents": 84}]
    assert before["total"]["held_by_rule"] == {"over_24_hours": 20}
    assert [month["month"] for month in before["months"]] == ["2026-09", "2026-10"]
    busy.close("2026-10")
    after = busy.read("carol", "/v1/payouts/pending")
    assert numbers(after["total"]) == (120, 87, 0, 20, 3, 5, 5)
    assert after["total"]["pending_amounts"] == []


def test_what_is_open_comes_in_pages_under_the_sums_of_all(busy: Office) -> None:
    whole = busy.read("ada", "/v1/payouts/pending")
    assert (len(whole["items"]), whole["next_skip"]) == (4, None)
    items, skip = [], 0
    while skip is not None:
        page = busy.read("ada", f"/v1/payouts/pending?skip={skip}&limit=3")
        assert page["total"] == whole["total"]
        items, skip = items + page["items"], page["next_skip"]
    assert items == whole["items"]


def test_creators_see_theirs_and_admins_all(busy: Office) -> None:
    carol, dave = (busy.read(name, "/v1/payouts/pending") for name in ("carol", "dave"))
    everybody = busy.read("ada", "/v1/payouts/pending")
    for name in ("counted", *PARTS):
        assert everybody["total"][name] == carol["total"][name] + dave["total"][name]
    assert everybody["items"] == sorted(carol["items"] + dave["items"], key=everybody["items"].index)
    assert (dave["total"]["counted"], dave["total"]["no_plan"]) == (40, 40)
    only = busy.read("ada", f"/v1/payouts/pending?creator={busy.users['dave'].uuid}")
    assert only == dave
    assert busy.read("carol", f"/v1/payouts/pending?creator={busy.users['dave'].uuid}") == carol
    nobody = "00000000-0000-0000-0000-000000000000"
    assert busy.call("ada", "GET", f"/v1/payouts/pending?creator={nobody}").status_code == 404


def test_the_ledger_is_read_by_account_and_in_pages(busy: Office) -> None:
    (statement,) = busy.close("2026-10")
    busy.step("ada", busy.step("grace", statement, "approve"), "pay", reference="SEPA 1")
    whole = busy.read("ada", "/v1/ledger")
    assert [booking["kind"] for booking in whole["items"]] == ["paid", "approved"]
    assert all(sum(entry["amount_cents"] for entry in booking["entries"]) == 0 for booking in whole["items"])
    assert sum(balance["amount_cents"] for balance in whole["balances"]) == 0
    assert [booking["kind"] for booking in busy.read("ada", "/v1/ledger?account=bank")["items"]] == ["paid"]
    older = busy.read("ada", f"/v1/ledger?before={whole['items'][0]['number']}")
    assert [booking["kind"] for booking in older["items"]] == ["approved"]


def test_evidence_says_what_came_late_what_is_held_and_what_changed(busy: Office, now: list[datetime]) -> None:
    (first,) = busy.close("2026-10")
    show = busy.read("ada", f"/v1/statements/{first['id']}")["lines"][0]
    with Session(busy.engine) as session:
        ((show_id, episode_id),) = busy.rows("SELECT show_id, id FROM episode ORDER BY id LIMIT 1")
        row = {"episode_id": episode_id, "events": 1, "starts": 1, "heard_seconds": 40, "last_received_ms": 0}
        session.add(ArrivalDay(day=OCT_1, received_day=OCT_2, listens=30, **row))
        session.add(ArrivalDay(day=OCT_1, received_day=OCT_1, listens=70, **row))
        session.add(ShowHitOutcome(show_id=show_id, day=OCT_1, outcome="bot", hits=7, sent_bytes=1))
        session.commit()
    found = busy.read("grace", f"/v1/statements/{first['id']}/evidence")
    assert found["statement"]["drafted_by"] == "ada@example.com"
    assert found["days"][0] == {"day": "2026-10-01", "listens": 100, "late": 30}
    assert len(found["days"]) == 31
    assert found["hits"] == [{"outcome": "bot", "hits": 7}]
    assert [(row["rule"], row["state"], row["number"]) for row in found["flagged"]] == [
        ("over_24_hours", "open", 20),
        ("replay", "void", 3),
    ]
    assert (found["before"], found["quantity"]) == (None, 87)
    assert [(row["show"], row["listens"], row["unknown_days"]) for row in found["completeness"]] == [
        (show["show"], 100, 1)
    ]
    now[0] = datetime(2026, 12, 2, tzinfo=UTC)
    with Session(busy.engine) as session:
        heard = session.get_one(Episode, episode_id)
    busy.listens(heard, NOV_1, 210)
    (second,) = busy.close("2026-11")
    before = busy.read("grace", f"/v1/statements/{second['id']}/evidence")["before"]
    assert (before["statement_id"], before["total_cents"], before["total_change_share"]) == (first["id"], 84, 1.5)


def test_evidence_is_for_admins(busy: Office) -> None:
    (statement,) = busy.close("2026-10")
    assert busy.call("carol", "GET", f"/v1/statements/{statement['id']}/evidence").status_code == 403
