"""What advertisers send and are shown. Money is in minor units, days are UTC, positions are in media time."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StringConstraints

from api.amounts import MAX_NUMBER, Cents, Currency, Number
from models.advertising import CONFIRM_PERCENTS, Billing
from models.privacy_cells import LEAST

FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(2200, 12, 31)


def _written_day(value: Any) -> Any:
    if not isinstance(value, str | date):
        raise ValueError("write the day as text, 2026-11-30")
    return value


def _sensible_day(value: date) -> date:
    if not FIRST_DAY <= value <= LAST_DAY:
        raise ValueError(f"give a day from {FIRST_DAY} to {LAST_DAY}")
    return value


def _one_line(value: str) -> str:
    line = " ".join(value.split())
    if not line or not line.isprintable():
        raise ValueError("write a name of printable characters on one line")
    return line


def _web_address(value: str) -> str:
    url = value.strip()
    host = url.partition("://")[2]
    if url and (not url.isprintable() or " " in url or not url.lower().startswith(("http://", "https://")) or not host):
        raise ValueError("give an address that begins with http:// or https://, or nothing")
    return url


def _confirming(value: int) -> int:
    if value not in CONFIRM_PERCENTS:
        raise ValueError(f"choose one of {', '.join(map(str, CONFIRM_PERCENTS))}")
    return value


Name = Annotated[str, StringConstraints(max_length=255), AfterValidator(_one_line), Field(examples=["Spring teas"])]
Day = Annotated[date, BeforeValidator(_written_day), AfterValidator(_sensible_day)]
Percent = Annotated[
    StrictInt,
    AfterValidator(_confirming),
    Field(description="How much of the ad a device must hear to confirm an impression; 0: any second of it."),
]
ClickUrl = Annotated[
    str, StringConstraints(max_length=2048), AfterValidator(_web_address), Field(description="Where the ad leads.")
]
Cap = Annotated[Number, Field(multiple_of=LEAST, description=f"In whole {LEAST}s.")]
Position = Annotated[StrictInt, Field(ge=0, le=MAX_NUMBER, description="Milliseconds of media time.")]


class Input(BaseModel):
    # A misspelt field is refused, not ignored.
    model_config = ConfigDict(extra="forbid")


# -- advertisers -----------------------------------------------------------------------------------------------------


class NewAdvertiser(Input):
    """A company that advertises, or its new name."""

    name: Name


class AdvertiserOut(BaseModel):
    """A company that advertises."""

    id: UUID
    name: str
    members: list[str]
    """E-mail addresses of the accounts that see and change its campaigns."""
    created_at: datetime


class AdvertiserList(BaseModel):
    """Advertisers in order of their names."""

    items: list[AdvertiserOut]
    total: int


# -- campaigns -------------------------------------------------------------------------------------------------------


class NewCampaign(Input):
    """What an advertiser wants to buy."""

    advertiser_id: UUID
    name: Name
    price_cents: Cents = Field(description="For 1,000 impressions, in minor units of the currency.")
    currency: Currency
    budget_cents: Cents = Field(description="Never exceeded by what is billed.")
    from_day: Day
    to_day: Day = Field(description="The last UTC day that counts.")
    billing: Billing = Billing.CONFIRMED
    confirm_percent: Percent = 50
    impression_cap: Cap | None = Field(
        default=None, description="Billable impressions at most, beside the budget; in whole fifties."
    )
    daily_cap: Cap | None = Field(
        default=None, description="Billable impressions of one UTC day at most; in whole fifties."
    )


class CampaignChanges(Input):
    """Fields that are absent stay as they are; null takes a cap away, and is as good as absent elsewhere."""

    name: Name | None = None
    price_cents: Cents | None = None
    currency: Currency | None = None
    budget_cents: Cents | None = None
    from_day: Day | None = None
    to_day: Day | None = None
    billing: Billing | None = None
    confirm_percent: Percent | None = None
    impression_cap: Cap | None = None
    daily_cap: Cap | None = None

    def to_set(self) -> dict[str, Any]:
        """What was sent and means something."""
        caps = {"impression_cap", "daily_cap"}
        sent = self.model_dump(exclude_unset=True)
        return {name: value for name, value in sent.items() if value is not None or name in caps}


class CampaignOut(BaseModel):
    """A campaign."""

    id: UUID
    advertiser_id: UUID
    advertiser: str
    name: str
    state: Literal["upcoming", "running", "exhausted", "ended"]
    price_cents: int
    currency: str
    budget_cents: int
    from_day: date
    to_day: date
    billing: Billing
    confirm_percent: int
    impression_cap: int | None
    daily_cap: int | None
    most_impressions: int
    """What budget and cap allow to be billed, in all."""
    created_at: datetime
    updated_at: datetime
    exhausted_at: datetime | None
    """When it was noticed that the budget or the cap is used up."""


class CampaignList(BaseModel):
    """One page of campaigns, the last made first."""

    items: list[CampaignOut]
    total: int


# -- creatives -------------------------------------------------------------------------------------------------------


class NewCreative(Input):
    """What is said in an ad, and where it leads."""

    name: Name
    click_url: ClickUrl = ""


class CreativeOut(BaseModel):
    """What is said in an ad, and where it leads."""

    id: UUID
    name: str
    click_url: str
    created_at: datetime


class CreativeList(BaseModel):
    """A campaign's creatives, in the order they were made."""

    items: list[CreativeOut]
    total: int
