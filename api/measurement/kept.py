"""What stays of an erased device: its counts, in playbacks that nothing in the store ties to it or to each other."""

from api.events.records import Kept
from api.measurement import playback
from api.measurement.fold import Fold
from models.columns import DAY_MS


def episodes_of(kept: Kept) -> set[str]:
    """The UUIDs of all episodes it speaks of."""
    names = {row[2] for row in kept.playbacks}
    return names | {row[0] for row in kept.arrivals} | {row[0] for row in kept.show_arrivals}


def fold_kept(fold: Fold, kept: Kept) -> None:
    """Count it as what the device sent was counted."""
    for day, stand_in, name, coverage, repeats, wall_ms, is_start, is_offline in kept.playbacks:
        episode = fold.episodes.get(name)
        if episode is None:
            continue
        state = playback.anonymous(day * DAY_MS, (coverage, repeats), wall_ms, is_start, is_offline)
        key = day, stand_in, episode.id
        fold.playbacks[key] = state
        fold.changed.add(key)
        row = fold.episode_days[episode.id, day]
        added = playback.contribution(state, episode.duration_seconds)
        for place, count in enumerate(added):
            row[place] += count
        if added.listens:
            fold.listened.append((episode.show_id, day, stand_in))
    for name, received_day, day, *counts, newest_ms in kept.arrivals:
        if name in fold.episodes:
            fold.arrivals[fold.episodes[name].id, received_day, day] = [*counts, newest_ms]
    for name, day, lag, *counts in kept.show_arrivals:
        if name in fold.episodes:
            fold.show_arrivals[fold.episodes[name].show_id, day, lag] = list(counts)
    for received_day, outcome, events in kept.outcomes:
        fold.outcomes[received_day, "event", outcome] += events
