"""What waits to be paid leaves as a file: once, whole or not at all, as the bank's schema has it, and safe to open."""

import csv
import io
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
import sepaxml
import xmlschema
from httpx2 import Response

from api.settings import Settings
from tests.api.payouts.conftest import Office

IBAN, BIC = "DE89370400440532013000", "COBADEFFXXX"
NAMES = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An installation that knows which account pays."""
    payer = {"payer_name": "Earshot Zürich AG", "payer_iban": "NL91ABNA0417164300", "payer_bic": "ABNANL2A"}
    return settings.model_copy(update=payer)


def give_account(office: Office, who: str, name: str = "Carol C.", iban: str = IBAN, bic: str = "") -> dict:
    """Say where the money goes."""
    answer = office.call(who, "PUT", "/v1/payee", json={"name": name, "iban": iban, "bic": bic})
    assert answer.status_code == 200, answer.text
    return answer.json()


def approved(office: Office, who: str = "carol", listens: int = 1234, month: int = 10, **terms) -> dict:
    """A statement of a month that waits to be paid."""
    show = office.show(who)
    office.plan(show, **terms)
    office.listens(office.episode(show), date(2026, month, 3), listens)
    statements = office.close(f"2026-{month:02}")
    found = next(row for row in statements if row["creator"]["email"] == f"{who}@example.com")
    return office.step("grace", found, "approve")


def order(office: Office, currency: str = "EUR", who: str = "ada", **more) -> Response:
    """A payment order of all that waits and is in none; the payer's account is known."""
    return office.call(who, "POST", "/v1/payouts/batches", json={"currency": currency, **more})


def file_of(office: Office, made: dict, ending: str) -> Response:
    """An order's file."""
    return office.call("ada", "GET", f"/v1/payouts/batches/{made['id']}.{ending}")


def rows_of(office: Office, currency: str = "EUR", **more) -> list[dict[str, str]]:
    """The spreadsheet's rows of a new order; none when there is nothing to pay."""
    made = order(office, currency, csv_only=True, **more)
    if made.json().get("error") == "nothing_to_pay":
        return []
    assert made.status_code == 201, made.text
    return list(csv.DictReader(io.StringIO(file_of(office, made.json(), "csv").text)))


# -- accounts --------------------------------------------------------------------------------------------------------


def test_a_creator_sees_her_account_and_admins_see_it_masked(office: Office) -> None:
    given = give_account(office, "carol", "Carol  C.", " de89 3704 0044 0532 0130 00 ", "cobadeffxxx")
    assert (given["name"], given["iban"], given["bic"]) == ("Carol C.", IBAN, BIC)
    assert office.read("carol", "/v1/payee") == given
    carol = office.users["carol"].uuid
    assert office.read("ada", f"/v1/payee?creator={carol}")["iban"] == "DE89…3000"
    assert office.call("dave", "GET", f"/v1/payee?creator={carol}").status_code == 404
    assert office.call("dave", "GET", "/v1/payee").status_code == 404
    assert office.read("carol", f"/v1/payee?creator={carol}") == given


@pytest.mark.parametrize(
    ("iban", "bic", "why"),
    [
        ("DE89370400440532013001", "", "IBAN"),
        ("DE8937040044053201300", "", "IBAN"),
        ("XX89370400440532013000", "", "IBAN"),
        ("nonsense", "", "IBAN"),
        ("", "", "IBAN"),
        (IBAN, "COBA", "BIC"),
        (IBAN, "C0BADEFFXXX", "BIC"),
    ],
)
def test_an_account_that_cannot_be_is_refused(office: Office, iban: str, bic: str, why: str) -> None:
    answer = office.call("carol", "PUT", "/v1/payee", json={"name": "Carol", "iban": iban, "bic": bic})
    assert answer.status_code == 422
    assert f"The {why} is not right" in answer.json()["message"]


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "x" * 71])
def test_a_holder_has_a_name(office: Office, name: str) -> None:
    answer = office.call("carol", "PUT", "/v1/payee", json={"name": name, "iban": IBAN})
    assert answer.status_code == 422


def test_the_audit_trail_says_that_an_account_changed_and_not_which(office: Office) -> None:
    give_account(office, "carol")
    give_account(office, "carol", iban="NL91ABNA0417164300")
    trail = office.read("ada", f"/v1/audit-trail?subject=payee&subject_id={office.users['carol'].uuid}")
    assert trail["items"][0]["detail"]["from"]["iban"] == "DE89…3000"
    assert trail["items"][0]["detail"]["to"]["iban"] == "NL91…4300"
    assert IBAN not in str(trail)


# -- the files -------------------------------------------------------------------------------------------------------


