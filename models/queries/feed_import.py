"""What an imported feed meets in the catalogue: shows hosted elsewhere, their episodes, where the audio of each is."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlmodel import Session, col, delete, select

from models.bulk import chunks
from models.downloads import AudioVersion
from models.listeners import EpisodeUrl
from models.tables import Episode, Show, User


class UrlOwner(NamedTuple):
    """Whose audio an address is."""

    episode_id: int
    title: str
    show_id: int
    show_title: str
    is_alive: bool
    """Neither the episode nor its show is deleted."""


def lock_owner(session: Session, user_id: int) -> None:
    """Let imports of one person's feeds wait for each other, on PostgreSQL; on SQLite all writers do."""
    session.exec(select(User.id).where(User.id == user_id).with_for_update(key_share=True)).one()


def list_shows_elsewhere(session: Session, owner_id: int | None) -> list[Show]:
    """Shows that are hosted elsewhere, the oldest first; None for everybody's."""
    statement = select(Show).where(col(Show.feed_url).is_not(None), col(Show.deleted_at).is_(None))
    if owner_id is not None:
        statement = statement.where(Show.owner_id == owner_id)
    return list(session.exec(statement.order_by(col(Show.id))))


def list_slugs(session: Session, beginning: str) -> set[str]:
    """Slugs that begin so, of deleted shows too."""
    return set(session.exec(select(Show.slug).where(col(Show.slug).startswith(beginning, autoescape=True))))


def list_all_episodes(session: Session, show_id: int) -> list[Episode]:
    """A show's episodes, deleted ones too."""
    return list(session.exec(select(Episode).where(Episode.show_id == show_id)))


def list_guids_of_others(session: Session, guids: Iterable[str], show_id: int) -> set[str]:
    """Those of the GUIDs that an episode of another show has, deleted or not."""
    found: set[str] = set()
    for chunk in chunks(guids):
        found.update(session.exec(select(Episode.guid).where(col(Episode.guid).in_(chunk), Episode.show_id != show_id)))
    return found


def list_url_owners(session: Session, hashes: Iterable[bytes]) -> dict[bytes, UrlOwner]:
    """Whose audio is at these addresses, by their hashes."""
    found: dict[bytes, UrlOwner] = {}
    columns = (EpisodeUrl.url_hash, EpisodeUrl.episode_id, Episode.title, Episode.show_id, Show.title)
    for chunk in chunks(hashes):
        statement = (
            select(*columns, Episode.deleted_at, Show.deleted_at)  # type: ignore[call-overload]
            .join(Episode, col(Episode.id) == EpisodeUrl.episode_id)
            .join(Show, col(Show.id) == Episode.show_id)
            .where(col(EpisodeUrl.url_hash).in_(chunk))
        )
        for digest, episode_id, title, show_id, show_title, *ends in session.exec(statement):
            found[bytes(digest)] = UrlOwner(episode_id, title, show_id, show_title, ends == [None, None])
    return found


def delete_urls(session: Session, hashes: Iterable[bytes]) -> None:
    """Take addresses from whoever has them."""
    for chunk in chunks(hashes):
        session.exec(delete(EpisodeUrl).where(col(EpisodeUrl.url_hash).in_(chunk)))


def append_rows(session: Session, rows: Sequence[Show | Episode | EpisodeUrl | AudioVersion]) -> None:
    """Add rows; raises IntegrityError when somebody else was first."""
    session.add_all(rows)
    session.flush()


def list_versions(session: Session, show_id: int) -> dict[int, list[AudioVersion]]:
    """What each of a show's episodes is and was, the oldest first, by the episode's key."""
    statement = (
        select(AudioVersion)
        .join(Episode, col(Episode.id) == AudioVersion.episode_id)
        .where(Episode.show_id == show_id)
        .order_by(col(AudioVersion.since_at), col(AudioVersion.id))
    )
    found: dict[int, list[AudioVersion]] = {}
    for version in session.exec(statement):
        found.setdefault(version.episode_id, []).append(version)
    return found


def has_episode(session: Session, uuids: Iterable[UUID]) -> bool:
    """Whether any of these is an episode of ours, deleted or not."""
    return any(
        session.exec(select(Episode.id).where(col(Episode.uuid).in_(chunk)).limit(1)).first() is not None
        for chunk in chunks(uuids)
    )
