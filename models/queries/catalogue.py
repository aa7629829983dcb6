"""Shows and episodes. Nothing deleted is found, unless a function says so.

`owner_id` narrows to one person's shows; None means everybody's, for admins.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlmodel import Session, col, func, select

from models.tables import Episode, Show

# -- shows ---------------------------------------------------------------------------------------------------------


def append_show(session: Session, show: Show) -> None:
    """Add a show; raises IntegrityError when the slug is taken, by a deleted show too."""
    session.add(show)
    session.flush()


def _visible_shows(owner_id: int | None) -> ColumnElement[bool]:
    alive = col(Show.deleted_at).is_(None)
    return alive if owner_id is None else and_(alive, col(Show.owner_id) == owner_id)


def list_shows(session: Session, owner_id: int | None, *, limit: int, offset: int) -> list[Show]:
    """Shows in order of their titles."""
    statement = select(Show).where(_visible_shows(owner_id)).order_by(Show.title, col(Show.id))
    return list(session.exec(statement.limit(limit).offset(offset)))


def count_shows(session: Session, owner_id: int | None) -> int:
    """How many shows `list_shows` has to give."""
    return session.exec(select(func.count()).select_from(Show).where(_visible_shows(owner_id))).one()


def has_shows(session: Session) -> bool:
    """Whether any show was ever made; deleted ones count."""
    return session.exec(select(col(Show.id)).limit(1)).first() is not None


def get_show(session: Session, uuid: UUID, owner_id: int | None) -> Show | None:
    """A show by the id that the API uses."""
    return session.exec(select(Show).where(Show.uuid == uuid, _visible_shows(owner_id))).first()


# -- episodes ------------------------------------------------------------------------------------------------------


def append_episode(session: Session, episode: Episode) -> None:
    """Add an episode."""
    session.add(episode)
    session.flush()


def list_episodes(session: Session, show_id: int, *, limit: int, offset: int) -> list[Episode]:
    """A show's episodes, drafts too, the last made first."""
    statement = select(Episode).where(Episode.show_id == show_id, col(Episode.deleted_at).is_(None))
    return list(session.exec(statement.order_by(col(Episode.id).desc()).limit(limit).offset(offset)))


def count_episodes(session: Session, show_id: int) -> int:
    """How many episodes `list_episodes` has to give."""
    statement = select(func.count()).select_from(Episode)
    return session.exec(statement.where(Episode.show_id == show_id, col(Episode.deleted_at).is_(None))).one()


def get_episode(session: Session, uuid: UUID, owner_id: int | None) -> tuple[Episode, Show] | None:
    """An episode and its show."""
    statement = (
        select(Episode, Show)
        .join(Show, col(Show.id) == Episode.show_id)
        .where(Episode.uuid == uuid, col(Episode.deleted_at).is_(None), _visible_shows(owner_id))
    )
    return session.exec(statement).first()


# -- what the public sees ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FeedState:
    """All that a feed's bytes depend on, without reading its episodes."""

    show: Show
    """Deleted shows too: their feeds are gone, which is another answer than never having been there."""
    episodes: int
    newest_published_at: datetime | None


def _in_feed(now: datetime) -> ColumnElement[bool]:
    return and_(
        col(Episode.deleted_at).is_(None), col(Episode.published_at) <= now, col(Episode.audio_sha256).is_not(None)
    )


def get_feed_state(session: Session, slug: str, now: datetime) -> FeedState | None:
    """The show with this slug, and how many of its episodes are in its feed at this instant."""
    statement = (
        select(Show, func.count(col(Episode.id)), func.max(Episode.published_at))
        .outerjoin(Episode, and_(col(Episode.show_id) == Show.id, _in_feed(now)))
        .where(Show.slug == slug)
        .group_by(col(Show.id))
    )
    row = session.exec(statement).first()
    return None if row is None else FeedState(*row)


def list_feed_episodes(session: Session, show_id: int, now: datetime) -> list[Episode]:
    """The episodes in a show's feed at this instant, newest first."""
    statement = select(Episode).where(Episode.show_id == show_id, _in_feed(now))
    return list(session.exec(statement.order_by(col(Episode.published_at).desc(), col(Episode.id).desc())))


@dataclass(frozen=True, slots=True)
class Media:
    """What delivery must know to send an episode's audio."""

    episode: UUID
    published_at: datetime
    """May be in the future."""
    sha256: str
    media_type: str


def get_media(session: Session, uuid: UUID) -> Media | None:
    """The audio of an episode that has some and a date of publication."""
    statement = (
        select(Episode)
        .join(Show, col(Show.id) == Episode.show_id)
        .where(Episode.uuid == uuid, col(Episode.deleted_at).is_(None), col(Show.deleted_at).is_(None))
    )
    episode = session.exec(statement).first()
    if episode is None or episode.published_at is None or episode.audio_sha256 is None or episode.audio_type is None:
        return None
    return Media(episode.uuid, episode.published_at, episode.audio_sha256, episode.audio_type)
