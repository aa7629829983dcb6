"""Bank accounts: checked when they are given, masked when others look."""

from typing import Any

from sqlmodel import Session
from stdnum import bic, iban
from stdnum.exceptions import ValidationError

from api import audit_trail, clock
from api.errors import InvalidError
from models.payouts import Payee
from models.queries import payees
from models.tables import User


def parse_iban(text: str) -> str:
    """An IBAN without spaces. Raises InvalidError when its country, length or check digits are wrong."""
    try:
        return str(iban.validate(text, check_country=True))
    except ValidationError as error:
        raise InvalidError(f"The IBAN is not right: {error}. Copy it from a bank statement.") from error


def parse_bic(text: str) -> str:
    """A BIC in capital letters, or nothing. Raises InvalidError when it is none."""
    if not text.strip():
        return ""
    try:
        return str(bic.validate(text))
    except ValidationError as error:
        raise InvalidError(
            f"The BIC is not right: {error}. It has 8 or 11 letters and digits, or leave it out."
        ) from error


def mask(text: str) -> str:
    """Enough of an IBAN to recognise it: country, check digits and the last four characters."""
    return f"{text[:4]}…{text[-4:]}" if text else ""


def put_payee(session: Session, user: User, name: str, iban_text: str, bic_text: str) -> Payee:
    """Have the user's money go there from now on. The audit trail tells admins that it changed."""
    before = payees.get_payee(session, user.id or 0)
    payee = Payee(
        user_id=user.id or 0,
        name=" ".join(name.split()),
        iban=parse_iban(iban_text),
        bic=parse_bic(bic_text),
        updated_at=clock.now(),
    )
    detail = {"from": _seen(before), "to": _seen(payee)}
    payees.put_payee(session, payee)
    audit_trail.append(session, user, "payee.changed", "payee", user.uuid, detail)
    return payee


def _seen(payee: Payee | None) -> dict[str, Any] | None:
    return {"name": payee.name, "iban": mask(payee.iban), "bic": payee.bic} if payee else None
