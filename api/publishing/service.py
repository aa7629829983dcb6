"""Shows and episodes: what happens when a creator makes, changes, publishes and deletes them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from api import clock
from api.errors import ConflictError, NotFoundError
from api.publishing.probing import Probed
from models.downloads import AudioVersion
from models.queries import audio_versions, catalogue
from models.tables import Episode, Role, Show, User


class SlugTakenError(ConflictError):
    """Another show has, or had, this slug."""

    code = "slug_taken"


class NoAudioError(ConflictError):
    """An episode without audio cannot be published."""

    code = "no_audio"


class HostedElsewhereError(ConflictError):
    """The show's episodes come from its feed, elsewhere."""

    code = "hosted_elsewhere"


def key_of(row: User | Show | Episode) -> int:
    """The small key of a row that was read from the store."""
    if row.id is None:
        raise ValueError("this row was never stored")
    return row.id


def scope_of(user: User) -> int | None:
    """Whose shows this user may see and change: their own; an admin everybody's (None)."""
    return None if user.role == Role.ADMIN else user.id


# -- shows ---------------------------------------------------------------------------------------------------------


def get_show(session: Session, user: User, show_id: UUID) -> Show:
    """A show of this user's; somebody else's is as good as not there."""
    show = catalogue.get_show(session, show_id, scope_of(user))
    if show is None:
        raise NotFoundError("There is no such show among yours. GET /v1/shows lists them with their ids.")
    return show


def add_show(session: Session, user: User, fields: dict[str, Any]) -> Show:
    """Make a show that belongs to the user."""
    now = clock.now()
    show = Show(owner_id=key_of(user), created_at=now, updated_at=now, **fields)
    try:
        catalogue.append_show(session, show)
    except IntegrityError as error:
        raise SlugTakenError(
            f"The slug {fields['slug']!r} is taken, perhaps by a deleted show. Choose another."
        ) from error
    return show


def change_show(session: Session, user: User, show_id: UUID, changes: dict[str, Any]) -> Show:
    """Set the fields in `changes`."""
    show = get_show(session, user, show_id)
    if _apply(show, changes):
        _touch(show, clock.now())
    return show


def delete_show(session: Session, user: User, show_id: UUID) -> None:
    """Hide the show with all its episodes; counts and slug stay."""
    show = get_show(session, user, show_id)
    show.deleted_at = clock.now()
    _touch(show, show.deleted_at)


# -- episodes ------------------------------------------------------------------------------------------------------


def get_episode(session: Session, user: User, episode_id: UUID) -> tuple[Episode, Show]:
    """An episode of this user's, with its show."""
    found = catalogue.get_episode(session, episode_id, scope_of(user))
    if found is None:
        raise NotFoundError("There is no such episode among yours. GET /v1/shows/{id}/episodes lists them.")
    return found


def get_hosted_episode(session: Session, user: User, episode_id: UUID) -> tuple[Episode, Show]:
    """An episode of this user's that can have audio here."""
    episode, show = get_episode(session, user, episode_id)
    _refuse_elsewhere(show)
    return episode, show


def _refuse_elsewhere(show: Show) -> None:
    if show.feed_url is not None:
        raise HostedElsewhereError(
            f"{show.title!r} is hosted elsewhere: publish there, then bring its episodes here with earshot "
            "import-feed. To host a show here, make a new one: POST /v1/shows"
        )


def add_episode(session: Session, user: User, show_id: UUID, fields: dict[str, Any]) -> tuple[Episode, Show]:
    """Make a draft."""
    show = get_show(session, user, show_id)
    _refuse_elsewhere(show)
    now, uuid = clock.now(), uuid4()
    episode = Episode(uuid=uuid, guid=str(uuid), show_id=key_of(show), created_at=now, updated_at=now, **fields)
    catalogue.append_episode(session, episode)
    return episode, show


def change_episode(session: Session, user: User, episode_id: UUID, changes: dict[str, Any]) -> tuple[Episode, Show]:
    """Set the fields in `changes`."""
    episode, show = get_episode(session, user, episode_id)
    _change(episode, show, changes)
    return episode, show


def replace_audio(
    session: Session, user: User, episode_id: UUID, *, sha256: str, size: int, probed: Probed
) -> tuple[Episode, Show]:
    """Point the episode at another recording. Its GUID stays, so apps do not take it for a new episode.

    The file before stays on disk: it may be on its way to somebody, and is what earlier hits were served.
    """
    episode, show = get_hosted_episode(session, user, episode_id)
    found = {
        "audio_sha256": sha256,
        "audio_bytes": size,
        "audio_type": probed.audio_type,
        "duration_ms": probed.duration_ms,
        "bitrate_bps": probed.bitrate_bps,
        "header_bytes": probed.header_bytes,
    }
    _change(episode, show, found)
    version = AudioVersion(
        episode_id=key_of(episode),
        sha256=sha256,
        audio_bytes=size,
        header_bytes=probed.header_bytes,
        bitrate_bps=probed.bitrate_bps,
        duration_ms=probed.duration_ms,
        since_at=clock.now(),
    )
    audio_versions.append_version(session, version)
    return episode, show


def publish_episode(
    session: Session, user: User, episode_id: UUID, published_at: datetime | None
) -> tuple[Episode, Show]:
    """Put the episode into the feed from `published_at` on; None is now, or as it is when it is public already."""
    episode, show = get_hosted_episode(session, user, episode_id)
    if episode.audio_sha256 is None:
        raise NoAudioError("This episode has no audio yet. Send it first: PUT /v1/episodes/{id}/audio")
    if published_at is None:
        # A request that is sent twice must not move the date that apps sort by.
        published_at = episode.published_at if state_of(episode) == "published" else clock.now()
    _change(episode, show, {"published_at": published_at, **_first(episode, published_at)})
    return episode, show


def unpublish_episode(session: Session, user: User, episode_id: UUID) -> tuple[Episode, Show]:
    """Make it a draft again; what was counted stays."""
    episode, show = get_hosted_episode(session, user, episode_id)
    _change(episode, show, {"published_at": None, **_first(episode, None)})
    return episode, show


def delete_episode(session: Session, user: User, episode_id: UUID) -> None:
    """Hide the episode; its counts stay."""
    episode, show = get_episode(session, user, episode_id)
    _change(episode, show, {"deleted_at": clock.now()})


def state_of(episode: Episode) -> str:
    """`draft`, `scheduled` or `published`."""
    if episode.published_at is None:
        return "draft"
    return "scheduled" if episode.published_at > clock.now() else "published"


def _first(episode: Episode, published_at: datetime | None) -> dict[str, datetime | None]:
    """What to set when a date is given: once an episode has been public, that stays the first time."""
    first = episode.first_published_at
    return {} if first is not None and first <= clock.now() else {"first_published_at": published_at}


def _apply(row: Show | Episode, changes: dict[str, Any]) -> bool:
    changed = {name: value for name, value in changes.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def _change(episode: Episode, show: Show, changes: dict[str, Any]) -> None:
    was_listed = _is_listed(episode)
    if not _apply(episode, changes):
        return
    episode.updated_at = clock.now()
    if was_listed or _is_listed(episode):
        _touch(show, episode.updated_at)


def _is_listed(episode: Episode) -> bool:
    return episode.deleted_at is None and state_of(episode) == "published"


def _touch(show: Show, now: datetime) -> None:
    """Give the show a new `updated_at`: delivery takes it for the version of all that the feed lists."""
    # Also when the clock stands still, or was set back.
    show.updated_at = max(now, show.updated_at + timedelta(microseconds=1))
