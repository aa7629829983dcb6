"""Rollups of shows as the worker would have written them over weeks."""

from datetime import datetime

from sqlmodel import Session, select

from api.measurement.playback import Playback, to_row
from models.columns import DAY_MS, day_from_number, day_number
from models.counting import EpisodeDay
from models.queries import folding
from models.tables import Episode, Show
from tests.api.holds.conftest import Scene
from tests.downloaded import put_hits
from tests.factories import make_episode


def put_listens(
    session: Session, scene: Scene, show_id: int, published_at: datetime | None, listens: dict[int, int]
) -> int:
    """An episode of the show with so many listens, by days since it came out; without a time, the newest one's, on
    days before today. The episode's number."""
    if published_at is None:
        episode = session.exec(
            select(Episode).where(Episode.show_id == show_id).order_by(Episode.id.desc())  # type: ignore[union-attr]
        ).first()
        days = {scene.today - age: count for age, count in listens.items()}
    else:
        episode = make_episode(session, session.get(Show, show_id), published_at=published_at)
        days = {day_number(published_at.date()) + age: count for age, count in listens.items()}
    for day, count in days.items():
        key = (episode.id, day_from_number(day))
        row = session.get(EpisodeDay, key) or EpisodeDay(
            episode_id=key[0], day=key[1], starts=0, listens=0, offline_listens=0, completions=0, heard_seconds=0
        )
        row.listens += count
        row.starts += count
        session.add(row)
        # All of them fetched the file, in a way that is no download and so no spike of downloads.
        put_hits(session, episode, key[1], "redirected" if published_at else "datacenter", count)
    session.commit()
    return key[0]


def put_playbacks(scene: Scene, episode_id: int, day: int, number: int) -> None:
    """So many devices that heard a minute on a day, counted from today; nobody knows how old they are."""
    rows = []
    for place in range(number):
        heard = Playback()
        heard.add(place.to_bytes(8), "pause", (scene.today + day) * DAY_MS, 0, 60_000 + place * 100, 60_000, False)
        rows.append(to_row((scene.today + day, place.to_bytes(16), episode_id), heard))
    with scene.house.engine.begin() as connection:
        folding.put_playbacks(connection, rows)
        folding.put_counted_durations(connection, [(episode_id, 600)])
