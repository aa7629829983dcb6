"""A statement's way: who may do what when, and what is booked."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from models.payouts import LedgerTransaction
from models.queries import ledger
from tests.api.payouts.conftest import Office

OCT_1, NOV_1 = date(2026, 10, 1), date(2026, 11, 1)


@pytest.fixture
def draft(office: Office) -> dict:
    """October's: 1,000 cents of listens, and 1,400 of 2,000 that an advertiser pays."""
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show)
    office.listens(episode, OCT_1, 1000)
    office.impressions(office.place(office.campaign(), episode), OCT_1, 1000)
    (statement,) = office.close("2026-10")
    assert statement["total_cents"] == 2400
    return statement


def creator(office: Office, name: str = "carol") -> str:
    return f"creator:{office.users[name].uuid}"


def advertiser_cents(office: Office) -> int:
    return sum(cents for account, cents in office.balances().items() if account.startswith("advertiser:"))


def test_approval_books_what_is_owed_and_payment_books_it_out(office: Office, draft: dict) -> None:
    assert office.balances() == {}
    approved = office.step("grace", draft, "approve")
    assert (approved["state"], approved["approved_by"], approved["revision"]) == ("approved", "grace@example.com", 1)
    owed = office.balances()
    assert advertiser_cents(office) == 2000
    assert (owed["listens"], owed[creator(office)], owed["ad_margin"]) == (1000, -2400, -600)
    paid = office.step("ada", approved, "pay", reference="SEPA 2026-11-12/1")
    assert (paid["state"], paid["paid_reference"]) == ("paid", "SEPA 2026-11-12/1")
    after = office.balances()
    assert creator(office) not in after
    assert after["bank"] == -2400
    assert sum(after.values()) == 0


def test_whoever_drafted_it_may_not_approve_it(office: Office, draft: dict) -> None:
    refusal = office.step("ada", draft, "approve", 403)
    assert refusal["error"] == "own_draft"
    assert office.balances() == {}


def test_void_reverses_what_was_booked_and_frees_what_was_settled(office: Office, draft: dict) -> None:
    approved = office.step("grace", draft, "approve")
    void = office.step("ada", approved, "void", reason="A wrong price.")
    assert (void["state"], void["reason"]) == ("void", "A wrong price.")
    assert office.balances() == {}
    assert office.settled() == {}
    kinds = [booking["kind"] for booking in office.read("ada", f"/v1/ledger?statement={draft['id']}")["items"]]
    assert kinds == ["reversed", "approved"]
    assert office.close("2026-10")[0]["total_cents"] == 2400


def test_held_it_waits_and_goes_back_to_where_it_was(office: Office, draft: dict) -> None:
    held = office.step("ada", draft, "hold", reason="A spike to look at.")
    assert (held["state"], held["held_from"], held["reason"]) == ("held", "draft", "A spike to look at.")
    assert office.step("grace", held, "approve", 409)["error"] == "wrong_state"
    released = office.step("grace", held, "release", reason="It was a tour.")
    assert (released["state"], released["held_from"], released["reason"]) == ("draft", "", "")
    approved = office.step("grace", released, "approve")
    held = office.step("grace", approved, "hold", reason="The bank asks.")
    assert office.step("ada", held, "pay", 409, reference="1")["error"] == "wrong_state"
    assert office.step("ada", held, "release", reason="Answered.")["state"] == "approved"


@pytest.mark.parametrize("step", ["approve", "hold", "release", "void", "pay"])
def test_what_is_paid_or_void_is_final(office: Office, draft: dict, step: str) -> None:
    words = {"pay": {"reference": "2"}, "approve": {}}.get(step, {"reason": "Because."})
    paid = office.step("ada", office.step("grace", draft, "approve"), "pay", reference="1")
    assert office.step("grace", paid, step, 409, **words)["error"] == "wrong_state"


def test_a_stale_revision_is_told_who_did_what(office: Office, draft: dict) -> None:
    office.step("ada", draft, "hold", reason="A spike.")
    refusal = office.step("grace", draft, "approve", 409)
    assert refusal["error"] == "stale_revision"
    assert "statement.held by ada@example.com" in refusal["message"]
    assert "held now, at revision 1" in refusal["message"]


