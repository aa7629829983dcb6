"""What waits to be paid, as a file for a spreadsheet and one for the bank. Nothing is half exported."""

import csv
import io
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from sepaxml import SepaTransfer
from sepaxml.validation import ValidationError
from sqlmodel import Session
from text_unidecode import unidecode

from api import clock
from api.csv_cells import safe_cell
from api.errors import ConflictError, InvalidError
from api.payouts.payees import parse_bic, parse_iban
from api.settings import Settings
from models.payouts import Payee, Statement
from models.queries import payees
from models.tables import User

SCHEMA = "pain.001.001.09"
"""ISO 20022, customer credit transfer initiation; the version that SEPA uses since 2023."""
SEPA_CURRENCY = "EUR"
COLUMNS = (
    "statement", "month", "creator", "name", "iban", "bic", "account_changed_at", "currency", "amount", "amount_cents",
)  # fmt: skip
MAX_NAME = 70
_NOT_SEPA = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]+")
"""What banks of SEPA need not take: EPC217-08."""


class PayeeMissingError(ConflictError):
    """A statement waits for a payment, and where the money goes is not known."""

    code = "payee_missing"


class PayerMissingError(ConflictError):
    """The account that pays is not in the settings."""

    code = "payer_missing"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment: a statement with all that it brings forward."""

    statement: Statement
    creator: User
    payee: Payee

    @property
    def cents(self) -> int:
        """What is paid, in the currency's minor units."""
        return self.statement.total_cents + self.statement.brought_forward_cents


def list_transfers(session: Session, currency: str, month: date | None) -> list[Transfer]:
    """What waits to be paid and is in no payment order. Raises PayeeMissingError with the name of everybody whose
    account is not known."""
    rows = payees.list_payable(session, currency, month)
    missing = [f"{user.email} ({row.month:%Y-%m})" for row, user, payee in rows if payee is None]
    if missing:
        raise PayeeMissingError(
            f"No bank account is known for {', '.join(missing)}. They give one with PUT /v1/payee; or hold their "
            "statements. Nothing was exported."
        )
    return [Transfer(row, user, payee) for row, user, payee in rows if payee is not None]


# -- for a spreadsheet -------------------------------------------------------------------------------------------------


def as_csv(transfers: list[Transfer]) -> str:
    """A line for each payment, RFC 4180; the amount in the currency's units with a point, and in its minor units."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([safe_cell(cell) for cell in _cells(transfer)] for transfer in transfers)
    return text.getvalue()


def _cells(transfer: Transfer) -> list[object]:
    statement, payee = transfer.statement, transfer.payee
    amount = Decimal(transfer.cents).scaleb(-get_currency_precision(statement.currency))
    return [
        str(statement.uuid),
        f"{statement.month:%Y-%m}",
        transfer.creator.email,
        payee.name,
        payee.iban,
        payee.bic,
        payee.updated_at.isoformat(timespec="seconds"),
        statement.currency,
        f"{amount:f}",
        transfer.cents,
    ]


# -- for the bank ------------------------------------------------------------------------------------------------------


class _Document(SepaTransfer):  # type: ignore[misc]  # the library has no types
    """A document whose identification is the payment order's: banks refuse the same one a second time."""

    def __init__(self, config: dict[str, Any], message_id: str) -> None:
        self._message_id = message_id
        super().__init__(config, schema=SCHEMA, clean=True)

    def _create_header(self) -> None:
        self.msg_id = self._message_id
        super()._create_header()


def as_xml(transfers: list[Transfer], settings: Settings, message_id: str) -> bytes:
    """An ISO 20022 document for the bank, checked against its schema: SEPA transfers, in EUR only."""
    document = _Document(_payer(settings), message_id)
    for transfer in transfers:
        document.add_payment(_payment(transfer))
    try:
        return bytes(document.export(validate=True))
    except ValidationError as error:
        cause = str(error.__cause__ or error).splitlines()[0]
        raise InvalidError(f"The document does not follow {SCHEMA}: {cause} Make a CSV only.") from error


def _payer(settings: Settings) -> dict[str, Any]:
    if not settings.payer_name or not settings.payer_iban:
        raise PayerMissingError(
            "The account that pays is not known. Set EARSHOT_PAYER_NAME and EARSHOT_PAYER_IBAN, and best "
            'EARSHOT_PAYER_BIC; or make a file for a spreadsheet only, with "csv_only": true.'
        )
    try:
        name, iban, bic = _latin(settings.payer_name), parse_iban(settings.payer_iban), parse_bic(settings.payer_bic)
    except InvalidError as error:
        raise PayerMissingError(f"EARSHOT_PAYER_NAME, _IBAN or _BIC cannot be used. {error.message}") from error
    return {"name": name, "IBAN": iban, "currency": "EUR", "batch": True, **({"BIC": bic} if bic else {})}


def _payment(transfer: Transfer) -> dict[str, Any]:
    statement, payee = transfer.statement, transfer.payee
    return {
        "name": _latin(payee.name),
        "IBAN": payee.iban,
        "amount": transfer.cents,
        "execution_date": clock.now().date(),
        "description": f"Earshot {statement.month:%Y-%m} {statement.uuid}",
        "endtoend_id": statement.uuid.hex,
        **({"BIC": payee.bic} if payee.bic else {}),
    }


def _latin(name: str) -> str:
    """A name in the letters that every bank takes; other scripts are transliterated."""
    latin = " ".join(_NOT_SEPA.sub(" ", unidecode(name)).split())[:MAX_NAME].strip()
    if not latin:
        raise InvalidError(f"The name {name!r} cannot be written in Latin letters. Have its owner change it.")
    return latin
