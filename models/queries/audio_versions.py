"""The versions of episodes' files: which bytes were served, and what a download of them takes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select
from sqlmodel import Session, col

from models.bulk import chunks
from models.downloads import AudioVersion
from models.tables import Episode


@dataclass(frozen=True, slots=True)
class Version:
    """An audio version as counting needs it."""

    id: int
    episode_id: int
    show_id: int
    episode: str
    """UUID."""
    sha256: str
    audio_bytes: int
    """0 when unknown."""
    header_bytes: int
    bitrate_bps: int | None
    duration_ms: int | None
    since_at: datetime


def append_version(session: Session, version: AudioVersion) -> None:
    """Note a version of an episode's file; one that is known already stays as it is."""
    known = select(AudioVersion.__table__.c.id).where(  # type: ignore[attr-defined]
        col(AudioVersion.episode_id) == version.episode_id, col(AudioVersion.sha256) == version.sha256
    )
    if session.execute(known).first() is None:
        session.add(version)
        session.flush()


def _versions() -> tuple[object, ...]:
    return (
        col(AudioVersion.id),
        col(AudioVersion.episode_id),
        col(Episode.show_id),
        col(Episode.uuid),
        col(AudioVersion.sha256),
        col(AudioVersion.audio_bytes),
        col(AudioVersion.header_bytes),
        col(AudioVersion.bitrate_bps),
        col(AudioVersion.duration_ms),
        col(AudioVersion.since_at),
    )


def list_versions(connection: Connection, episodes: Iterable[UUID]) -> list[Version]:
    """All versions of these episodes, deleted episodes too, the oldest first."""
    return _list(connection, col(Episode.uuid), list(episodes))


def list_versions_by_id(connection: Connection, ids: Iterable[int]) -> list[Version]:
    """The versions with these ids."""
    return _list(connection, col(AudioVersion.id), list(ids))


def _list(connection: Connection, column: object, values: Sequence[object]) -> list[Version]:
    found: list[Version] = []
    for chunk in chunks(values):
        statement = (
            select(*_versions())  # type: ignore[call-overload]
            .join(Episode, col(Episode.id) == col(AudioVersion.episode_id))
            .where(column.in_(chunk))  # type: ignore[attr-defined]
            .order_by(col(AudioVersion.since_at), col(AudioVersion.id))
        )
        found += [Version(row[0], row[1], row[2], str(row[3]), *row[4:]) for row in connection.execute(statement)]
    return found


def list_episodes_with_audio(connection: Connection) -> list[UUID]:
    """Every episode that has, or had, audio; deleted ones too."""
    of_version = select(col(AudioVersion.episode_id))
    return list(connection.execute(select(col(Episode.uuid)).where(col(Episode.id).in_(of_version))).scalars())