def test_a_step_sent_again_with_its_key_is_done_once(office: Office, draft: dict) -> None:
    path, body = f"/v1/statements/{draft['id']}/approve", {"revision": 0}
    first = office.call("grace", "POST", path, "k1", json=body)
    again = office.call("grace", "POST", path, "k1", json=body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert len(office.rows("SELECT id FROM ledger_transaction")) == 1


def test_carried_statements_are_paid_with_the_one_that_brings_them_forward(office: Office, now: list[datetime]) -> None:
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show, minimum_cents=150)
    office.listens(episode, OCT_1, 100)
    first = office.step("grace", office.close("2026-10")[0], "approve")
    assert "minimum" in office.step("ada", first, "pay", 409, reference="1")["message"]
    now[0] = datetime(2026, 12, 2, tzinfo=UTC)
    office.listens(episode, NOV_1, 100)
    second = office.close("2026-11")[0]
    assert second["id"] in office.step("ada", first, "pay", 409, reference="1")["message"]
    assert second["id"] in office.step("ada", first, "void", 409, reason="Why not.")["message"]
    second = office.step("grace", second, "approve")
    office.step("ada", second, "pay", reference="one transfer")
    first = office.read("carol", f"/v1/statements/{first['id']}")
    assert (first["state"], first["paid_reference"], first["revision"]) == ("paid", "one transfer", 2)
    assert office.balances() == {"listens": 200, "bank": -200}


def test_voiding_a_statement_frees_what_it_brought_forward(office: Office, now: list[datetime]) -> None:
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show, minimum_cents=150)
    office.listens(episode, OCT_1, 100)
    first = office.step("grace", office.close("2026-10")[0], "approve")
    now[0] = datetime(2026, 12, 2, tzinfo=UTC)
    office.listens(episode, NOV_1, 100)
    second = office.close("2026-11")[0]
    office.step("ada", second, "void", reason="Again, please.")
    assert office.read("ada", f"/v1/statements/{first['id']}")["carried_into"] is None
    (third,) = office.close("2026-11")
    assert (third["payable_cents"], third["is_carried"]) == (200, False)


def test_every_step_is_in_the_audit_trail_and_approval_is_told(office: Office, draft: dict) -> None:
    approved = office.step("grace", draft, "approve")
    office.step("ada", approved, "void", reason="A wrong price.")
    rows = office.rows("SELECT action FROM audit_entry WHERE subject = 'statement' ORDER BY id")
    assert [row[0] for row in rows] == ["statement.drafted", "statement.approved", "statement.voided"]
    ((kind, audience),) = office.rows("SELECT kind, audience FROM webhook_event")
    assert (kind, audience) == ("statement.approved", f"[{office.users['carol'].id}]")


def test_creators_see_their_own_statements_and_nobody_elses(office: Office, draft: dict) -> None:
    mine = office.read("carol", "/v1/statements")
    assert [row["id"] for row in mine["items"]] == [draft["id"]]
    assert mine["items"][0]["drafted_by"] is None
    assert office.read("dave", "/v1/statements") == {"items": [], "total": 0}
    assert office.call("dave", "GET", f"/v1/statements/{draft['id']}").status_code == 404
    assert (
        office.call("carol", "POST", f"/v1/statements/{draft['id']}/approve", json={"revision": 0}).status_code == 403
    )
    assert office.call("carol", "GET", "/v1/ledger").status_code == 403


def test_statements_are_found_by_state_month_and_creator(office: Office, draft: dict) -> None:
    carol, dave = office.users["carol"].uuid, office.users["dave"].uuid
    found = {
        query: office.read("ada", f"/v1/statements?{query}")["total"]
        for query in (
            "state=draft",
            "state=paid",
            "month=2026-10",
            "month=2026-09",
            f"creator={carol}",
            f"creator={dave}",
        )
    }
    assert list(found.values()) == [1, 0, 1, 0, 1, 0]


# -- the ledger ----------------------------------------------------------------------------------------------------


KEPT = ["ledger_transaction", "ledger_entry", "audit_entry", "rate_plan", "statement_line", "settled_day", "statement"]


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET {} = {} + 1000", "DELETE FROM {}", "REPLACE INTO {0} SELECT * FROM {0}"]
)
def test_the_store_refuses_to_change_what_was_booked(office: Office, draft: dict, table: str, change: str) -> None:
    office.step("grace", draft, "approve")
    before = office.rows(f"SELECT * FROM {table}")
    assert before
    if change.startswith("REPLACE") and office.engine.dialect.name != "sqlite":
        return  # there is no such thing
    column = "quantity" if table == "settled_day" else "id"
    with pytest.raises(DBAPIError, match=r"append-only|is fixed"), office.engine.begin() as connection:
        connection.execute(text(change.format(table, column, column)))
    assert office.rows(f"SELECT * FROM {table}") == before


DRAFTED = ("total_cents", "brought_forward_cents", "minimum_cents", "creator_id", "month")


