"""Closing a month drafts one statement for each creator and currency, from all that is counted by then."""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import Connection, insert, text

from models import statements as rules
from models.advertising import HeldDay
from tests.api.payouts.conftest import Office

OCT_1, OCT_2, OCT_31, SEP_30 = date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 31), date(2026, 9, 30)
NOV_1 = date(2026, 11, 1)


def test_a_statement_has_a_line_for_each_episode_and_adds_up(office: Office) -> None:
    show = office.show("carol")
    first, second = office.episode(show), office.episode(show)
    office.plan(show, listen_price_cents=333)
    office.listens(first, OCT_1, 4)
    office.listens(second, OCT_31, 2)
    office.listens(second, NOV_1, 50)
    (statement,) = office.close("2026-10")
    assert (statement["state"], statement["month"], statement["currency"]) == ("draft", "2026-10", "EUR")
    assert statement["creator"]["email"] == "carol@example.com"
    lines = office.lines(statement)
    assert [(line["episode_id"], line["quantity"]) for line in lines] == [(str(first.uuid), 4), (str(second.uuid), 2)]
    # 1.332 and 0.666 cents are 1.998: two cents, one of them for the larger remainder.
    assert [line["amount_cents"] for line in lines] == [1, 1]
    assert statement["total_cents"] == 2


def test_a_month_that_is_not_over_is_refused_with_the_moment_when_it_is(office: Office, now: list[datetime]) -> None:
    answer = office.call("ada", "POST", "/v1/payouts/close", json={"month": "2026-11"})
    assert answer.status_code == 409
    assert answer.json()["error"] == "month_not_over"
    assert "2026-12-01 00:00 UTC" in answer.json()["message"]
    now[0] = datetime(2026, 12, 1, tzinfo=UTC) - timedelta(microseconds=1)
    assert office.call("ada", "POST", "/v1/payouts/close", json={"month": "2026-11"}).status_code == 409
    now[0] = datetime(2026, 12, 1, tzinfo=UTC)
    assert office.close("2026-11") == []


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "0000-01", "Oct 2026", "9999-12", "0001-01"])
def test_what_is_no_month_is_refused(office: Office, month: str) -> None:
    assert office.call("ada", "POST", "/v1/payouts/close", json={"month": month}).status_code == 422


def test_closing_again_changes_nothing_and_what_came_later_waits_for_the_next_month(
    office: Office, now: list[datetime]
) -> None:
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show)
    office.listens(episode, OCT_1, 1000)
    office.listens(episode, OCT_2, 50)
    (statement,) = office.close("2026-10")
    office.listens(episode, OCT_1, 1300)
    assert office.close("2026-10") == [statement]
    now[0] = datetime(2026, 12, 2, tzinfo=UTC)
    office.listens(episode, NOV_1, 10)
    (later,) = office.close("2026-11")
    assert [(line["month"], line["quantity"], line["counted"], line["is_late"]) for line in office.lines(later)] == [
        ("2026-10", 300, 1350, True),
        ("2026-11", 10, 10, False),
    ]


def test_what_is_held_is_on_the_statement_unpaid_and_is_paid_after_its_release(
    office: Office, now: list[datetime]
) -> None:
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show)
    office.listens(episode, OCT_1, 1000)
    office.held(episode, OCT_1, 200)
    office.held(episode, OCT_1, 50, state="void")
    (line,) = office.lines(office.close("2026-10")[0])
    assert (line["counted"], line["quantity"], line["held"], line["void"]) == (1000, 750, 200, 50)
    now[0] = datetime(2026, 12, 2, tzinfo=UTC)
    assert office.close("2026-11") == []
    office.held(episode, OCT_1, 0)
    now[0] = datetime(2027, 1, 2, tzinfo=UTC)
    (line,) = office.lines(office.close("2026-12")[0])
    assert (line["month"], line["quantity"], line["held"], line["void"]) == ("2026-10", 200, 0, 50)


def test_what_turns_out_void_after_it_was_settled_is_taken_back(office: Office, now: list[datetime]) -> None:
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show)
    office.listens(episode, OCT_1, 1000)
    office.close("2026-10")
    office.held(episode, OCT_1, 400, state="void")
    now[0] = datetime(2026, 12, 2, tzinfo=UTC)
    (statement,) = office.close("2026-11")
    assert (statement["total_cents"], statement["is_carried"]) == (-400, True)


