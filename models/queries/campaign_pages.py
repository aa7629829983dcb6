"""What advertisers' pages ask for that nobody else does."""

from datetime import date

from sqlalchemy import select
from sqlmodel import Session, col

from models.counting import EpisodeDay
from models.forecast import EpisodeHistory
from models.tables import Episode


def list_histories(session: Session, show_id: int) -> list[EpisodeHistory]:
    """The listens of each published episode of a show by UTC day."""
    episodes = select(col(Episode.id), col(Episode.published_at)).where(
        col(Episode.show_id) == show_id, col(Episode.published_at).is_not(None)
    )
    found = {
        episode_id: EpisodeHistory(episode_id, published_at.date(), {})
        for episode_id, published_at in session.execute(episodes)
    }
    listens = (
        select(col(EpisodeDay.episode_id), col(EpisodeDay.day), col(EpisodeDay.listens))
        .join(Episode, col(Episode.id) == col(EpisodeDay.episode_id))
        .where(col(Episode.show_id) == show_id, col(Episode.published_at).is_not(None))
    )
    by_day: dict[int, dict[date, int]] = {episode_id: {} for episode_id in found}
    for episode_id, day, count in session.execute(listens):
        by_day[episode_id][day] = count
    return [history._replace(by_day=by_day[episode_id]) for episode_id, history in found.items()]