@pytest.mark.parametrize("column", DRAFTED)
def test_the_store_refuses_to_change_what_a_statement_said_as_a_draft(office: Office, draft: dict, column: str) -> None:
    before = office.rows("SELECT * FROM statement")
    with pytest.raises(DBAPIError, match="is fixed"), office.engine.begin() as connection:
        connection.execute(text(f"UPDATE statement SET {column} = {column} + 1"))
    assert office.rows("SELECT * FROM statement") == before


def test_a_void_statement_cannot_take_the_place_of_the_one_that_stands(office: Office, draft: dict) -> None:
    office.step("grace", draft, "void", reason="Wrong.")
    office.close("2026-10")
    before = office.rows("SELECT * FROM statement")
    assert len(before) == 2
    again = "UPDATE OR REPLACE" if office.engine.dialect.name == "sqlite" else "UPDATE"
    with pytest.raises(DBAPIError, match="is fixed"), office.engine.begin() as connection:
        connection.execute(text(f"{again} statement SET state = 'draft' WHERE state = 'void'"))
    assert office.rows("SELECT * FROM statement") == before


def test_no_admin_approves_pays_or_releases_what_pays_herself(office: Office) -> None:
    show = office.show("grace")
    office.plan(show)
    office.listens(office.episode(show), OCT_1, 5000)
    (own,) = office.close("2026-10")
    refusal = office.step("grace", own, "approve", 403)
    assert refusal["error"] == "own_money"
    assert "Another admin has to approve it" in refusal["message"]
    held = office.step("ada", own, "hold", reason="Wait.")
    assert office.step("grace", held, "release", 403, reason="Go on.")["error"] == "own_money"


def test_what_does_not_sum_to_zero_is_not_booked(sqlite_engine: Engine) -> None:
    transaction = LedgerTransaction(
        at=datetime(2026, 11, 1, tzinfo=UTC), kind="approved", statement_id=1, revision=1, description=""
    )
    with Session(sqlite_engine) as session, pytest.raises(ledger.UnbalancedError, match="comes to 1 "):
        ledger.append_booking(session, transaction, "EUR", {"bank": 3, "listens": -2})


# -- rate plans ----------------------------------------------------------------------------------------------------

TERMS = {"currency": "EUR", "listen_price_cents": 1000, "ad_share_bp": 7000}


def add_plan(office: Office, show, from_day: str, status: int = 201, who: str = "ada", **terms) -> dict:
    body = {"from_day": from_day, **TERMS, **terms}
    answer = office.call(who, "POST", f"/v1/shows/{show.uuid}/rate-plans", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_plan_is_succeeded_only_after_what_was_closed(office: Office) -> None:
    show = office.show("carol")
    add_plan(office, show, "2026-09-01", minimum_cents=500)
    office.listens(office.episode(show), OCT_1, 1000)
    office.close("2026-10")
    refusal = add_plan(office, show, "2026-10-31", 409)
    assert (refusal["error"], "2026-11-01" in refusal["message"]) == ("plan_day", True)
    add_plan(office, show, "2026-11-01")
    assert add_plan(office, show, "2026-11-01", 409)["error"] == "plan_day"
    found = office.read("carol", f"/v1/shows/{show.uuid}/rate-plans")["items"]
    assert [(plan["from_day"], plan["minimum_cents"]) for plan in found] == [("2026-11-01", 0), ("2026-09-01", 500)]


def test_days_that_no_plan_was_for_may_get_their_first_one_later(office: Office) -> None:
    show, other = office.show("carol"), office.show("dave")
    episode = office.episode(show)
    office.plan(other)
    office.listens(episode, OCT_1, 1000)
    office.listens(office.episode(other), OCT_1, 1000)
    assert len(office.close("2026-10")) == 1
    add_plan(office, show, "2026-10-01")
    assert [row["total_cents"] for row in office.close("2026-10")] == [1000, 1000]


@pytest.mark.parametrize(
    "terms",
    [
        {"currency": "XYZ"},
        {"listen_price_cents": -1},
        {"listen_price_cents": 1.5},
        {"ad_share_bp": 10_001},
        {"from_day": "yesterday"},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(office: Office, terms: dict) -> None:
    show = office.show("carol")
    body = {"from_day": "2026-11-01", **TERMS, **terms}
    assert office.call("ada", "POST", f"/v1/shows/{show.uuid}/rate-plans", json=body).status_code == 422


def test_creators_read_their_own_plans_and_write_none(office: Office) -> None:
    show = office.show("carol")
    add_plan(office, show, "2026-11-01", 403, who="carol")
    assert office.read("carol", f"/v1/shows/{show.uuid}/rate-plans") == {"items": []}
    assert office.call("dave", "GET", f"/v1/shows/{show.uuid}/rate-plans").status_code == 404
