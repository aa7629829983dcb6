"""Where a creator's money goes, over HTTP: her own bank account, which admins see masked."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.deps import PublisherDep, ReadSessionDep, SessionDep
from api.errors import ForbiddenError, InvalidError, NotFoundError, TooLargeError, UnauthenticatedError, documented
from api.idempotency import MoneyRoute
from api.payouts import payees
from models.payouts import Payee
from models.queries import payees as rows
from models.tables import Role

router = APIRouter(
    prefix="/v1",
    tags=["payouts"],
    route_class=MoneyRoute,
    responses=documented(UnauthenticatedError, ForbiddenError, TooLargeError, InvalidError),
)


class PayeeIn(BaseModel):
    """A bank account."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        str,
        Field(min_length=1, max_length=70, pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"),
    ]
    """Of the account's holder."""
    iban: Annotated[str, Field(max_length=60)]
    """Spaces do not matter."""
    bic: Annotated[str, Field(max_length=20)] = ""


class PayeeOut(BaseModel):
    """A bank account."""

    name: str
    iban: str
    """For others than its owner only the beginning and the end."""
    bic: str
    updated_at: datetime


@router.get("/payee", responses=documented(NotFoundError))
def read_payee(
    user: PublisherDep,
    session: ReadSessionDep,
    creator: Annotated[UUID | None, Query(description="Another user's, masked; for admins.")] = None,
) -> PayeeOut:
    """Where your money goes."""
    if creator is None or creator == user.uuid:
        payee = rows.get_payee(session, user.id or 0)
        if payee is None:
            raise NotFoundError("No bank account is known yet. Send one with PUT /v1/payee.")
        return _out(payee, payee.iban)
    found = rows.get_payee_by_uuid(session, creator) if user.role == Role.ADMIN else None
    if found is None:
        raise NotFoundError("There is no such user, no bank account is known, or it is not yours.")
    return _out(found[0], payees.mask(found[0].iban))


@router.put("/payee")
def put_payee(body: PayeeIn, user: PublisherDep, session: SessionDep) -> PayeeOut:
    """Have your money go to this account from now on."""
    payee = payees.put_payee(session, user, body.name, body.iban, body.bic)
    return _out(payee, payee.iban)


def _out(payee: Payee, iban: str) -> PayeeOut:
    return PayeeOut(name=payee.name, iban=iban, bic=payee.bic, updated_at=payee.updated_at)
