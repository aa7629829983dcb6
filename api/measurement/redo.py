"""Redoes the rollups of an episode whose recording was replaced by one of another length."""

from sqlalchemy import Connection, Engine

from api.measurement import heard, playback
from models.queries import folding


def recount_outdated(engine: Engine) -> int:
    """Redo the rollups of episodes whose recording changed its length; how many there were."""
    with engine.begin() as connection:
        folding.lock_folding(connection, exclusive=True)
        outdated = folding.list_outdated_durations(connection)
        for episode_id, duration_seconds in outdated:
            _recount_episode(connection, episode_id, duration_seconds)
    return len(outdated)


def _recount_episode(connection: Connection, episode_id: int, duration_seconds: int) -> None:
    days: dict[int, list[int]] = {}
    coverages: list[heard.Packed] = []
    # A day without a row has no playback that was started, and without a start nothing is ever counted.
    for day in folding.list_days_of_episode(connection, episode_id):
        total = days[day] = [0] * 5
        for row in folding.list_playbacks_of_episode(connection, episode_id, day):
            state = playback.from_row(row)
            coverages.append(state.stored)
            counts = playback.contribution(state, duration_seconds)
            total[:] = [old + count for old, count in zip(total, counts, strict=True)]
    folding.delete_episode_days(connection, episode_id)
    folding.add_episode_days(connection, [(episode_id, day, *total) for day, total in sorted(days.items())])
    folding.delete_heard(connection, episode_id)
    nothing = heard.steps_of((), duration_seconds)
    folding.put_heard(connection, heard.chunk_rows(episode_id, heard.steps_of(coverages, duration_seconds), nothing))
    folding.put_counted_duration(connection, episode_id, duration_seconds)
