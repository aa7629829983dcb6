"""Shapes of rate plans, statements, the ledger and what is pending. Money is whole minor units and a currency."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool, StrictInt

from api.amounts import MAX_CENTS, Currency

MAX_PRICE_CENTS = 100_000_000
"""For 1,000 listens: so that the exact amount of millions of them still fits 64 bits."""
Reason = Annotated[str, Field(min_length=1, max_length=500, description="Why; it stays in the audit trail.")]
Revision = Annotated[int, Field(ge=0, description="The revision that was decided on, as it was read.")]
Month = Annotated[str, Field(pattern=r"^\d{4}-\d{2}$", examples=["2026-10"])]


class NewPlan(BaseModel):
    """What a show's creator is paid from a day on."""

    from_day: date
    currency: Currency
    listen_price_cents: Annotated[StrictInt, Field(ge=0, le=MAX_PRICE_CENTS, description="For 1,000 listens.")]
    ad_share_bp: Annotated[StrictInt, Field(ge=0, le=10_000, description="Of ad revenue, in 1/10,000: 7000 is 70 %.")]
    minimum_cents: Annotated[
        StrictInt, Field(ge=0, le=MAX_CENTS, description="Less than this is carried over to the next statement.")
    ] = 0


class PlanOut(NewPlan):
    """A rate plan. It holds until the show's next one begins."""

    id: UUID
    show_id: UUID
    created_at: datetime


class PlanList(BaseModel):
    """A show's plans, the last one first."""

    items: list[PlanOut]


class Closing(BaseModel):
    """The month to close."""

    month: Month


class Decision(BaseModel):
    """A step that needs no words."""

    revision: Revision


class Reasoned(Decision):
    """A step that needs a reason."""

    reason: Reason


class Stopping(Reasoned):
    """A step after which nothing is paid."""

    bank_refused: Annotated[
        StrictBool,
        Field(description="It is in a payment order and the bank refused it, or was never sent it: take it out there."),
    ] = False


class Payment(Decision):
    """What proves the payment."""

    reference: Annotated[str, Field(min_length=1, max_length=140, description="The bank's, or the transfer's.")]


class CreatorOut(BaseModel):
    """Whose statement it is."""

    id: UUID
    name: str
    email: str


class StatementOut(BaseModel):
    """What a creator is owed in one currency by the close of one month."""

    id: UUID
    creator: CreatorOut
    currency: str
    month: Month
    state: str
    revision: int
    total_cents: int = Field(description="The sum of its lines.")
    brought_forward_cents: int = Field(description="Of earlier statements that were carried over into this one.")
    payable_cents: int = Field(description="Both together: what is paid out, unless it is carried over.")
    minimum_cents: int
    is_carried: bool = Field(description="Below the minimum, or not above zero: nothing is paid out yet.")
    carried_into: UUID | None = Field(description="The statement that brings its amount forward.")
    rule_version: str
    position: dict[str, int] = Field(description="Partition of the event log: offset behind the last counted record.")
    inputs_hash: str = Field(description="SHA-256 of all facts that it was computed from, in hex.")
    drafted_at: datetime
    drafted_by: str | None = Field(description="E-mail address, for admins; null: the command line.")
    approved_at: datetime | None
    approved_by: str | None
    paid_at: datetime | None
    paid_by: str | None
    paid_reference: str
    held_from: str
    reason: str


class LineOut(BaseModel):
    """A line: counted now, less settled before."""

    kind: str
    episode_id: UUID
    episode: str
    show_id: UUID
    show: str
    campaign_id: UUID | None
    campaign: str
    plan_id: UUID
    month: Month
    is_late: bool = Field(description="An adjustment of a month before the statement's.")
    quantity: int = Field(description="Listens or impressions that it pays; below zero: takes back.")
    counted: int
    held: int
    void: int
    unbilled: int
    amount_cents: int
    gross_cents: int = Field(description="What the advertiser is charged; 0 for listens.")


class BroughtForward(BaseModel):
    """A statement whose amount is in this one's."""

    statement_id: UUID
    month: Month
    cents: int


class StatementDetail(StatementOut):
    """A statement with its lines."""

    lines: list[LineOut]
    brought_forward: list[BroughtForward]


class StatementList(BaseModel):
    """Statements, the last month first."""

    items: list[StatementOut]
    total: int


class ClosedOut(BaseModel):
    """The statements of a month after its close."""

    month: Month
    made: int = Field(description="How many of them this close made; the others stood already.")
    items: list[StatementOut]


# -- the ledger -----------------------------------------------------------------------------------------------------


class EntryOut(BaseModel):
    """One side of a booking; debit above zero, credit below."""

    account: str
    currency: str
    amount_cents: int


class BookingOut(BaseModel):
    """A booking; its entries sum to zero."""

    id: UUID
    number: int
    at: datetime
    kind: str
    statement_id: UUID
    description: str
    booked_by: str | None
    reverses: UUID | None
    entries: list[EntryOut]


class LedgerOut(BaseModel):
    """Bookings, the last one first, and what the accounts come to, over all bookings."""

    items: list[BookingOut]
    balances: list[EntryOut]


# -- what is pending ------------------------------------------------------------------------------------------------


class Amount(BaseModel):
    """Money."""

    currency: str
    cents: int


class CellOut(BaseModel):
    """counted = settled + pending + held + void + unbilled + no_plan."""

    counted: int
    settled: int = Field(description="In statements that are not void.")
    pending: int = Field(description="A close would pay it now; below zero: it would take it back.")
    held: int = Field(description="Kept back until somebody has decided.")
    held_by_rule: dict[str, int]
    void: int = Field(description="Refused for good.")
    unbilled: int = Field(description="Beyond a campaign's budget or caps.")
    no_plan: int = Field(description="Its show has no rate plan for these days yet.")
    pending_amounts: list[Amount] = Field(description="What the pending ones come to now, rounded.")


class PendingItem(CellOut):
    """An episode's listens, or its impressions of a campaign, of a month."""

    month: Month
    creator_id: UUID
    show_id: UUID
    show: str
    episode_id: UUID
    episode: str
    campaign_id: UUID | None
    campaign: str


class PendingMonth(CellOut):
    """All of a month."""

    month: Month


class PendingCreator(CellOut):
    """All of a creator's."""

    creator_id: UUID


class PendingOut(BaseModel):
    """What became of everything that is counted."""

    total: CellOut
    months: list[PendingMonth]
    creators: list[PendingCreator]
    items: list[PendingItem] = Field(description="By month, episode and campaign; those with anything that is open.")
    next_skip: int | None = Field(description="The `skip` of the next page of items; null on the last one.")
