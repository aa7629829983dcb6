"""Shapes of the gpodder API, as apps expect them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, Field

from models.listeners import EpisodeAction


def _from_the_beginning(value: Any) -> Any:
    return 0 if value in {"", "null", "-1"} else value


Since = Annotated[
    int,
    # What apps send that have no number yet.
    BeforeValidator(_from_the_beginning),
    Query(ge=0, le=2**53, description="The `timestamp` of an earlier answer; without it, or 0: from the beginning."),
]
Url = Annotated[str, Field(examples=["https://podcast.example.com/feed.xml"])]


class ActionIn(BaseModel):
    """Something that a listener did with an episode."""

    podcast: Url
    episode: str = Field(examples=["https://podcast.example.com/media/1.mp3"])
    """The address of its audio, or its GUID."""
    guid: str | None = None
    action: Literal["download", "play", "delete", "new", "flattr"]
    device: str | None = None
    timestamp: str | None = Field(default=None, examples=["2026-11-22T19:30:00Z"])
    """ISO 8601, UTC unless it has an offset. Absent: the instant of receipt."""
    started: int | None = None
    position: int | None = None
    """Seconds of the recording: where the listener began, and where they stopped. Absent or -1: not known."""
    total: int | None = None


class Uploaded(BaseModel):
    """All that can be kept is on disk."""

    timestamp: int
    """Where to ask from the next time: a number of the server's, no instant to be compared with a clock."""
    update_urls: list[tuple[str, str]]
    """Address as sent, address as kept; empty for one that is not kept."""


class ActionsOut(BaseModel):
    """Actions told since then."""

    actions: list[dict[str, Any]]
    timestamp: int


class DeviceIn(BaseModel):
    """What an app says of itself. What is absent stays as it is."""

    caption: str | None = None
    type: Literal["desktop", "laptop", "mobile", "server", "other"] | None = None


class DeviceOut(BaseModel):
    """One of the listener's apps."""

    id: str
    caption: str
    type: str
    subscriptions: int


class SyncGroupsIn(BaseModel):
    """Which devices are to share their subscriptions from here on."""

    synchronize: list[list[str]] = []
    stop_synchronize: list[str] = Field(default=[], alias="stop-synchronize")


class SyncGroupsOut(BaseModel):
    """Which devices share their subscriptions."""

    synchronized: list[list[str]]
    not_synchronized: list[str] = Field(serialization_alias="not-synchronized")


class ChangesIn(BaseModel):
    """Feeds subscribed to, and feeds given up."""

    add: list[Url] = []
    remove: list[Url] = []


class ChangesOut(BaseModel):
    """Feeds subscribed to and given up since then."""

    add: list[Url]
    remove: list[Url]
    timestamp: int


class SettingsIn(BaseModel):
    """Values to set and names to forget."""

    set: dict[str, Any] = {}
    remove: list[str] = []


class FavoriteOut(BaseModel):
    """A favourite episode."""

    title: str
    url: str
    podcast_title: str
    podcast_url: str
    description: str
    website: str
    released: str
    mygpo_link: str


def body_of(model: type[BaseModel], *, is_list: bool = False) -> dict[str, Any]:
    """What OpenAPI says of a body that is read leniently: apps in the field send it with all kinds of content types."""
    schema = model.model_json_schema()
    if is_list:
        schema = {"type": "array", "items": schema}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def action_out(row: EpisodeAction) -> dict[str, Any]:
    """An action as apps read it: without the fields it does not have, since some take null for a number."""
    instant = datetime.fromtimestamp(row.at_ms // 1000, UTC)
    shown: dict[str, Any] = {
        "podcast": row.podcast,
        "episode": row.episode,
        "action": row.action,
        "timestamp": f"{instant:%Y-%m-%dT%H:%M:%S}",
    }
    shown |= {name: value for name, value in (("device", row.device), ("guid", row.guid)) if value}
    # `started` or `total` without `position` is an error to gPodder's own library.
    if row.position is not None:
        numbers = (("started", row.started), ("position", row.position), ("total", row.total))
        shown |= {name: value for name, value in numbers if value is not None}
    return shown
