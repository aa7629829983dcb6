"""Money: rate plans, statements, the ledger, and who did what. Integer minor units and a currency, never a float."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, UniqueConstraint, column, literal_column
from sqlmodel import Field, SQLModel

from models.columns import UtcDateTime, UtcDay
from models.counting import CLUSTERED

EXACT_PER_CENT = 10_000_000
"""Amounts are worked out exactly in 1/10,000,000 of a cent: listens x price per 1,000 x 10,000, and impressions x
price per 1,000 x share in 1/10,000, are whole numbers of them."""


class StatementState(StrEnum):
    """Where a statement is on its way."""

    DRAFT = "draft"
    APPROVED = "approved"
    PAID = "paid"
    HELD = "held"
    VOID = "void"


class LineKind(StrEnum):
    """What a line of a statement pays for."""

    LISTENS = "listens"
    ADS = "ads"


class RatePlan(SQLModel, table=True):
    """What a show's creator is paid from a day on, until the show's next plan begins. Never changed, only succeeded."""

    __tablename__ = "rate_plan"
    __table_args__ = (UniqueConstraint("show_id", "from_day"),)

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    show_id: int = Field(foreign_key="show.id")
    from_day: date = Field(sa_column=Column(UtcDay, nullable=False))
    currency: str
    """ISO 4217, of the price for listens and of the minimum."""
    listen_price_cents: int = Field(sa_column=Column(BigInteger, nullable=False))
    """For 1,000 listens."""
    ad_share_bp: int
    """The creator's share of ad revenue, in 1/10,000."""
    minimum_cents: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """Less than this is carried over; of several shows of a creator the largest stands."""
    created_by: int = Field(foreign_key="account.id")
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Payee(SQLModel, table=True):
    """Where a creator's money goes."""

    __tablename__ = "payee"

    user_id: int = Field(foreign_key="account.id", primary_key=True)
    name: str
    """The account's holder."""
    iban: str
    bic: str = ""
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


_STANDING = column("state") != literal_column("'void'")


