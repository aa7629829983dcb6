"""Statements, holds, the ledger and earnings, as browsers get them; the forms write through the real API."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from models.tables import Episode, Role
from tests.api.payouts.conftest import Office, staff
from tests.dashboard.paid import NOW, OCTOBER, SEPTEMBER, Browser, put_hold, statement_row, table
from tests.dashboard.test_campaign_forms import labelled
from tests.dashboard.test_pages import words

UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """The store that the dashboard reads."""
    return sqlite_url


@pytest.fixture
def office(dashboard_store: Engine, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Two admins and two creators, on 10 November 2026; what is held is what a test puts there."""
    for module in ("api", "dashboard"):
        monkeypatch.setattr(f"{module}.clock.now", lambda: NOW)
        monkeypatch.setattr(f"{module}.clock.now_ms", lambda: int(NOW.timestamp() * 1000))
    monkeypatch.setattr("api.payouts.close.scan", lambda *_: None)
    return staff(Office(dashboard_store, client))


@pytest.fixture
def browser(office: Office, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Somebody's browser."""
    return Browser(office, monkeypatch)


@pytest.fixture
def episode(office: Office) -> Episode:
    """Carol's, paid 10 EUR for 1,000 listens; heard 2,000 times in October and 500 times in September."""
    show = office.show("carol")
    office.plan(show)
    episode = office.episode(show)
    office.listens(episode, OCTOBER, 2000)
    office.listens(episode, SEPTEMBER, 500)
    return episode


@pytest.fixture
def october(office: Office, episode: Episode) -> dict[str, Any]:
    """The draft of October, which Ada closed after September; 100 listens of September came late."""
    office.close("2026-09")
    office.listens(episode, SEPTEMBER, 600)
    (statement,) = office.close("2026-10")
    return statement


def press(app: AppTest, label: str) -> AppTest:
    """Press a button."""
    return labelled(app.button, label).click().run()


def said(app: AppTest) -> str:
    """What came of a form."""
    return "\n".join(element.value for element in [*app.success, *app.error])


def metrics(app: AppTest) -> dict[str, str]:
    """What each card says."""
    return {metric.label: metric.value for metric in app.metric}


# -- admins: the queue and a statement -------------------------------------------------------------------------------


def test_an_admin_sees_what_speaks_for_and_against_a_statement(
    browser: Browser, office: Office, episode: Episode, october: dict[str, Any]
) -> None:
    office.held(episode, OCTOBER, 30)
    page = words(browser.statement("grace", october))
    assert "**Drafted** by ada" in page
    assert "10 Nov 2026, 12:00 UTC" in page
    assert "**Change**: \N{MULTIPLICATION SIGN} 4.2 against €5.00 in September 2026" in page
    assert "**Late**: 100 listens and impressions of earlier months, €1.00" in page
    assert "**Held back**: 30 listens and impressions of this month, by 1 rule" in page
    assert "Played for over 24 hours" in page
    assert "cannot be said" in page


def test_a_statement_s_page_says_what_the_api_says(browser: Browser, office: Office, october: dict[str, Any]) -> None:
    app = browser.statement("grace", october)
    assert metrics(app)["To pay"] == "€21.00"
    rows = table(app, "episode", "amount", "gross")
    assert [(row["month"], row["quantity"], row["amount"]) for row in rows] == [
        ("Sep 2026, late", 100, "€1.00"),
        ("Oct 2026", 2000, "€20.00"),
    ]
    assert [row["quantity"] for row in rows] == [line["quantity"] for line in office.lines(october)]
    assert october["inputs_hash"] in words(app)


def test_a_statement_goes_from_draft_to_paid_on_its_page(
    browser: Browser, office: Office, october: dict[str, Any]
) -> None:
    app = press(browser.statement("grace", october), "Approve")
    assert "Approved. The amounts are booked." in said(app)
    labelled(app.text_input, "Reference of the payment").input("T-1001")
    app = press(app, "Mark as paid")
    assert "Paid, and booked." in said(app)
    row = statement_row(office.engine, october)
    assert (row.state, row.paid_reference, row.revision) == ("paid", "T-1001", 2)
    assert [row["account"] for row in table(app, "debit", "credit")] == [
        "Bank",
        "Creator carol@example.com",
        "Creator carol@example.com",
        "Listens (expense)",
    ]


def test_whoever_drafted_a_statement_is_not_offered_to_approve_it(browser: Browser, october: dict[str, Any]) -> None:
    app = browser.statement("ada", october)
    assert "You drafted it, so another admin approves it." in words(app)
    assert "Approve" not in [button.label for button in app.button]


def test_who_comes_second_is_told_who_was_first(browser: Browser, office: Office, october: dict[str, Any]) -> None:
    office.hire("mary", Role.ADMIN)
    app = browser.statement("grace", october)
    office.step("mary", october, "hold", reason="The bank asked.")
    app = press(app, "Approve")
    assert "statement.held by mary@example.com" in said(app)
    assert statement_row(office.engine, october).state == "held"
    # The page shows what is so now, and what can be done with that.
    assert "Held: The bank asked" in words(app)
    labelled(app.text_input, "Why it may go on").input("They are content.")
    press(app, "Release")
    assert statement_row(office.engine, october).state == "draft"


def test_a_step_that_needs_a_reason_is_not_taken_without(
    browser: Browser, office: Office, october: dict[str, Any]
) -> None:
    app = press(browser.statement("grace", october), "Void")
    assert "it stays in the audit trail" in said(app)
    assert statement_row(office.engine, october).state == "draft"


def test_the_desk_lists_what_waits_the_oldest_first(browser: Browser, office: Office, october: dict[str, Any]) -> None:
    app = browser.desk("grace")
    rows = table(app, "step")
    assert [(row["month"], row["step"]) for row in rows] == [
        ("September 2026", "Approve it"),
        ("October 2026", "Approve it"),
    ]
    assert metrics(app)["To approve"] == "2"
    office.step("grace", october, "approve")
    app = browser.desk("grace")
    assert [row["step"] for row in table(app, "step")] == ["Approve it", "Pay it"]
    # Carol has written no bank account yet.
    assert "No bank account is known of carol" in app.warning[0].value


def test_a_month_is_closed_from_the_desk(browser: Browser, office: Office, episode: Episode) -> None:
    app = browser.desk("ada")
    assert "There are no statements yet" in words(app)
    app = press(app, "Close the month")
    assert "October 2026 is closed." in said(app)
    assert [row["total"] for row in table(app, "step")] == ["€25.00"]


def test_a_payment_order_is_made_once_and_gives_its_file(
    browser: Browser, office: Office, october: dict[str, Any]
) -> None:
    office.call("carol", "PUT", "/v1/payee", json={"name": "Carol", "iban": "DE89370400440532013000"})
    office.step("grace", october, "approve")
    app = browser.desk("grace")
    assert "**1** transfer, €21.00" in words(app)
    labelled(app.checkbox, "Only a CSV, no file for the bank (SEPA)").check()
    app = press(app, "Make the payment order")
    assert "The order is made." in said(app)
    assert "is in an order already" in words(app)
    assert "**€21.00** · 1 payment" in words(app)
    (order,) = office.read("grace", "/v1/payouts/batches")["items"]
    assert (order["total_cents"], order["formats"]) == (2100, ["csv"])


def test_what_the_bank_was_told_to_pay_is_voided_only_when_it_refused(
    browser: Browser, office: Office, october: dict[str, Any]
) -> None:
    office.call("carol", "PUT", "/v1/payee", json={"name": "Carol", "iban": "DE89370400440532013000"})
    office.step("grace", october, "approve")
    made = office.call("grace", "POST", "/v1/payouts/batches", json={"currency": "EUR", "csv_only": True})
    assert made.status_code == 201
    app = browser.statement("grace", october)
    labelled(app.text_input, "Why it should never have been").input("Twice the same.")
    app = press(app, "Void")
    assert "tells the bank to pay it" in said(app)
    refused = [box for box in app.checkbox if "-void-refused-" in box.key]
    labelled(app.text_input, "Why it should never have been").input("The account is closed.")
    refused[0].check()
    press(app, "Void")
    assert statement_row(office.engine, october).state == "void"


# -- creators --------------------------------------------------------------------------------------------------------


def test_a_creator_sees_what_is_hers_and_what_became_of_every_listen(
    browser: Browser, office: Office, episode: Episode, october: dict[str, Any]
) -> None:
    office.listens(episode, NOW.date(), 300)
    office.held(episode, NOW.date(), 40)
    app = browser.earnings("carol")
    total = office.read("carol", "/v1/payouts/pending")["total"]
    assert metrics(app)["Drafted"] == "€26.00"
    assert metrics(app)["Pending"] == "€2.60"
    assert [amount["cents"] for amount in total["pending_amounts"]] == [260]
    cells = table(app, "counted", "settled", "pending")
    parts = ("settled", "pending", "held", "void", "unbilled", "unplanned")
    assert all(row["counted"] == sum(row[part] for part in parts) for row in cells)
    assert sum(row["counted"] for row in cells) == total["counted"]
    assert sum(row["held"] for row in cells) == total["held"] == 40
    (late,) = table(app, "heard", "settled", "quantity")
    assert (late["heard"], late["settled"], late["quantity"], late["amount"]) == ("Sep 2026", "Oct 2026", 100, "€1.00")


def test_a_creator_s_statement_names_no_admins_and_no_advertisers_prices(
    browser: Browser, office: Office, episode: Episode
) -> None:
    campaign = office.campaign()
    office.impressions(office.place(campaign, episode), OCTOBER, confirmed=1000)
    (statement,) = office.close("2026-10")
    office.step("grace", statement, "hold", reason="We look again.")
    app = browser.statement("carol", statement)
    shown = words(app) + "".join(frame.value.to_string() for frame in app.dataframe)
    assert "Held: We look again" in app.warning[0].value
    assert "ada" not in shown
    assert "grace" not in shown
    assert "Void" not in [button.label for button in app.button]
    # 1,000 at 20 EUR, of which she has 70 %.
    assert "€14.00" in shown
    assert "gross" not in set().union(*(frame.value.columns for frame in app.dataframe))
    assert "€20.00" in [row["amount"] for row in table(app, "episode", "amount")]


def test_another_creator_s_statement_is_not_there(browser: Browser, october: dict[str, Any]) -> None:
    assert [title.value for title in browser.statement("dave", october).title] == ["No such statement"]


def test_a_creator_reads_why_something_is_held_and_nothing_of_devices(
    browser: Browser, office: Office, episode: Episode
) -> None:
    put_hold(office, episode)
    app = browser.open("carol", "holds", "render_for_creator")
    (row,) = table(app, "rule", "playbacks")
    assert (row["rule"], row["state"], row["playbacks"]) == ("The very same seconds", "Held", 2)
    assert "devices" not in row
    (kept,) = table(app, "listens", "impressions")
    assert (kept["listens"], kept["impressions"]) == (1, 0)
    assert "Nothing of your shows is held back" in words(browser.open("dave", "holds", "render_for_creator"))


def test_a_creator_writes_her_bank_account(browser: Browser, office: Office, episode: Episode) -> None:
    app = browser.open("carol", "terms")
    assert "None is known yet" in words(app)
    labelled(app.text_input, "Name of the account's holder").input("Carol Quill")
    labelled(app.text_input, "IBAN").input("DE89 3704 0044 0532 0130 01")
    app = press(app, "Save the bank account")
    assert "The IBAN is not right" in said(app)
    labelled(app.text_input, "IBAN").input("DE89 3704 0044 0532 0130 00")
    app = press(app, "Save the bank account")
    assert "Saved." in said(app)
    assert office.read("carol", "/v1/payee")["iban"] == "DE89370400440532013000"


def test_a_creator_sees_the_ads_in_her_shows(browser: Browser, office: Office, episode: Episode) -> None:
    placement = office.place(office.campaign(), episode)
    office.impressions(placement, OCTOBER, confirmed=40, delivered=90)
    (row,) = table(browser.open("carol", "ads"), "campaign", "delivered")
    assert (row["campaign"], row["delivered"], row["confirmed"], row["state"]) == ("Tea", 90, 40, "Running")


# -- admins: holds, plans, ledger, trail -----------------------------------------------------------------------------


def test_an_admin_refuses_what_a_rule_found(browser: Browser, office: Office, episode: Episode) -> None:
    hold = put_hold(office, episode)
    assert [row["rule"] for row in table(browser.open("grace", "holds", pages=1), "rule", "devices")] == [
        "The very same seconds"
    ]
    app = browser.open("grace", "hold", pages=1, hold=str(hold.uuid))
    assert ("Devices", "2", "measured") in [tuple(row.values()) for row in table(app, "what", "value")]
    app = press(app, "Refuse")
    assert "Write under" in said(app)
    labelled(app.text_input, "Why it is not").input("All of one factory.")
    app = press(app, "Refuse")
    assert "Refused: what it flags is never paid." in said(app)
    assert office.read("grace", f"/v1/holds/{hold.uuid}")["state"] == "void"
    assert "All of one factory" in words(app)


def test_a_rate_plan_is_added_and_what_is_no_amount_is_refused(browser: Browser, office: Office) -> None:
    show = office.show("dave")
    app = browser.open("ada", "terms", "render_for_admin")
    assert "Without a plan" in words(app)
    labelled(app.text_input, "Price for 1,000 listens").input("a lot")
    app = press(app, "Add the rate plan")
    assert "Write the price as an amount of EUR" in said(app)
    labelled(app.text_input, "Price for 1,000 listens").input("22.50")
    labelled(app.text_input, "Share of ad revenue, %").input("62.5")
    app = press(app, "Add the rate plan")
    assert "has a plan from 2026-11-10 on" in said(app)
    (plan,) = office.read("dave", f"/v1/shows/{show.uuid}/rate-plans")["items"]
    assert (plan["listen_price_cents"], plan["ad_share_bp"], plan["minimum_cents"]) == (2250, 6250, 0)
    (row,) = table(browser.open("dave", "terms"), "price", "share")
    assert (row["price"], row["share"], row["state"]) == ("€22.50", 62.5, "In force")


def test_the_ledger_comes_to_zero_and_names_accounts(browser: Browser, office: Office, october: dict[str, Any]) -> None:
    assert "Nothing is booked yet" in words(browser.open("grace", "ledger"))
    office.step("grace", october, "approve")
    app = browser.open("grace", "ledger")
    assert "All accounts together: <b>€0.00</b>" in words(app)
    balances = {row["name"]: (row["balance"], row["side"]) for row in table(app, "balance", "side")}
    assert balances["Creator carol@example.com"] == ("€21.00", "credit")
    assert balances["Listens (expense)"] == ("€21.00", "debit")
    app = browser.open("grace", "ledger", account="listens")
    assert "Bookings of Listens" in words(app)


def test_the_trail_says_who_did_what_and_why(browser: Browser, office: Office, october: dict[str, Any]) -> None:
    office.step("grace", october, "hold", reason="The bank asked.")
    app = browser.open("grace", "trail")
    first = table(app, "action", "about")[0]
    assert (first["by"], first["action"]) == ("grace@example.com", "Statement: held")
    assert first["about"] == "Oct 2026, EUR, carol@example.com"
    assert "The bank asked." in first["why"]
    assert "Draft → Held" in first["why"]
    labelled(app.selectbox, "Who").select("ada@example.com").run()
    assert {row["by"] for row in table(app, "action", "about")} == {"ada@example.com"}
    labelled(app.selectbox, "What").select("hold").run()
    assert "Nothing was done like that" in words(app)


def test_no_page_shows_an_id(browser: Browser, office: Office, episode: Episode, october: dict[str, Any]) -> None:
    office.impressions(office.place(office.campaign(), episode), OCTOBER, confirmed=1000)
    hold = put_hold(office, episode)
    office.step("grace", october, "approve")
    pages = [
        browser.desk("grace"),
        browser.statement("grace", october),
        browser.open("grace", "holds", pages=1),
        browser.open("grace", "hold", pages=1, hold=str(hold.uuid)),
        browser.open("grace", "terms", "render_for_admin"),
        browser.open("grace", "ledger"),
        browser.open("grace", "trail"),
        browser.earnings("carol"),
        browser.statement("carol", october),
        browser.open("carol", "ads"),
    ]
    for app in pages:
        assert not UUID_TEXT.search(words(app) + "".join(seen(app))), app.title[0].value


def seen(app: AppTest) -> list[str]:
    """The tables as somebody sees them: without the columns that only say what a click opens."""
    tables = [frame.value.drop(columns=["uuid"], errors="ignore") for frame in app.dataframe]
    return [
        (frame.drop(columns=["account"]) if {"name", "balance"} <= set(frame.columns) else frame).to_string()
        for frame in tables
    ]


@pytest.mark.parametrize(
    ("page", "function", "pages", "advice"),
    [
        ("statements", "render", 2, "There are no statements yet"),
        ("holds", "render", 1, "Nothing waits for a decision"),
        ("terms", "render_for_admin", 0, "There are no shows yet"),
        ("ledger", "render", 0, "Close a month on the page Statements"),
        ("trail", "render", 0, "Every approval, payment, hold"),
    ],
)
def test_an_empty_page_says_what_comes_next(
    browser: Browser, page: str, function: str, pages: int, advice: str
) -> None:
    assert advice in words(browser.open("ada", page, function, pages))


def test_a_creator_without_a_plan_is_told_whom_to_ask(browser: Browser) -> None:
    assert "your shows have no rate plan" in words(browser.earnings("dave"))
