"""Counts the impressions of one step of the worker, in its transaction; where no ad is, that is one look-up."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from sqlalchemy import Connection

from api.measurement.downloads import State
from api.measurement.fold import Fold
from api.measurement.impressions_delivered import Delivered, of_state, rows_of
from api.measurement.impressions_devices import add_confirmed
from api.measurement.playback import Playback
from api.measurement.windows import Judgement
from models.coverage import unpack_coverage
from models.impressions import NONE, Ad, Confirmed, Impressions, ad_of, ads_by_episode, contribution
from models.queries import impressions as store
from models.queries.audio_versions import list_versions_by_id

AdDay = tuple[int, int, int]
"""placement_id, episode_id, day."""


def count_delivered(connection: Connection, state: State, was: Judgement, now: Judgement) -> Delivered:
    """What the hits that a state took in change in delivered impressions."""
    ads = store.list_counted(connection, np.unique(state.episode_id).tolist())
    if not ads:
        return Delivered()
    versions = list_versions_by_id(connection, np.unique(state.entries["version"]).tolist())
    return of_state(state, was, now, ads, versions)


def write_impressions(connection: Connection, fold: Fold) -> list[Confirmed]:
    """Add what a fold changes to the rollups of impressions; the devices, by campaign, show and day, with an impression
    that became confirmed, each once."""
    days: dict[AdDay, list[int]] = defaultdict(lambda: [0] * len(NONE))
    confirmed: list[tuple[int, int, int, bytes]] = []
    for ad, day, device, before, after in _changed(fold, _list_ads(connection, fold)):
        row = days[ad.placement_id, ad.episode_id, day]
        row[:] = [number + now - was for number, was, now in zip(row, before, after, strict=True)]
        if after.confirmed > before.confirmed:
            confirmed.append((ad.campaign_id, ad.episode_id, day, device))
    write_days(connection, days, fold.delivered)
    add_confirmed(connection, ((campaign, day, device) for campaign, _, day, device in confirmed))
    shows = {episode.id: episode.show_id for episode in fold.episodes.values()}
    return sorted({(campaign, shows[episode], day, device) for campaign, episode, day, device in confirmed})


def _list_ads(connection: Connection, fold: Fold) -> dict[int, list[Ad]]:
    episodes = {key[2] for key in fold.changed}
    counted = store.list_counted(connection, episodes) if episodes else []
    seconds = {episode.id: episode.duration_seconds for episode in fold.episodes.values()}
    return ads_by_episode(ad_of(found, seconds[found.episode_id]) for found in counted)


def _changed(fold: Fold, ads: dict[int, list[Ad]]) -> Iterator[tuple[Ad, int, bytes, Impressions, Impressions]]:
    """Ad, day, device, what the playback contributed and what it contributes, where these differ."""
    if not ads:
        return
    for key in sorted(fold.changed):
        day, device, episode_id = key
        of_episode = ads.get(episode_id)
        if not of_episode:
            continue
        state: Playback = fold.playbacks[key]
        stored = unpack_coverage(state.stored[0])
        for ad in of_episode:
            before = contribution(ad, day, stored, is_offline=state.was_offline)
            after = contribution(ad, day, state.coverage, is_offline=state.is_offline)
            if after != before:
                yield ad, day, device, before, after


def write_days(connection: Connection, heard: dict[AdDay, list[int]], found: Delivered) -> None:
    """Add to the impressions of days, and to the splits of the delivered ones."""
    delivered, splits = rows_of(found)
    nothing: Sequence[int] = NONE
    rows: Iterable[tuple[int, ...]] = (
        (*key, delivered[key], *heard.get(key, nothing)) for key in sorted(heard.keys() | delivered.keys())
    )
    # All in one statement and in key order, so that two workers never wait for each other in a circle.
    store.add_placement_days(connection, [row for row in rows if any(row[3:])])
    store.add_placement_splits(connection, [(*key, number) for key, number in sorted(splits.items()) if number])