class Statement(SQLModel, table=True):
    """What a creator is owed in one currency by the close of one month."""

    __tablename__ = "statement"
    __table_args__ = (
        Index(
            "ix_statement_standing",
            "creator_id",
            "currency",
            "month",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        Index("ix_statement_state", "state"),
        Index("ix_statement_carried_into", "carried_into_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    creator_id: int = Field(foreign_key="account.id")
    currency: str
    month: date = Field(sa_column=Column(UtcDay, nullable=False))
    """The first day of the month that was closed; lines reach back to any day before its end."""
    state: str = StatementState.DRAFT
    """A value of `StatementState`."""
    total_cents: int = Field(sa_column=Column(BigInteger, nullable=False))
    """The sum of its lines; may be negative after corrections."""
    brought_forward_cents: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """Totals of approved statements that were carried over into this one."""
    minimum_cents: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    is_carried: bool = False
    """Total and what was brought forward do not come to the minimum, or not above zero: nothing is paid yet."""
    carried_into_id: int | None = Field(default=None, foreign_key="statement.id")
    """The later statement that brings this one's amount forward."""
    rule_version: str
    """Of counting and payout; `models/metrics.py` and docs/payouts.md."""
    position: str
    """JSON object, partition of the event log -> offset behind the last record that was counted."""
    inputs: bytes
    """What it was computed from, as canonical JSON, gzip-compressed."""
    inputs_hash: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    """SHA-256 of the inputs, unpacked."""
    drafted_by: int | None = Field(default=None, foreign_key="account.id")
    """Absent: the command line."""
    drafted_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    approved_by: int | None = Field(default=None, foreign_key="account.id")
    approved_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    paid_by: int | None = Field(default=None, foreign_key="account.id")
    paid_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    paid_reference: str = ""
    """The bank's, or whatever proves the payment."""
    held_from: str = ""
    """The state that it returns to when released."""
    reason: str = ""
    """Why it is held or void."""
    revision: int = 0
    """Counts its changes of state; a change states the revision it was decided on."""


class StatementLine(SQLModel, table=True):
    """A line: counted now less settled before, of one episode, one campaign or none, one month and one rate."""

    __tablename__ = "statement_line"
    __table_args__ = (
        UniqueConstraint("statement_id", "kind", "episode_id", "campaign_id", "plan_id", "month"),
        Index("ix_statement_line_campaign", "campaign_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    statement_id: int = Field(foreign_key="statement.id")
    kind: str
    """A value of `LineKind`."""
    episode_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    campaign_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    """0 for listens."""
    plan_id: int = Field(foreign_key="rate_plan.id")
    month: date = Field(sa_column=Column(UtcDay, nullable=False))
    """Of the days that were heard; before the statement's month for a late adjustment."""
    quantity: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Listens or impressions paid by this line; negative when some were taken back."""
    counted: int = Field(sa_column=Column(BigInteger, nullable=False))
    """All there are by now, of these days."""
    held: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Of those, kept back by open holds; not in `quantity`."""
    void: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Of those, refused for good."""
    unbilled: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Of those, beyond the campaign's budget or caps."""
    exact: int = Field(sa_column=Column(BigInteger, nullable=False))
    """The amount in 1/EXACT_PER_CENT cents, before rounding."""
    amount_cents: int = Field(sa_column=Column(BigInteger, nullable=False))
    gross_cents: int = Field(sa_column=Column(BigInteger, nullable=False))
    """What the advertiser is charged for it; 0 for listens."""


class SettledDay(SQLModel, table=True):
    """What a statement pays, by UTC day: the finest grain, and what settled-before is summed over."""

    __tablename__ = "settled_day"
    __table_args__ = (
        Index("ix_settled_day_statement", "statement_id"),
        Index("ix_settled_day_campaign", "campaign_id"),
        Index("ix_settled_day_episode", "episode_id", "day"),
        CLUSTERED,
    )

    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    campaign_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    """0: listens."""
    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    statement_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    quantity: int = Field(sa_column=Column(BigInteger, nullable=False))


class OpenBlock(SQLModel, table=True):
    """Where something may wait for a close: an episode's days `32 * block` to `32 * block + 31`, counted from 1970.

    Any day of which not all that is counted is settled, or something is held or void, lies in one of these blocks:
    triggers on the tables with such numbers put it here, whoever writes to them. A close takes those away that it
    settled. So what is pending is read from the days since the last close, however many there were before.
    """

    __tablename__ = "open_block"
    __table_args__ = CLUSTERED

    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    block: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))


class PayoutBatch(SQLModel, table=True):
    """A payment order that was made: its files are given again as they were."""

    __tablename__ = "payout_batch"

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    """Without hyphens the message's id, of which banks refuse a second one."""
    currency: str
    month: date | None = Field(default=None, sa_column=Column(UtcDay))
    """The first day of the month that was asked for; absent: all months."""
    made_by: int = Field(foreign_key="account.id")
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class PayoutFile(SQLModel, table=True):
    """A file of a payment order, byte for byte."""

    __tablename__ = "payout_file"

    batch_id: int = Field(foreign_key="payout_batch.id", primary_key=True)
    format: str = Field(primary_key=True)
    """`csv` or `xml`."""
    content: bytes


_IN_BATCH = column("released_at").is_(None)


class PayoutExport(SQLModel, table=True):
    """A statement in a payment order. It stands until the bank is said to have refused it; one stands at a time."""

    __tablename__ = "payout_export"
    __table_args__ = (
        Index(
            "ix_payout_export_standing",
            "statement_id",
            unique=True,
            sqlite_where=_IN_BATCH,
            postgresql_where=_IN_BATCH,
        ),
    )

    batch_id: int = Field(foreign_key="payout_batch.id", primary_key=True)
    statement_id: int = Field(foreign_key="statement.id", primary_key=True)
    revision: int
    """Of the statement, when it was exported."""
    cents: int = Field(sa_column=Column(BigInteger, nullable=False))
    """What the bank was told to pay, with what was brought forward."""
    released_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    released_by: int | None = Field(default=None, foreign_key="account.id")
    released_reason: str = ""


class LedgerTransaction(SQLModel, table=True):
    """A booking; append-only. Its entries sum to zero in each currency."""

    __tablename__ = "ledger_transaction"
    __table_args__ = (UniqueConstraint("statement_id", "kind", "revision"),)

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    kind: str
    """`approved`, `paid` or `reversed`."""
    statement_id: int = Field(foreign_key="statement.id")
    revision: int
    """Of the statement, when it was booked: nothing is booked twice."""
    reverses_id: int | None = Field(default=None, foreign_key="ledger_transaction.id", unique=True)
    description: str
    booked_by: int | None = Field(default=None, foreign_key="account.id")


class LedgerEntry(SQLModel, table=True):
    """One side of a booking; append-only."""

    __tablename__ = "ledger_entry"
    __table_args__ = (Index("ix_ledger_entry_account", "account", "currency"),)

    id: int | None = Field(default=None, primary_key=True)
    transaction_id: int = Field(foreign_key="ledger_transaction.id", index=True)
    account: str
    """`creator:UUID`, `advertiser:UUID`, `listens`, `ad_margin`, `bank`."""
    currency: str
    amount_cents: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Debit above zero, credit below."""


class AuditEntry(SQLModel, table=True):
    """Who did what to money, and when; append-only."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_subject", "subject", "subject_uuid"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    user_id: int | None = Field(default=None, foreign_key="account.id")
    """Absent: the command line, or Earshot itself."""
    action: str
    """`statement.approved`, `hold.released`, `campaign.created`, ..."""
    subject: str
    """`statement`, `hold`, `campaign`, `placement`, `rate_plan`, `payee`, `payout_batch`, `webhook`."""
    subject_uuid: UUID
    detail: str
    """JSON object: what changed, from what to what, and the reason."""


class IdempotencyKey(SQLModel, table=True):
    """The answer to a call that may be sent again; kept in the transaction of what the call did."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index("ix_idempotency_key_created_at", "created_at"),)

    user_id: int = Field(foreign_key="account.id", primary_key=True)
    key: str = Field(primary_key=True)
    request_hash: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    """SHA-256 of method, path and body: the same key with another request is refused."""
    role: str
    """Of the user, then: the answer is for this role only."""
    status: int
    body: str
    """Without what is shown only once."""
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
