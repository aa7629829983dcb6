"""What became of everything that is counted, by episode, campaign and month: settled, pending, or why not.

Counted = settled + pending + held + void + unbilled + no plan yet, for every cell: each number is summed over days of
which that is true. Creators, advertisers and admins are shown sums over the same cells.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from sqlmodel import Session

from models.advertising import Advertiser, Campaign
from models.queries import payable, statements
from models.queries.payable import LISTENS, HeldSum, PaidEpisode, Scope
from models.statements import Plan, Taken, exact_for_ads, exact_for_listens, month_of
from models.takings import Takings, take


class CellKey(NamedTuple):
    """An episode's listens (campaign 0), or its impressions of a campaign, of a month."""

    month: date
    episode_id: int
    campaign_id: int


@dataclass(slots=True)
class Cell:
    """What became of them; `counted` is the sum of the rest."""

    counted: int = 0
    settled: int = 0
    """By statements that stand, drafts too."""
    pending: int = 0
    """What a close would pay now; below zero: take back."""
    held: int = 0
    void: int = 0
    unbilled: int = 0
    unplanned: int = 0
    exact: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Currency -> what the pending ones come to, in 1/EXACT_PER_CENT cents."""
    held_by_rule: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def is_open(self) -> bool:
        """Whether anything of it is not settled, or is settled and should not be."""
        return any((self.pending, self.held, self.void, self.unbilled, self.unplanned))

    def add(self, other: "Cell") -> None:
        """Take another one in."""
        self.counted += other.counted
        self.settled += other.settled
        self.pending += other.pending
        self.held += other.held
        self.void += other.void
        self.unbilled += other.unbilled
        self.unplanned += other.unplanned
        for mine, theirs in ((self.exact, other.exact), (self.held_by_rule, other.held_by_rule)):
            for key, number in theirs.items():
                mine[key] += number


@dataclass(frozen=True, slots=True)
class Pending:
    """All cells of a scope, and the names of what they are about."""

    cells: dict[CellKey, Cell]
    episodes: dict[int, PaidEpisode]
    campaigns: dict[int, tuple[Campaign, Advertiser]]


def sum_cells(cells: Iterable[Cell]) -> Cell:
    """One for all of them."""
    total = Cell()
    for cell in cells:
        total.add(cell)
    return total


def list_pending(session: Session, scope: Scope) -> Pending:
    """Everything counted in scope, which is of whole months."""
    connection = session.connection()
    takings = take(session, scope)
    cells: dict[CellKey, Cell] = defaultdict(Cell)
    for taken in takings.days:
        _add_day(cells, takings, taken)
    for row in payable.list_settled_months(connection, scope):
        cell = cells[CellKey(row.month, row.episode_id, row.campaign_id)]
        cell.counted += row.settled
        cell.settled += row.settled
    for held in payable.list_held_sums(connection, scope):
        _add_held(cells, held)
    episodes = payable.list_paid_episodes(connection, {key.episode_id for key in cells})
    campaigns = statements.list_campaigns(session, {key.campaign_id for key in cells} - {LISTENS})
    return Pending(dict(sorted(cells.items())), episodes, campaigns)


def _add_day(cells: dict[CellKey, Cell], takings: Takings, taken: Taken) -> None:
    count = taken.count
    cell = cells[CellKey(month_of(count.day), count.episode_id, count.campaign_id)]
    cell.counted += count.counted - count.settled  # what is settled is added by month
    cell.pending += taken.quantity
    cell.held += count.held
    cell.void += count.void
    cell.unbilled += taken.unbilled
    cell.unplanned += taken.unplanned
    plan = takings.plan_of(count)
    if plan is not None and taken.quantity:
        cell.exact[takings.currency_of(count, plan)] += _exact(takings, taken, plan)


def _exact(takings: Takings, taken: Taken, plan: Plan) -> int:
    if taken.count.campaign_id == LISTENS:
        return exact_for_listens(taken.quantity, plan.listen_price_cents)
    price_cents = takings.campaigns[taken.count.campaign_id][0].price_cents
    return exact_for_ads(taken.quantity, price_cents, plan.ad_share_bp)


def _add_held(cells: dict[CellKey, Cell], held: HeldSum) -> None:
    cell = cells.get(CellKey(month_of(held.day), held.episode_id, held.campaign_id))
    if cell is not None and held.state == "open":
        cell.held_by_rule[held.rule] += held.number
