"""The bank is told once to pay a statement: nothing that stands in a payment order goes into another one."""

import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from api.settings import Settings
from tests.api.payouts.conftest import Office
from tests.api.payouts.test_batch import NAMES, approved, file_of, give_account, order, rows_of


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An installation that knows which account pays."""
    return settings.model_copy(update={"payer_name": "Earshot", "payer_iban": "NL91ABNA0417164300"})


@pytest.fixture
def statement(office: Office) -> dict:
    """Carol's October, approved."""
    give_account(office, "carol")
    return approved(office)


def trail(office: Office, subject: str, uuid: str) -> list[tuple[str, dict]]:
    """What was done to something, the last deed first."""
    found = office.read("ada", f"/v1/audit-trail?subject={subject}&subject_id={uuid}")["items"]
    return [(entry["action"], entry["detail"]) for entry in found]


def test_what_was_exported_is_not_exported_again(office: Office, statement: dict) -> None:
    made = order(office).json()
    assert [row["statement_id"] for row in made["statements"]] == [statement["id"]]
    answer = order(office)
    assert (answer.status_code, answer.json()["error"]) == (409, "nothing_to_pay")
    give_account(office, "dave", "Dave")
    later = approved(office, "dave", 500)
    assert [row["statement_id"] for row in order(office).json()["statements"]] == [later["id"]]
    listed = office.read("ada", "/v1/payouts/batches")
    assert [row["id"] for row in listed["items"]][1:] == [made["id"]]
    assert listed["total"] == 2


def test_an_order_of_one_month_leaves_the_others_for_the_next(office: Office, statement: dict) -> None:
    give_account(office, "dave", "Dave")
    september = approved(office, "dave", 500, month=9)
    (row,) = rows_of(office, month="2026-10")
    assert row["statement"] == statement["id"]
    (row,) = rows_of(office)
    assert row["statement"] == september["id"]


def test_an_order_is_given_again_byte_for_byte(office: Office, statement: dict, now: list) -> None:
    made = order(office).json()
    before = [file_of(office, made, ending).content for ending in made["formats"]]
    assert ET.fromstring(before[1]).findtext(".//p:MsgId", namespaces=NAMES) == made["message_id"]
    now[0] += timedelta(days=3)
    give_account(office, "carol", "Somebody Else", "NL91ABNA0417164300")
    office.step("ada", statement, "pay", reference="TX-1")
    assert [file_of(office, made, ending).content for ending in made["formats"]] == before


def test_a_call_that_is_sent_again_makes_one_order(office: Office, statement: dict) -> None:
    answers = [office.call("ada", "POST", "/v1/payouts/batches", key="k", json={"currency": "EUR"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert office.read("ada", "/v1/payouts/batches")["total"] == 1
    made = answers[0].json()
    ((action, detail),) = trail(office, "payout_batch", made["id"])
    assert (action, detail["statements"], detail["cents"]) == ("payout_batch.made", [statement["id"]], 1234)


def test_two_who_export_at_once_tell_the_bank_once(office: Office, statement: dict) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda who: order(office, who=who), ["ada", "grace"]))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert len(office.rows("SELECT statement_id FROM payout_export")) == 1


@pytest.mark.parametrize("step", ["void", "hold"])
def test_what_the_bank_may_be_paying_cannot_be_stopped(office: Office, statement: dict, step: str) -> None:
    made = order(office).json()
    refused = office.step("grace", statement, step, 409, reason="A mistake.")
    assert refused["error"] == "exported"
    assert made["id"] in refused["message"]
    assert office.statement(statement["id"]).state == "approved"
    assert rows_of(office) == []
    office.close("2026-10")
    assert rows_of(office) == []


def test_what_the_bank_refused_can_be_voided_and_is_paid_by_another_statement(office: Office, statement: dict) -> None:
    made = order(office).json()
    voided = office.step("grace", statement, "void", reason="The account is closed.", bank_refused=True)
    assert voided["state"] == "void"
    action, detail = trail(office, "statement", statement["id"])[0]
    assert action == "statement.voided"
    assert (detail["bank_refused"], detail["payout_batch"]) == (True, made["id"])
    action, detail = trail(office, "payout_batch", made["id"])[0]
    assert (action, detail["reason"]) == ("payout_batch.refused", "The account is closed.")
    (row,) = office.read("ada", "/v1/payouts/batches")["items"][0]["statements"]
    assert (row["refused_reason"], row["state"]) == ("The account is closed.", "void")
    (again,) = office.close("2026-10")
    again = office.step("grace", again, "approve")
    assert [row["statement"] for row in rows_of(office)] == [again["id"]]


def test_what_the_bank_refused_can_be_held_and_goes_into_the_next_order(office: Office, statement: dict) -> None:
    order(office)
    held = office.step("grace", statement, "hold", reason="Which account?", bank_refused=True)
    assert rows_of(office) == []
    give_account(office, "carol", iban="NL91ABNA0417164300")
    office.step("grace", held, "release", reason="She gave another one.")
    assert [row["iban"] for row in rows_of(office)] == ["NL91ABNA0417164300"]
    assert rows_of(office) == []


def test_no_bank_refuses_what_it_was_not_told(office: Office, statement: dict) -> None:
    answer = office.step("grace", statement, "void", 409, reason="A mistake.", bank_refused=True)
    assert answer["error"] == "exported"
    assert "no payment order" in answer["message"]


def test_a_stale_decision_takes_nothing_out_of_its_order(office: Office, statement: dict) -> None:
    order(office)
    stale = {**statement, "revision": statement["revision"] - 1}
    answer = office.step("grace", stale, "void", 409, reason="A mistake.", bank_refused=True)
    assert answer["error"] == "stale_revision"
    assert rows_of(office) == []