def test_each_day_is_paid_by_the_plan_of_its_day_and_days_before_the_first_wait(office: Office) -> None:
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show, OCT_1, listen_price_cents=1000)
    office.plan(show, OCT_31, listen_price_cents=2000)
    for day in (SEP_30, OCT_1, OCT_31):
        office.listens(episode, day, 100)
    (statement,) = office.close("2026-10")
    assert [(line["quantity"], line["amount_cents"]) for line in office.lines(statement)] == [(100, 100), (100, 200)]
    pending = office.read("carol", "/v1/payouts/pending")
    assert (pending["total"]["no_plan"], pending["total"]["settled"], pending["total"]["counted"]) == (100, 200, 300)


def test_ads_pay_the_share_of_what_the_advertiser_is_charged(office: Office) -> None:
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show, ad_share_bp=6000)
    campaign = office.campaign(price_cents=2500)
    office.impressions(office.place(campaign, episode), OCT_1, confirmed=1000, delivered=5000)
    (statement,) = office.close("2026-10")
    (line,) = office.lines(statement)
    assert (line["kind"], line["quantity"], line["gross_cents"], line["amount_cents"]) == ("ads", 1000, 2500, 1500)
    assert line["campaign_id"] == str(campaign.uuid)


def test_a_campaign_billed_on_delivery_pays_for_deliveries(office: Office) -> None:
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show)
    placement = office.place(office.campaign(billing="delivered"), episode)
    office.impressions(placement, OCT_1, confirmed=10, delivered=500)
    office.held(episode, OCT_1, 3, placement=placement)
    office.held(episode, OCT_1, 100, placement=placement, kind="delivered")
    (line,) = office.lines(office.close("2026-10")[0])
    assert (line["counted"], line["quantity"], line["held"]) == (500, 400, 100)


def test_a_budget_is_never_passed_over_several_creators_and_months(office: Office, now: list[datetime]) -> None:
    campaign = office.campaign(price_cents=999, budget_cents=1000)  # 1,001 impressions
    for owner in ("carol", "dave"):
        show = office.show(owner)
        office.plan(show)
        episode = office.episode(show)
        placement = office.place(campaign, episode)
        office.impressions(placement, OCT_1, 333)
        office.impressions(placement, NOV_1, 333)
    first = office.close("2026-10")
    assert len(first) == 2
    assert office.gross(campaign) == 666 * 999 // 1000
    now[0] = datetime(2026, 12, 2, tzinfo=UTC)
    lines = [line for statement in office.close("2026-11") for line in office.lines(statement)]
    assert sorted((line["quantity"], line["unbilled"]) for line in lines) == [(2, 331), (333, 0)]
    assert office.gross(campaign) == 1001 * 999 // 1000 <= 1000


def test_currencies_are_apart(office: Office) -> None:
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show, minimum_cents=5000)
    office.listens(episode, OCT_1, 1000)
    office.impressions(office.place(office.campaign(currency="USD"), episode), OCT_1, 1000)
    found = {row["currency"]: row for row in office.close("2026-10")}
    assert {name: row["total_cents"] for name, row in found.items()} == {"EUR": 1000, "USD": 1400}
    assert {name: row["is_carried"] for name, row in found.items()} == {"EUR": True, "USD": False}


def test_too_little_is_carried_over_until_it_comes_to_the_minimum(office: Office, now: list[datetime]) -> None:
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show, minimum_cents=250)
    carried = []
    for month, day in (("2026-10", OCT_1), ("2026-11", NOV_1), ("2026-12", date(2026, 12, 1))):
        now[0] = datetime(2027, 1, 2, tzinfo=UTC)
        office.listens(episode, day, 100)
        (statement,) = office.close(month)
        carried.append((statement["brought_forward_cents"], statement["payable_cents"], statement["is_carried"]))
        office.step("grace", statement, "approve")
    assert carried == [(0, 100, True), (100, 200, True), (200, 300, False)]
    first = office.read("ada", "/v1/statements?month=2026-10")["items"][0]
    second = office.read("ada", "/v1/statements?month=2026-11")["items"][0]
    assert first["carried_into"] == second["id"]


def test_without_lines_there_is_a_statement_only_when_what_was_carried_is_now_enough(
    office: Office, now: list[datetime]
) -> None:
    show = office.show("carol")
    office.plan(show, minimum_cents=150)
    office.listens(office.episode(show), OCT_1, 100)
    office.step("grace", office.close("2026-10")[0], "approve")
    now[0] = datetime(2027, 1, 2, tzinfo=UTC)
    assert office.close("2026-11") == []
    office.plan(show, date(2026, 12, 1), minimum_cents=50)
    (statement,) = office.close("2026-12")
    assert (statement["total_cents"], statement["payable_cents"], statement["is_carried"]) == (0, 100, False)


