"""Shapes of the answers about downloads. Rows are flat, so that each is a line of CSV too."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from models import metrics
from models.sketches import EXACT_UP_TO, RELATIVE_STANDARD_ERROR

GUIDELINES = "IAB Podcast Technical Measurement Guidelines v2.3"


class CountingOut(BaseModel):
    """The rules that the numbers were counted with, one set for the whole installation."""

    guidelines: str = GUIDELINES
    window: Literal["calendar", "first_touch", "last_touch"] = Field(
        description="When two requests are one download: the same UTC day, or 24 hours from the first or the last one."
    )
    excess_cap: int = Field(
        description="User agents times episodes that an address may ask for on a UTC day before none of it counts; "
        "0: no cap."
    )


class DayRow(BaseModel):
    """`by=day`."""

    day: date
    downloads: int = Field(description=metrics.DOWNLOADS.definition)


class HourRow(BaseModel):
    """`by=hour`."""

    hour: datetime
    """Its first instant, UTC."""
    downloads: int = Field(description=metrics.DOWNLOADS.definition)


class EpisodeRow(BaseModel):
    """`by=episode`."""

    episode_id: UUID
    title: str
    published_at: datetime | None
    downloads: int = Field(description=metrics.DOWNLOADS.definition)


class AppRow(BaseModel):
    """`by=app`."""

    app: str | None = Field(description="Null: unknown.")
    downloads: int = Field(description=metrics.DOWNLOADS.definition)


class DeviceRow(BaseModel):
    """`by=device`."""

    device: str | None = Field(description="`phone`, `computer`, `speaker`, ...; null: unknown.")
    downloads: int = Field(description=metrics.DOWNLOADS.definition)


class CountryRow(BaseModel):
    """`by=country`."""

    country: str | None = Field(description="ISO 3166 alpha-2; null: unknown.")
    downloads: int = Field(description=metrics.DOWNLOADS.definition)


class DownloadsOut(BaseModel):
    """The downloads of a span of UTC days. Whatever `by` is, the rows add up to the same sum."""

    counting: CountingOut
    downloads: int
    """The sum of the rows."""
    rows: list[DayRow] | list[HourRow] | list[EpisodeRow] | list[AppRow] | list[DeviceRow] | list[CountryRow] = Field(
        description="Days: every one up to today, in order. Hours: those with a download, in order. All others: those "
        "with a download, most first."
    )


class ConsumersRow(BaseModel):
    """Unique consumers of some days."""

    day: date
    """The last of them."""
    days: int = Field(description="How many days, up to and with this one: 1, 7 or 30.")
    consumers: int = Field(description=metrics.UNIQUE_CONSUMERS.definition)
    low: int = Field(description="The true number is from `low` to `high` 19 times of 20.")
    high: int
    is_exact: bool = Field(description=f"Whether it is counted, not estimated: up to {EXACT_UP_TO:,} it is.")


class ConsumersOut(BaseModel):
    """Unique consumers of each day, and of the 7 and 30 days that end with it. Not to be summed."""

    counting: CountingOut
    relative_standard_error: float = Field(
        default=round(RELATIVE_STANDARD_ERROR, 4), description="Of the rows that are not exact."
    )
    rows: list[ConsumersRow]


class FirstDaysRow(BaseModel):
    """An episode's downloads from its hour of publication on; null as long as it is not so old."""

    episode_id: UUID
    title: str
    published_at: datetime
    first_7_days: int | None
    first_30_days: int | None
    first_90_days: int | None


class FirstDaysOut(BaseModel):
    """Every published episode of the show, the newest first."""

    counting: CountingOut
    rows: list[FirstDaysRow]


class OutcomeRow(BaseModel):
    """Hits by what became of them."""

    outcome: str = Field(description="`download`, or the cause why it is none.")
    hits: int
    sent_bytes: int = Field(description=metrics.SENT_BYTES.definition)
    share: float = Field(description="Of all hits, 0 to 1.")


class HitsOut(BaseModel):
    """All hits of a span of UTC days. Hits = downloads + causes."""

    counting: CountingOut
    hits: int = Field(description=metrics.HITS.definition)
    downloads: int
    rows: list[OutcomeRow]
    """Most hits first; only outcomes that there were."""
