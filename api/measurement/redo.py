"""Redoes the rollups of episodes whose recording was replaced by one of another length."""

from collections import defaultdict

from sqlalchemy import Connection, Engine

from api.holds.held_days import recount_episodes
from api.measurement import heard, playback
from api.measurement.impressions_redo import redo_durations
from api.measurement.reach_step import redo_shows
from models.queries import folding
from models.queries.impressions import list_shows_of_episodes

AT_ONCE = 100
"""Episodes redone in one transaction, with one reading of their playbacks; folding waits meanwhile."""


def recount_outdated(engine: Engine) -> int:
    """Redo the rollups of episodes whose recording changed its length; how many there were."""
    redone = 0
    while True:
        with engine.begin() as connection:
            folding.lock_folding(connection, exclusive=True)
            outdated = dict(folding.list_outdated_durations(connection, AT_ONCE))
            if not outdated:
                return redone
            _redo(connection, outdated)
        redone += len(outdated)


def _redo(connection: Connection, durations: dict[int, int]) -> None:
    before: dict[int, int] = dict(
        folding.list_counted_durations(connection, [(episode_id,) for episode_id in sorted(durations)])
    )
    totals: dict[tuple[int, int], list[int]] = {}
    curves = {episode_id: heard.steps_of((), seconds) for episode_id, seconds in durations.items()}
    # A day without a row has no playback that was started, and without a start nothing is ever counted.
    days: dict[int, list[int]] = defaultdict(list)
    for episode_id, day in folding.list_days_of_episodes(connection, sorted(durations)):
        days[day].append(episode_id)
        totals[episode_id, day] = [0] * 5
    for day, episodes in sorted(days.items()):
        coverages: dict[int, list[heard.Packed]] = defaultdict(list)
        for row in folding.list_playbacks_of_episodes(connection, episodes, day):
            state = playback.from_row(row)
            coverages[row[2]].append(state.stored)
            total = totals[row[2], day]
            counts = playback.contribution(state, durations[row[2]])
            total[:] = [old + count for old, count in zip(total, counts, strict=True)]
        for episode_id, packed in coverages.items():
            added = heard.steps_of(packed, durations[episode_id])
            curves[episode_id] = tuple(old + new for old, new in zip(curves[episode_id], added, strict=True))  # type: ignore[assignment]
    folding.delete_rollups(connection, sorted(durations))
    folding.add_episode_days(connection, [(*key, *total) for key, total in sorted(totals.items())])
    for episode_id, seconds in sorted(durations.items()):
        rows = heard.chunk_rows(episode_id, curves[episode_id], heard.steps_of((), seconds))
        folding.put_heard(connection, rows)
    folding.put_counted_durations(connection, sorted(durations.items()))
    recount_episodes(connection, durations)
    redo_durations(connection, before, durations)
    shows = list_shows_of_episodes(connection, durations)
    redo_shows(connection, {day: sorted({shows[episode] for episode in found}) for day, found in days.items()})
