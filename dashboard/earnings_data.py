"""What pages ask of the store about money that is not in a statement yet, and about what is paid.

Cells are those of `GET /v1/payouts/pending`.
"""

from collections import defaultdict
from datetime import date
from typing import NamedTuple

import streamlit as st

from dashboard import data, store
from models.payouts import Payee
from models.pending import Cell, Pending, list_pending, sum_cells
from models.queries import money_pages, payees
from models.queries.money_pages import NamedPlan
from models.queries.payable import Scope
from models.queries.placements import InShow, list_placements_in_show
from models.statements import round_half_up
from models.tables import Show, User

MAX_PLANS = 500
MAX_PLACEMENTS = 200


class Months(NamedTuple):
    """What became of everything that was counted, by the month in which it was heard."""

    cells: dict[date, Cell]
    """The last month first."""
    total: Cell

    @property
    def pending(self) -> dict[str, int]:
        """Currency -> cents that a close would settle now."""
        return {currency: round_half_up(exact) for currency, exact in sorted(self.total.exact.items()) if exact}


def months(owner_id: int | None) -> Months:
    """Of a creator's shows; None: of all."""
    return _months(owner_id)


@st.cache_data(ttl=data.CACHE_SECONDS, max_entries=100, show_spinner=False)
def _months(owner_id: int | None) -> Months:
    with store.read() as session:
        return by_month(list_pending(session, Scope(creator_id=owner_id)))


def by_month(found: Pending) -> Months:
    """The cells summed over episodes and campaigns."""
    sums: dict[date, Cell] = defaultdict(Cell)
    for key, cell in found.cells.items():
        sums[key.month].add(cell)
    return Months(dict(sorted(sums.items(), reverse=True)), sum_cells(found.cells.values()))


def plans(user: User) -> list[NamedPlan]:
    """Rate plans of the shows that this user may see, by show, the last one first."""
    with store.read() as session:
        return money_pages.list_all_plans(session, data.owner_id(user), MAX_PLANS)


def payee(user: User) -> Payee | None:
    """Where this user's own money goes."""
    with store.read() as session:
        return payees.get_payee(session, user.id or 0)


def placements(show: Show) -> list[InShow]:
    """Ads that stand or stood in a show, the last made first."""
    with store.read() as session:
        return list_placements_in_show(session, data.key(show), limit=MAX_PLACEMENTS, offset=0)