def test_the_banks_file_follows_its_schema_and_has_every_payment(office: Office) -> None:
    give_account(office, "carol", "Çelik & Söhne <GmbH>", bic=BIC)
    give_account(office, "dave", "Жуков Дмитрий", "NL91ABNA0417164300")
    first, second = approved(office), approved(office, "dave", 999, month=9)
    made = order(office)
    assert made.status_code == 201, made.text
    assert (made.json()["formats"], made.json()["total_cents"]) == (["csv", "xml"], 2233)
    answer = file_of(office, made.json(), "xml")
    assert answer.headers["Content-Type"] == "application/xml"
    schema = Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd"
    xmlschema.XMLSchema(str(schema)).validate(answer.text)

    root = ET.fromstring(answer.content)
    payments = root.findall(".//p:CdtTrfTxInf", NAMES)
    sent = {
        UUID(payment.findtext("p:PmtId/p:EndToEndId", namespaces=NAMES)): (
            payment.findtext("p:Amt/p:InstdAmt", namespaces=NAMES),
            payment.findtext("p:Cdtr/p:Nm", namespaces=NAMES),
            payment.findtext("p:CdtrAcct/p:Id/p:IBAN", namespaces=NAMES),
        )
        for payment in payments
    }
    assert sent == {
        UUID(first["id"]): ("12.34", "Celik Sohne GmbH", IBAN),
        UUID(second["id"]): ("9.99", "Zhukov Dmitrii", "NL91ABNA0417164300"),
    }
    assert root.findtext(".//p:GrpHdr/p:CtrlSum", namespaces=NAMES) == "22.33"
    assert root.findtext(".//p:GrpHdr/p:NbOfTxs", namespaces=NAMES) == "2"
    assert root.findtext(".//p:Dbtr/p:Nm", namespaces=NAMES) == "Earshot Zurich AG"
    assert root.findtext(".//p:DbtrAcct/p:Id/p:IBAN", namespaces=NAMES) == "NL91ABNA0417164300"


def test_the_spreadsheet_has_amounts_in_the_currencys_own_units(office: Office) -> None:
    give_account(office, "carol", '=HYPERLINK("evil")')
    statement = approved(office, currency="JPY")
    (row,) = rows_of(office, "JPY")
    assert (row["statement"], row["amount"], row["amount_cents"]) == (statement["id"], "1234", "1234")
    assert row["name"] == '\'=HYPERLINK("evil")'
    give_account(office, "dave", "Dave")
    approved(office, "dave", 5)
    (row,) = rows_of(office)
    assert (row["amount"], row["currency"], row["iban"]) == ("0.05", "EUR", IBAN)


def test_only_what_is_approved_and_not_carried_over_is_paid(office: Office) -> None:
    give_account(office, "carol")
    give_account(office, "dave", "Dave")
    carried = approved(office, "carol", 100, month=9, minimum_cents=150)
    assert carried["is_carried"]
    assert rows_of(office) == []
    later = approved(office, "carol", 100, minimum_cents=150)
    (row,) = rows_of(office)
    assert (row["statement"], row["amount"]) == (later["id"], "2.00"), "with what it brings forward"
    office.step("ada", later, "pay", reference="TX-1")
    assert rows_of(office) == []


def test_nothing_is_half_exported_when_somebodys_account_is_not_known(office: Office) -> None:
    give_account(office, "carol")
    approved(office)
    approved(office, "dave")
    for answer in (order(office), order(office, csv_only=True)):
        assert (answer.status_code, answer.json()["error"]) == (409, "payee_missing")
        assert "dave@example.com (2026-10)" in answer.json()["message"]
        assert "carol" not in answer.json()["message"]
    assert office.read("ada", "/v1/payouts/batches") == {"items": [], "total": 0}


def test_other_currencies_have_a_spreadsheet_only(office: Office) -> None:
    give_account(office, "carol")
    approved(office, currency="USD")
    made = order(office, "USD").json()
    assert made["formats"] == ["csv"]
    answer = file_of(office, made, "xml")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert "Take its .csv" in answer.json()["message"]
    assert order(office, "nonsense").status_code == 422


def test_an_empty_file_is_not_made(office: Office) -> None:
    assert order(office).json()["error"] == "nothing_to_pay"


def test_a_name_that_no_bank_can_write_is_refused_by_name(office: Office) -> None:
    give_account(office, "carol", "\N{SPARKLES}")
    approved(office)
    answer = order(office)
    assert answer.status_code == 422
    assert "Latin letters" in answer.json()["message"]
    assert len(rows_of(office)) == 1, "it was put into no order"


@pytest.mark.parametrize(("field", "value"), [("payer_iban", ""), ("payer_iban", "NL00"), ("payer_bic", "x")])
def test_a_payer_that_is_not_known_is_asked_for(office: Office, settings: Settings, field: str, value: str) -> None:
    give_account(office, "carol")
    approved(office)
    office.client.app.state.settings = settings.model_copy(update={field: value})
    answer = order(office)
    assert (answer.status_code, answer.json()["error"]) == (409, "payer_missing")
    assert "EARSHOT_PAYER" in answer.json()["message"]
    assert order(office, csv_only=True).json()["formats"] == ["csv"]
