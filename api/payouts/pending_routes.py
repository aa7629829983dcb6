"""What is pending, and the ledger: reading only."""

from collections import defaultdict
from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.deps import PublisherDep, ReadSessionDep, require
from api.errors import ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError, documented
from api.payouts import schemas, views
from api.payouts.statements import get_statement
from models.pending import Cell, CellKey, Pending, list_pending, sum_cells
from models.queries import ledger, statements
from models.queries.payable import Scope
from models.statements import round_half_up
from models.tables import Role, User

router = APIRouter(
    prefix="/v1", tags=["payouts"], responses=documented(UnauthenticatedError, ForbiddenError, InvalidError)
)
AdminDep = Annotated[User, Depends(require(Role.ADMIN))]
Key = TypeVar("Key")


@router.get("/payouts/pending", responses=documented(NotFoundError))
def read_pending(
    user: PublisherDep,
    session: ReadSessionDep,
    creator: Annotated[UUID | None, Query(description="Only this user's; for admins.")] = None,
    skip: Annotated[int, Query(ge=0, le=2**53, description="Items before the page.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500, description="Items in one page; the sums are of all.")] = 500,
) -> schemas.PendingOut:
    """What became of everything that is counted: settled, pending, held, void, beyond a budget, or without a plan.

    Yours; for an admin everybody's.
    """
    creator_id = user.id if user.role != Role.ADMIN else None
    if user.role == Role.ADMIN and creator is not None:
        creator_id = statements.get_user_id(session, creator)
        if creator_id is None:
            raise NotFoundError("There is no such user.")
    return _pending_out(list_pending(session, Scope(creator_id=creator_id)), skip, limit)


def _pending_out(found: Pending, skip: int, limit: int) -> schemas.PendingOut:
    cells = [(key, cell) for key, cell in found.cells.items() if cell.is_open]
    return schemas.PendingOut(
        total=schemas.CellOut(**_numbers(sum_cells(found.cells.values()))),
        months=[
            schemas.PendingMonth(month=month, **_numbers(cell))
            for month, cell in _group(found, lambda key: f"{key.month:%Y-%m}").items()
        ],
        creators=[
            schemas.PendingCreator(creator_id=creator, **_numbers(cell))
            for creator, cell in _group(found, lambda key: found.episodes[key.episode_id].owner_uuid).items()
        ],
        items=[_item(found, key, cell) for key, cell in cells[skip : skip + limit]],
        next_skip=skip + limit if len(cells) > skip + limit else None,
    )


def _group(found: Pending, by: Callable[[CellKey], Key]) -> dict[Key, Cell]:
    sums: dict[Key, Cell] = defaultdict(Cell)
    for key, cell in found.cells.items():
        sums[by(key)].add(cell)
    return sums


def _item(found: Pending, key: CellKey, cell: Cell) -> schemas.PendingItem:
    episode, campaign = found.episodes[key.episode_id], found.campaigns.get(key.campaign_id)
    return schemas.PendingItem(
        month=f"{key.month:%Y-%m}",
        creator_id=episode.owner_uuid,
        show_id=episode.show_uuid,
        show=episode.show_title,
        episode_id=episode.uuid,
        episode=episode.title,
        campaign_id=campaign[0].uuid if campaign else None,
        campaign=campaign[0].name if campaign else "",
        **_numbers(cell),
    )


def _numbers(cell: Cell) -> dict[str, Any]:
    amounts = [
        schemas.Amount(currency=currency, cents=round_half_up(exact)) for currency, exact in sorted(cell.exact.items())
    ]
    return {
        "counted": cell.counted,
        "settled": cell.settled,
        "pending": cell.pending,
        "held": cell.held,
        "held_by_rule": dict(sorted(cell.held_by_rule.items())),
        "void": cell.void,
        "unbilled": cell.unbilled,
        "no_plan": cell.unplanned,
        "pending_amounts": amounts,
    }


@router.get("/ledger", responses=documented(NotFoundError))
def read_ledger(
    user: AdminDep,
    session: ReadSessionDep,
    account: Annotated[
        str | None,
        Query(max_length=80, description="creator:ID, advertiser:ID, listens, ad_margin or bank.", examples=["bank"]),
    ] = None,
    statement: Annotated[UUID | None, Query(description="Only bookings of this statement.")] = None,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="Only bookings with a lower number.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Bookings in one page.")] = 100,
) -> schemas.LedgerOut:
    """Bookings, the last one first, each with all its entries; and what the accounts come to."""
    statement_id = get_statement(session, user, statement).statement.id if statement else None
    bookings = ledger.list_bookings(session, account=account, statement_id=statement_id, limit=limit, before_id=before)
    balances = ledger.list_balances(session, None if account is None else [account])
    return schemas.LedgerOut(items=views.bookings_out(session, bookings), balances=views.balances_out(balances))