def test_inputs_are_pinned_and_say_the_lines_alone(office: Office) -> None:
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show, listen_price_cents=777)
    office.listens(episode, OCT_1, 10)
    office.listens(episode, OCT_2, 11)
    placement = office.place(office.campaign(price_cents=1234), episode)
    office.impressions(placement, OCT_1, 99)
    with office.engine.begin() as connection:
        connection.execute(text("UPDATE consumer_offset SET next_offset = 321"))
    (statement,) = office.close("2026-10")
    row = office.statement(statement["id"])
    inputs = rules.unpack(row.inputs)
    assert sha256(rules.canonical(inputs)).digest() == row.inputs_hash == bytes.fromhex(statement["inputs_hash"])
    assert statement["position"] == inputs["position"] == {"0": 321}
    assert inputs["creator"] == str(office.users["carol"].uuid)
    worked = rules.work_out(inputs)
    assert [(line.quantity, line.amount_cents, line.gross_cents) for line in worked.lines] == [
        (line["quantity"], line["amount_cents"], line["gross_cents"]) for line in office.lines(statement)
    ]
    assert worked.total_cents == statement["total_cents"]


def test_a_void_month_is_drafted_anew_with_what_is_counted_by_then(office: Office) -> None:
    show, other = office.show("carol"), office.show("dave")
    episode = office.episode(show)
    for each in (show, other):
        office.plan(each)
    office.listens(episode, OCT_1, 1000)
    office.listens(office.episode(other), OCT_1, 500)
    mine, theirs = office.close("2026-10")
    office.step("ada", mine, "void", reason="A wrong price.")
    office.listens(episode, OCT_1, 1100)
    again = office.close("2026-10")
    assert again[0] == theirs
    assert (again[1]["total_cents"], again[1]["id"] == mine["id"]) == (1100, False)
    assert sum(office.settled().values()) == 1600


def test_what_a_deleted_show_was_heard_is_paid(office: Office) -> None:
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show)
    office.listens(episode, OCT_1, 1000)
    office.call("carol", "DELETE", f"/v1/shows/{show.uuid}")
    assert office.close("2026-10")[0]["total_cents"] == 1000


def test_only_days_that_would_be_paid_are_looked_at_for_fraud(
    office: Office, now: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[set[date]] = []
    monkeypatch.setattr("api.payouts.close.scan", lambda _connection, days, _now: looked.append(set(days)))
    paid, free = office.show("carol"), office.show("dave")
    episode, unpaid = office.episode(paid), office.episode(free)
    office.plan(paid, OCT_1)
    for day in (SEP_30, OCT_1):
        office.listens(episode, day, 10)
    office.listens(unpaid, OCT_2, 10)
    placement = office.place(office.campaign(price_cents=1000, budget_cents=10), episode)
    for day in (OCT_1, OCT_31):
        office.impressions(placement, day, 10)
    office.close("2026-10")
    assert looked == [{OCT_1}], "not those without a plan, nor the one beyond the budget"
    office.listens(episode, OCT_2, 7)
    office.close("2026-10")
    assert looked == [{OCT_1}], "what came since waits for the next close"
    now[0] = datetime(2026, 12, 2, tzinfo=UTC)
    office.close("2026-11")
    assert looked == [{OCT_1}, {OCT_2}]


def test_a_day_that_is_paid_since_another_is_held_is_looked_at_too(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show)
    placement = office.place(office.campaign(price_cents=1000, budget_cents=10), episode)
    for day in (OCT_1, OCT_2):
        office.impressions(placement, day, 10)
    looked: list[set[date]] = []

    def find(connection: Connection, days: set[date], _now: datetime) -> None:
        looked.append(set(days))
        if OCT_1 in days:
            key = {"episode_id": episode.id, "day": OCT_1, "placement_id": placement.id, "kind": "confirmed"}
            held = HeldDay(**key, state="open", rule="over_24_hours", number=4)
            connection.execute(insert(HeldDay).values(**held.model_dump()))

    monkeypatch.setattr("api.payouts.close.scan", find)
    office.close("2026-10")
    assert looked == [{OCT_1}, {OCT_2}]
    assert sorted(office.settled().values()) == [4, 6]
