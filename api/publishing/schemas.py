"""What creators send and are shown."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from api.publishing import text
from api.publishing.categories import parse_category


def _refuse_numbers(value: Any) -> Any:
    if not isinstance(value, str) or not re.match(r"\d{4}-", value):
        raise ValueError("write the instant as ISO 8601 text with a zone, 2026-11-30T07:00:00Z")
    return value


def _not_empty(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


def _in_range(value: datetime) -> datetime:
    if not 1970 <= value.year <= 2200:
        raise ValueError("give a year from 1970 to 2200")
    return value.astimezone(UTC)


Line = Annotated[str, StringConstraints(max_length=255), AfterValidator(text.one_line)]
Title = Annotated[
    Line,
    AfterValidator(_not_empty),
    Field(description="Plain text, one line.", json_schema_extra={"minLength": 1}),
]
Slug = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9-]{1,64}$"),
    Field(description="The feed's address is `/feeds/{slug}.xml`. It never changes, and is never given to another."),
]
Language = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$"),
    Field(description="A BCP 47 tag: `en`, `pt-BR`.", examples=["en"]),
]
Category = Annotated[
    Line,
    AfterValidator(parse_category),
    Field(description="An Apple Podcasts category, as `Technology` or `Science > Nature`; empty for none."),
]
ShowDescription = Annotated[
    str, StringConstraints(max_length=4000), AfterValidator(text.notes), Field(description="Simple HTML is kept.")
]
ShowNotes = Annotated[
    str, StringConstraints(max_length=20_000), AfterValidator(text.notes), Field(description="Simple HTML is kept.")
]
Instant = Annotated[AwareDatetime, BeforeValidator(_refuse_numbers), AfterValidator(_in_range)]


class _Input(BaseModel):
    # A misspelt field is refused, not ignored.
    model_config = ConfigDict(extra="forbid")


class NewShow(_Input):
    """A podcast to be."""

    title: Title
    slug: Slug
    description: ShowDescription = ""
    language: Language = "en"
    author: Line = ""
    category: Category = ""
    is_explicit: bool = False


class ShowChanges(_Input):
    """Fields that are absent or null stay as they are. The slug never changes: subscribers know the feed by it."""

    title: Title | None = None
    description: ShowDescription | None = None
    language: Language | None = None
    author: Line | None = None
    category: Category | None = None
    is_explicit: bool | None = None


class ShowOut(BaseModel):
    """A podcast."""

    id: UUID
    slug: str
    title: str
    description: str
    language: str
    author: str
    category: str
    is_explicit: bool
    feed_url: str
    """Earshot's own, or, for a show hosted elsewhere, the one there."""
    is_hosted_here: bool
    """False for a show of which only the downloads are counted here, from logs."""
    created_at: datetime
    updated_at: datetime
    """When it, or what its feed lists, last changed."""


class ShowList(BaseModel):
    """One page of shows, in order of their titles."""

    items: list[ShowOut]
    total: int


class NewEpisode(_Input):
    """An episode to be: a draft until it has audio and is published."""

    title: Title
    description: ShowNotes = ""


class EpisodeChanges(_Input):
    """Fields that are absent or null stay as they are."""

    title: Title | None = None
    description: ShowNotes | None = None


class Publication(_Input):
    """When the feed begins to list the episode."""

    published_at: Instant | None = Field(
        default=None, description="With a time zone. Absent: now, or unchanged when it is public already."
    )


class AudioOut(BaseModel):
    """A recording as it was found in the file."""

    duration_ms: int
    bytes: int
    sha256: str
    bitrate_bps: int
    header_bytes: int
    """ID3v2 tags before the audio."""
    audio_type: str
    """Media type, `audio/mpeg`."""
    media_url: str
    """Answers once the episode is public."""


class EpisodeOut(BaseModel):
    """An episode."""

    id: UUID
    show_id: UUID
    guid: str
    """What apps know the episode by; never changes."""
    title: str
    description: str
    state: Literal["draft", "scheduled", "published"]
    published_at: datetime | None
    audio: AudioOut | None
    created_at: datetime
    updated_at: datetime


class EpisodeList(BaseModel):
    """One page of episodes, the last made first."""

    items: list[EpisodeOut]
    total: int
