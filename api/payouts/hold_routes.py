"""Holds over HTTP: what fraud rules found, and what people decide of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from api import clock
from api.deps import PublisherDep, ReadSessionDep, SessionDep, require
from api.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    documented,
)
from api.holds import deciding
from api.holds.deciding import AlreadyDecidedError, OwnShowError
from api.holds.rules import BY_NAME
from api.holds.scan import MOST_DAYS, scan
from api.idempotency import MoneyRoute
from api.payouts import hold_views
from api.payouts.hold_schemas import DecisionIn, HoldDetail, HoldList, ScanIn, ScanOut, ShowHolds
from models.advertising import HoldState
from models.columns import day_number
from models.queries import catalogue, hold_decisions
from models.tables import Role, User

router = APIRouter(
    prefix="/v1",
    tags=["payouts"],
    route_class=MoneyRoute,
    responses=documented(UnauthenticatedError, ForbiddenError, TooLargeError, InvalidError),
)

AdminDep = Annotated[User, Depends(require(Role.ADMIN))]
HoldId = Annotated[UUID, Path(description="The hold's id.")]
State = Annotated[HoldState | None, Query(description="Only holds in this state.")]
Limit = Annotated[int, Query(ge=1, le=500, description="Items in one page.")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="Items before this page.")]
decided = documented(NotFoundError, AlreadyDecidedError, OwnShowError)


@router.get("/holds", responses=documented(NotFoundError))
def list_holds(
    _user: AdminDep,
    session: ReadSessionDep,
    state: State = None,
    rule: Annotated[str | None, Query(max_length=64, description="Only findings of this rule.")] = None,
    show: Annotated[UUID | None, Query(description="Only holds that flag anything of this show.")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> HoldList:
    """What the fraud rules found, the latest day first; for admins."""
    if rule is not None and rule not in BY_NAME:
        raise InvalidError(f"There is no rule {rule!r}. The rules are: {', '.join(BY_NAME)}.")
    show_id = None if show is None else _show_id(session, show, None)
    found = hold_decisions.list_holds(session, state=state, rule=rule, show_id=show_id, limit=limit, offset=offset)
    total = hold_decisions.count_holds(session, state=state, rule=rule, show_id=show_id)
    return HoldList(items=hold_views.holds_out(session, found), total=total)


@router.get("/holds/{hold_id}", responses=documented(NotFoundError))
def read_hold(hold_id: HoldId, _user: AdminDep, session: ReadSessionDep) -> HoldDetail:
    """One hold with its evidence, what it flags by episode, and what was decided; for admins."""
    return hold_views.hold_detail(session, deciding.find_hold(session, hold_id))


@router.post("/holds/scan")
def scan_days(body: ScanIn, _user: AdminDep, session: SessionDep) -> ScanOut:
    """Look for fraud on these days now, as is done by itself every five minutes on days that change; for admins."""
    days = day_number(body.last) - day_number(body.first) + 1
    if not 1 <= days <= MOST_DAYS:
        raise InvalidError(f"from={body.first} to={body.last}: ask for 1 to {MOST_DAYS} days, the earlier one first.")
    first = day_number(body.first)
    found = scan(session.connection(), range(first, first + days), clock.now())
    return ScanOut(new_holds=found.new_holds, playbacks=found.playbacks, downloads=found.downloads, ended=found.ended)


@router.post("/holds/{hold_id}/release", responses=decided)
def release_hold(hold_id: HoldId, body: DecisionIn, user: AdminDep, session: SessionDep) -> HoldDetail:
    """Let what it flags be paid; for admins."""
    hold = deciding.decide(session, user, hold_id, HoldState.RELEASED, body.reason, clock.now())
    return hold_views.hold_detail(session, hold)


@router.post("/holds/{hold_id}/void", responses=decided)
def void_hold(hold_id: HoldId, body: DecisionIn, user: AdminDep, session: SessionDep) -> HoldDetail:
    """Refuse payment of what it flags, and of what still comes in for it; for admins."""
    hold = deciding.decide(session, user, hold_id, HoldState.VOID, body.reason, clock.now())
    return hold_views.hold_detail(session, hold)


@router.get("/shows/{show_id}/holds", responses=documented(NotFoundError))
def list_show_holds(
    show_id: Annotated[UUID, Path(description="The show's id.")],
    user: PublisherDep,
    session: ReadSessionDep,
    state: State = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> ShowHolds:
    """What is kept back of a show, by which rule, and what was decided; for its creator. No devices."""
    number = _show_id(session, show_id, None if user.role == Role.ADMIN else user.id)
    found = hold_decisions.list_holds(session, state=state, rule=None, show_id=number, limit=limit, offset=offset)
    total = hold_decisions.count_holds(session, state=state, rule=None, show_id=number)
    return hold_views.show_holds(session, found, total, number)


def _show_id(session: ReadSessionDep, uuid: UUID, owner_id: int | None) -> int:
    show = catalogue.get_show(session, uuid, owner_id)
    if show is None or show.id is None:
        raise NotFoundError("There is no such show, or it is not yours.")
    return show.id
