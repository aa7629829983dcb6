"""Placements as they are sent and shown."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.advertising.schemas import Day, Input, Position


class NewPlacement(Input):
    """An ad's part of one recording, or of every recording that a show publishes from a day on."""

    show_id: UUID
    episode_id: UUID | None = Field(
        default=None, description="Absent: all episodes of the show that are published on `from_day` or later."
    )
    creative_id: UUID | None = None
    start_ms: Position
    end_ms: Position = Field(description="Where the ad is over; at least one whole second after `start_ms`.")
    from_day: Day | None = Field(
        default=None, description="Impressions count from this UTC day on. Absent: today, or the campaign's first day."
    )
    to_day: Day | None = Field(default=None, description="The last UTC day that counts. Absent: the campaign's.")


class PlacementChanges(Input):
    """Fields that are absent or null stay as they are. Where it stands in the recording cannot change any more once an
    impression was counted."""

    creative_id: UUID | None = None
    start_ms: Position | None = None
    end_ms: Position | None = None
    from_day: Day | None = None
    to_day: Day | None = None

    def to_set(self) -> dict[str, Any]:
        """What was sent and means something."""
        return self.model_dump(exclude_none=True)


class CountBack(Input):
    """From which day on a placement shall count what was heard before it was made."""

    from_day: Day


class PlacementOut(BaseModel):
    """A placement."""

    id: UUID
    campaign_id: UUID
    creative_id: UUID | None
    creative: str | None
    show_id: UUID
    show: str
    episode_id: UUID | None
    """Null: every episode of the show that was published on `from_day` or later."""
    episode: str | None
    start_ms: int
    end_ms: int
    from_day: date
    to_day: date
    is_counted_back: bool
    """Whether days before it was made are counted, from listening that was stored already."""
    counting: Literal["current", "pending"]
    """`pending` while the worker still counts anew what a change calls for."""
    created_at: datetime
    removed_at: datetime | None


class PlacementList(BaseModel):
    """A campaign's placements, removed ones too, in the order they were made."""

    items: list[PlacementOut]
    total: int


class CountBackOut(BaseModel):
    """What counting back will do."""

    placement: PlacementOut
    from_day: date
    to_day: date
    """The last day that was not counted before."""
    days: int
    message: str
    """The same in words, with how to see that it is done."""


class ShowPlacement(BaseModel):
    """A placement as the show's creator sees it: who advertises where, and what it has brought. No prices."""

    id: UUID
    advertiser: str
    campaign: str
    creative: str | None
    click_url: str | None
    episode_id: UUID | None
    episode: str | None
    start_ms: int
    end_ms: int
    from_day: date
    to_day: date
    removed_at: datetime | None
    delivered: int
    confirmed: int
    offline_confirmed: int


class ShowPlacementList(BaseModel):
    """All placements that were ever made in a show, the last made first."""

    items: list[ShowPlacement]
    total: int


class EpisodeToBuy(BaseModel):
    """An episode that an ad can stand in."""

    id: UUID
    title: str
    published_at: datetime | None
    duration_ms: int


class ShowToBuy(BaseModel):
    """A show that an ad can stand in, with its episodes, the newest first."""

    id: UUID
    title: str
    author: str
    category: str
    language: str
    episodes: list[EpisodeToBuy]


class Catalogue(BaseModel):
    """One page of shows, in order of their titles."""

    items: list[ShowToBuy]
    total: int
