"""Advertising: who advertises what where, and the rollups of impressions that the worker keeps.

Campaigns and placements are written by requests. Everything from `CountedPlacement` on is the worker's, derived from
playbacks, consumers' days and placements, and can be rebuilt.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.columns import UtcDateTime, UtcDay
from models.counting import CLUSTERED


class Billing(StrEnum):
    """Which impressions a campaign pays for."""

    DELIVERED = "delivered"
    CONFIRMED = "confirmed"


CONFIRM_PERCENTS = (0, 25, 50, 75, 100)
"""Shares of an ad that can make an impression confirmed; 0: any second of it."""


class Advertiser(SQLModel, table=True):
    """A company that advertises."""

    __tablename__ = "advertiser"

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    name: str = Field(unique=True)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class AdvertiserMember(SQLModel, table=True):
    """An account (role advertiser) that may see and change an advertiser's campaigns."""

    __tablename__ = "advertiser_member"

    advertiser_id: int = Field(foreign_key="advertiser.id", primary_key=True)
    user_id: int = Field(foreign_key="account.id", primary_key=True, index=True)


class Campaign(SQLModel, table=True):
    """What an advertiser buys. Price, currency, billing and threshold stand once anything was settled."""

    __tablename__ = "campaign"
    __table_args__ = (UniqueConstraint("advertiser_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    advertiser_id: int = Field(foreign_key="advertiser.id")
    name: str
    price_cents: int = Field(sa_column=Column(BigInteger, nullable=False))
    """For 1,000 impressions, in the currency's minor units."""
    currency: str
    """ISO 4217."""
    budget_cents: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Never exceeded by what is billed."""
    from_day: date = Field(sa_column=Column(UtcDay, nullable=False))
    to_day: date = Field(sa_column=Column(UtcDay, nullable=False))
    """The last UTC day that counts."""
    billing: str = Billing.CONFIRMED
    """A value of `Billing`."""
    confirm_percent: int = 50
    """One of `CONFIRM_PERCENTS`."""
    impression_cap: int | None = Field(default=None, sa_column=Column(BigInteger))
    """Billable impressions at most, beside the budget."""
    daily_cap: int | None = Field(default=None, sa_column=Column(BigInteger))
    """Billable impressions of one UTC day at most."""
    created_by: int = Field(foreign_key="account.id")
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    exhausted_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    """When it was noticed, and told, that the budget or the cap is used up."""


class Creative(SQLModel, table=True):
    """What is said in an ad, and where it leads."""

    __tablename__ = "creative"
    __table_args__ = (UniqueConstraint("campaign_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    campaign_id: int = Field(foreign_key="campaign.id")
    name: str
    click_url: str = ""
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Placement(SQLModel, table=True):
    """An ad's part of one recording, or of every recording that a show publishes from a day on."""

    __tablename__ = "placement"

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    campaign_id: int = Field(foreign_key="campaign.id", index=True)
    creative_id: int | None = Field(default=None, foreign_key="creative.id")
    show_id: int = Field(foreign_key="show.id", index=True)
    episode_id: int | None = Field(default=None, foreign_key="episode.id")
    """Absent: all episodes of the show that were published on `from_day` or later; older recordings have no such ad."""
    start_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    end_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    """In media time, `[start_ms, end_ms)`; at least one whole second."""
    from_day: date = Field(sa_column=Column(UtcDay, nullable=False))
    """Impressions count from this UTC day on. Before the day it was created only when it was asked to count back."""
    to_day: date = Field(sa_column=Column(UtcDay, nullable=False))
    """Never after the campaign's; on removal the day of the removal, so that what was heard stays counted. One that is
    removed before its first day ends before it."""
    is_counted_back: bool = False
    """Whether days before its creation are counted, from coverage that was stored already."""
    created_by: int = Field(foreign_key="account.id")
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    removed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


# -- the worker's --------------------------------------------------------------------------------------------------


class CountedPlacement(SQLModel, table=True):
    """A placement in one episode as the rollups were made with it; when the catalogue says otherwise they are redone.

    A placement of a whole show has a row for each of its episodes. Folding reads nothing else of advertising.
    """

    __tablename__ = "counted_placement"
    __table_args__ = CLUSTERED

    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    placement_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    campaign_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    start_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    end_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    from_day: date = Field(sa_column=Column(UtcDay, nullable=False))
    to_day: date = Field(sa_column=Column(UtcDay, nullable=False))
    confirm_percent: int


class PlacementDay(SQLModel, table=True):
    """Rollup: impressions of a placement in one episode on a UTC day. An impression counts on the day it was heard."""

    __tablename__ = "placement_day"
    __table_args__ = (Index("ix_placement_day_episode", "episode_id", "day"), CLUSTERED)

    placement_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    delivered: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Downloads whose window brought every byte of the ad's part."""
    started: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Devices that heard any second of it; the next four: that heard so many percent of its seconds."""
    heard_25: int = Field(sa_column=Column(BigInteger, nullable=False))
    heard_50: int = Field(sa_column=Column(BigInteger, nullable=False))
    heard_75: int = Field(sa_column=Column(BigInteger, nullable=False))
    heard_100: int = Field(sa_column=Column(BigInteger, nullable=False))
    confirmed: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Devices that heard as much as the campaign asks for."""
    offline_confirmed: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Those of them whose playback has a part heard without a connection."""


class PlacementSplit(SQLModel, table=True):
    """Rollup: delivered impressions by app, device class and country; the values of one kind add up to the day's."""

    __tablename__ = "placement_split"
    __table_args__ = CLUSTERED

    placement_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    kind: str = Field(primary_key=True)
    """`app`, `device` or `country`."""
    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    value: str = Field(primary_key=True)
    """Empty for unknown."""
    delivered: int = Field(sa_column=Column(BigInteger, nullable=False))


class CampaignDevice(SQLModel, table=True):
    """A device that a campaign reached: what frequency and reach over the whole campaign are exact by."""

    __tablename__ = "campaign_device"
    __table_args__ = CLUSTERED

    campaign_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    device: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    impressions: int
    """Confirmed ones, over all placements and days."""
    first_day: date = Field(sa_column=Column(UtcDay, nullable=False))
    """UTC day of the first of them; a late arrival may move it back."""


class CampaignFrequency(SQLModel, table=True):
    """Rollup of `campaign_device`: devices by how many confirmed impressions they had and the day of their first."""

    __tablename__ = "campaign_frequency"
    __table_args__ = CLUSTERED

    campaign_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    first_day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    frequency: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    """1, 2, 3, 4, or 5 for five and more."""
    devices: int = Field(sa_column=Column(BigInteger, nullable=False))


class ShowReach(SQLModel, table=True):
    """Rollup: the devices with a listen to a show on a day, or in a calendar month, as mergeable sketches.

    Not clustered: SQLite keeps blobs of this size beside a key several times slower to read than in a plain table.
    """

    __tablename__ = "show_reach"

    show_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    is_month: bool = Field(primary_key=True)
    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    """The UTC day, or the month's first."""
    hll: bytes
    """HyperLogLog sketch of Apache DataSketches; for unions."""
    theta: bytes
    """Compact theta sketch of the same devices; for intersections. See `models/reach.py`."""


class CampaignReach(SQLModel, table=True):
    """Rollup: the devices with a confirmed impression of a campaign in a show, as `ShowReach`."""

    __tablename__ = "campaign_reach"

    campaign_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    show_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    is_month: bool = Field(primary_key=True)
    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    hll: bytes
    theta: bytes


# -- holds: flags that keep payment back and touch no count ---------------------------------------------------------


class HoldState(StrEnum):
    """What an admin has decided of a hold."""

    OPEN = "open"
    RELEASED = "released"
    VOID = "void"


class Hold(SQLModel, table=True):
    """One finding of one fraud rule: what it flags is not paid until a person has decided."""

    __tablename__ = "hold"
    __table_args__ = (
        UniqueConstraint("rule", "day", "subject"),
        Index("ix_hold_state_day", "state", "day"),
    )

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    rule: str
    """Name of the rule, as in docs/fraud.md."""
    day: date = Field(sa_column=Column(UtcDay, nullable=False))
    """The UTC day whose listening it flags."""
    subject: str
    """What the rule found, in a form that is the same at each look: `episode:12`, `network:8f3a`, `device:...`."""
    show_id: int | None = Field(default=None, foreign_key="show.id")
    """Where it concerns one show only."""
    evidence: str
    """JSON object: what was measured, and the rule's parameters."""
    state: str = HoldState.OPEN
    """A value of `HoldState`."""
    found_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    decided_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class HoldDecision(SQLModel, table=True):
    """What was decided of a hold, by whom and why; append-only. The last one stands."""

    __tablename__ = "hold_decision"

    id: int | None = Field(default=None, primary_key=True)
    hold_id: int = Field(foreign_key="hold.id", index=True)
    state: str
    reason: str
    decided_by: int = Field(foreign_key="account.id")
    decided_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class HeldPlayback(SQLModel, table=True):
    """A playback that a hold flags."""

    __tablename__ = "held_playback"
    __table_args__ = (Index("ix_held_playback_device", "device"), CLUSTERED)

    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    device: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    hold_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    found_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class HeldDownload(SQLModel, table=True):
    """A consumer's day with downloads that a hold flags."""

    __tablename__ = "held_download"
    __table_args__ = CLUSTERED

    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    address: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    agent: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hold_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    found_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class HeldDay(SQLModel, table=True):
    """What is held or void of an episode's day: a pure function of the two tables above, the holds' states and counts.

    A playback that several holds flag is counted once: as void if any of them is, else under the first rule by name.
    """

    __tablename__ = "held_day"
    __table_args__ = CLUSTERED

    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    placement_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    """0: listens; otherwise impressions of that placement."""
    kind: str = Field(primary_key=True)
    """`listens`, `confirmed` or `delivered`."""
    state: str = Field(primary_key=True)
    """`open` or `void`."""
    rule: str = Field(primary_key=True)
    number: int = Field(sa_column=Column(BigInteger, nullable=False))
