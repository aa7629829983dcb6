"""A show's past, by episode and day: what forecasts are made from."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime

from sqlalchemy import Executable, select
from sqlmodel import Session, col

from models.counting import EpisodeDay
from models.downloads import DOWNLOAD, HitOutcome
from models.forecast import EpisodeHistory
from models.queries import retention
from models.tables import Episode

SHARE_EPISODES = 6
"""Episodes whose curves say how many listeners are still there at a place in the recording."""


def list_released(session: Session, show_id: int, now: datetime) -> list[Episode]:
    """A show's public episodes with a recording, the newest first."""
    statement = select(Episode).where(
        col(Episode.show_id) == show_id,
        col(Episode.deleted_at).is_(None),
        col(Episode.published_at) <= now,
        col(Episode.duration_ms) >= 1000,
    )
    return list(session.execute(statement.order_by(col(Episode.published_at).desc())).scalars())


def list_listens(session: Session, episodes: Sequence[Episode], first: date) -> list[EpisodeHistory]:
    """Each episode's listens by day from `first` on."""
    table = EpisodeDay
    statement = select(col(table.episode_id), col(table.day), col(table.listens)).where(
        col(table.episode_id).in_([episode.id for episode in episodes]), col(table.day) >= first
    )
    return _histories(session, episodes, statement)


def list_downloads(session: Session, episodes: Sequence[Episode], first: date) -> list[EpisodeHistory]:
    """Each episode's IAB downloads by day from `first` on."""
    table = HitOutcome
    statement = select(col(table.episode_id), col(table.day), col(table.hits)).where(
        col(table.episode_id).in_([episode.id for episode in episodes]),
        col(table.day) >= first,
        col(table.outcome) == DOWNLOAD,
    )
    return _histories(session, episodes, statement)


def _histories(session: Session, episodes: Sequence[Episode], statement: Executable) -> list[EpisodeHistory]:
    counts: dict[int, dict[date, int]] = defaultdict(dict)
    for episode_id, day, count in session.execute(statement):
        counts[episode_id][day] = count
    return [
        EpisodeHistory(episode.id or 0, episode.published_at.astimezone(UTC).date(), counts.get(episode.id or 0, {}))
        for episode in episodes
        if episode.published_at is not None
    ]


def get_share_heard(session: Session, episodes: Sequence[Episode], start_ms: int, end_ms: int) -> float | None:
    """Playbacks that hear a second between two places, for each listen, over the newest recordings that are long
    enough; None when nothing was heard of them."""
    heard, listens = 0.0, 0
    long_enough = [episode for episode in episodes if (episode.duration_ms or 0) >= end_ms]
    for episode in long_enough[:SHARE_EPISODES]:
        if episode.id is None:
            continue
        seconds = retention.get_per_second(session, episode.id, (episode.duration_ms or 0) // 1000).heard
        part = seconds[start_ms // 1000 : max(end_ms // 1000, start_ms // 1000 + 1)]
        heard += float(part.mean()) if len(part) else 0.0
        rows = session.execute(select(col(EpisodeDay.listens)).where(col(EpisodeDay.episode_id) == episode.id))
        listens += sum(rows.scalars())
    return heard / listens if listens else None
