"""Shapes of the answers about impressions, reach and frequency. A null number is hidden: there are fewer than 50."""

from datetime import date
from uuid import UUID

from pydantic import BaseModel, Field

from models import metrics
from models.privacy_cells import LEAST, Cell

HIDDEN = f"Null: hidden, fewer than {LEAST}."


class PrivacyOut(BaseModel):
    """How numbers were kept from telling of few devices."""

    is_guarded: bool = Field(description="Whether this answer is for an advertiser. Admins read what was counted.")
    least: int = Field(LEAST, description="Devices, or impressions, in the smallest number that is told.")


class Reached(BaseModel):
    """A number of devices with its error."""

    value: int | None = Field(description=f"{metrics.REACH.definition} {HIDDEN}")
    low: int | None
    high: int | None = Field(description="The true number is from `low` to `high` at least 19 times of 20.")
    is_exact: bool
    relative_error: float | None = Field(description="How far the range goes from the value, as a share of it.")

    @classmethod
    def of(cls, cell: Cell) -> "Reached":
        """As the API shows it."""
        return cls.model_validate(cell._asdict())


class CountsOut(BaseModel):
    """Impressions. Devices that heard the ad: any second of it, then so many per cent."""

    delivered: int | None = Field(description=HIDDEN)
    started: int | None
    heard_25: int | None
    heard_50: int | None
    heard_75: int | None
    heard_100: int | None
    confirmed: int | None
    offline_confirmed: int | None


class ReportDay(BaseModel):
    """One UTC day. Guarded, what it adds in whole fifties to the sums since the campaign began."""

    day: date
    delivered: int | None = Field(description=HIDDEN)
    confirmed: int | None
    offline_confirmed: int | None


class ReportEpisode(CountsOut):
    """One episode."""

    episode_id: UUID
    title: str
    show_id: UUID
    show: str


class ReportValue(BaseModel):
    """One app, device class or country."""

    value: str | None = Field(description="Null: unknown.")
    delivered: int


class ReportOut(BaseModel):
    """A campaign's impressions of a span of UTC days."""

    first: date
    last: date
    privacy: PrivacyOut
    totals: CountsOut
    offline_share: float | None = Field(description="Of the confirmed impressions; from the numbers as they are told.")
    currency: str
    spend_cents: int = Field(
        description="What the impressions come to within caps and budget, without those that are held. The statement "
        "decides; guarded, of whole fifties."
    )
    days: list[ReportDay]
    episodes: list[ReportEpisode]
    apps: list[ReportValue] = Field(description="Delivered impressions; values with fewer than may be told are absent.")
    devices: list[ReportValue]
    countries: list[ReportValue]


class ReachPoint(Reached):
    """Reach by the end of a day."""

    day: date


class ReachOut(BaseModel):
    """Reach of a span of UTC days."""

    first: date
    last: date
    privacy: PrivacyOut
    reach: Reached
    rows: list[ReachPoint] = Field(description="With `by`: reach from the first day to the end of this one.")


class FrequencyRow(BaseModel):
    """Devices by how many confirmed impressions they had."""

    frequency: int = Field(description="1 to 4; 5: five and more.")
    devices: int | None = Field(description=f"{metrics.FREQUENCY.definition} {HIDDEN}")


class FrequencyOut(BaseModel):
    """Over the whole campaign; exact, or guarded in whole fifties."""

    privacy: PrivacyOut
    reach: Reached
    average: float | None = Field(description="Confirmed impressions for each device reached.")
    rows: list[FrequencyRow]


class OverlapRow(Reached):
    """Devices with a listen to both shows."""

    show_id: UUID
    other_id: UUID


class OverlapOut(BaseModel):
    """Each two of the shows once, and each show with itself: its reach."""

    first: date
    last: date
    privacy: PrivacyOut
    rows: list[OverlapRow]


class IncrementRow(Reached):
    """Devices of a show that the shows before do not reach."""

    show_id: UUID


class IncrementsOut(BaseModel):
    """What shows would add to others."""

    first: date
    last: date
    privacy: PrivacyOut
    before: Reached
    after: Reached = Field(description="With all of them.")
    rows: list[IncrementRow] = Field(description="Each alone, in the order asked for.")
