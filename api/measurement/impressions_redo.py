"""Counts impressions anew where placements or recordings changed: adds what there is now, less what there was."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, Engine

from api.holds.held_days import recount_episodes
from api.measurement.download_step import Rules, list_excess, load_state, load_versions
from api.measurement.downloads import judged
from api.measurement.impressions_delivered import Delivered, delivered, parts_of
from api.measurement.impressions_devices import DeviceKey, Reached, add_confirmed, change_devices
from api.measurement.impressions_step import AdDay, write_days
from api.measurement.incoming import Incoming
from api.measurement.reach_step import redo_campaign
from models.bulk import Row
from models.coverage import unpack_coverage
from models.engine import read_only
from models.impressions import NONE, Ad, Confirmed, ad_of, ads_by_episode, contribution
from models.queries import download_folding, folding
from models.queries import impressions as store
from models.queries.audio_versions import list_versions_by_id
from models.queries.impressions import CountedAd, Difference

AT_ONCE = 200
"""Placements in episodes counted anew in one transaction; folding waits meanwhile."""
CONSUMERS = 20_000
"""Rows of consumers judged together."""
Pair = tuple[Ad | None, Ad | None]
"""An ad as it was counted, and as it is to be."""


def recount_impressions(engine: Engine) -> int:
    """Count anew the placements of which the catalogue says otherwise than what is counted; in how many episodes."""
    redone = 0
    while True:
        with read_only(engine).connect() as connection:
            if not store.list_differences(connection, 1):
                return redone
        with engine.begin() as connection:
            folding.lock_folding(connection, exclusive=True)
            differences = store.list_differences(connection, AT_ONCE)
            redo(connection, differences)
        redone += len(differences)


def count_as(connection: Connection, wanted: Iterable[CountedAd]) -> None:
    """Count just these ads: a rebuild takes over what the live store counts."""
    new = {ad[:2]: ad for ad in wanted}
    old = {ad[:2]: ad for ad in store.list_all_counted(connection)}
    pairs = [Difference(old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys())]
    redo(connection, [pair for pair in pairs if pair.old != pair.new])


def redo(connection: Connection, differences: Sequence[Difference]) -> None:
    """Count by other placements from here on, and what was counted already with them. Folding must be locked out."""
    for start in range(0, len(differences), AT_ONCE):
        some = differences[start : start + AT_ONCE]
        store.put_counted(connection, some)
        seconds = list_counted_seconds(connection, {ad.episode_id for found in some for ad in found if ad})
        _redo_heard(connection, [_pair(found, seconds) for found in some])
        _redo_delivered(connection, some)
    recount_episodes(connection, {ad.episode_id for found in differences for ad in found if ad})


def redo_durations(connection: Connection, before: Mapping[int, int], after: Mapping[int, int]) -> None:
    """Count the ads of recordings that became longer or shorter anew; whole seconds by episode."""
    counted = store.list_counted(connection, after)
    _redo_heard(connection, [(ad_of(ad, before[ad.episode_id]), ad_of(ad, after[ad.episode_id])) for ad in counted])


def replace_device(connection: Connection, device: bytes, stand_ins: Sequence[Row]) -> None:
    """Put the stand-ins of an erased device in its place: its playbacks, each as a row of `PLAYBACK`."""
    episodes = {row[2] for row in stand_ins}
    counted = store.list_counted(connection, episodes) if episodes else []
    seconds = list_counted_seconds(connection, episodes) if counted else {}
    ads = ads_by_episode(ad_of(ad, seconds[ad.episode_id]) for ad in counted)
    confirmed = [
        (ad.campaign_id, row[0], row[1])
        for row in stand_ins
        for ad in ads.get(row[2], ())
        if contribution(ad, row[0], unpack_coverage(row[4]), is_offline=False).confirmed
    ]
    change_devices(connection, {(ad.campaign_id, device) for ad in counted}, lambda _key, _old: None)
    add_confirmed(connection, confirmed)
    episode_of = {row[1]: row[2] for row in stand_ins}
    _redo_reach(connection, {(campaign, episode_of[stand_in], day) for campaign, day, stand_in in confirmed})


def _redo_reach(connection: Connection, touched: Iterable[tuple[int, int, int]]) -> None:
    """Make the sketches of these campaigns, episodes and days anew."""
    listed = list(touched)
    shows = store.list_shows_of_episodes(connection, {episode_id for _, episode_id, _ in listed})
    cells: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for campaign_id, episode_id, day in listed:
        cells[campaign_id].add((shows[episode_id], day))
    for campaign_id, of_campaign in sorted(cells.items()):
        found = confirmed_of_campaign(connection, campaign_id, {day for _, day in of_campaign})
        redo_campaign(connection, campaign_id, of_campaign, found)


def confirmed_of_campaign(
    connection: Connection, campaign_id: int, days: Collection[int] | None = None
) -> Iterator[Confirmed]:
    """Every device with a confirmed impression, by show and day (of `days` only, or of all), each once; days in order.
    From the playbacks."""
    counted = store.list_counted_of_campaign(connection, campaign_id)
    shows = store.list_shows_of_episodes(connection, {ad.episode_id for ad in counted})
    for day, confirmed in _confirmed_days(connection, counted, days=days):
        yield from sorted({(campaign_id, shows[episode_id], day, device) for device, episode_id in confirmed})


def list_counted_seconds(connection: Connection, episodes: Iterable[int]) -> dict[int, int]:
    """Whole seconds of recordings as their rollups were made with; an episode that nobody played is not there."""
    keys = [(episode_id,) for episode_id in sorted(episodes)]
    return dict(folding.list_counted_durations(connection, keys))


def _pair(found: Difference, seconds: Mapping[int, int]) -> Pair:
    old, new = (ad_of(ad, seconds.get(ad.episode_id, 0)) if ad else None for ad in found)
    return old, new


def _matters(old: Ad | CountedAd | None, new: Ad | CountedAd | None, day: int) -> bool:
    """Whether the change may change anything on that day."""
    was, is_now = (ad is not None and ad.from_day <= day <= ad.to_day for ad in (old, new))
    if old and new and was and is_now:
        return old._replace(from_day=0, to_day=0) != new._replace(from_day=0, to_day=0)
    return was or is_now


# -- playbacks -----------------------------------------------------------------------------------------------------


def _redo_heard(connection: Connection, pairs: Sequence[Pair]) -> None:
    by_episode: dict[int, list[Pair]] = defaultdict(list)
    for old, new in pairs:
        if ad := new or old:
            by_episode[ad.episode_id].append((old, new))
    unsettled: set[DeviceKey] = set()
    touched: set[tuple[int, int, int]] = set()
    for day, episodes in _days(connection, by_episode):
        chosen = {
            episode_id: matter
            for episode_id in episodes
            if (matter := [pair for pair in by_episode[episode_id] if _matters(*pair, day)])
        }
        if chosen:
            unsettled |= _redo_day(connection, day, chosen, touched)
    _settle_first_days(connection, unsettled)
    _redo_reach(connection, touched)


def _days(connection: Connection, episodes: Iterable[int]) -> list[tuple[int, list[int]]]:
    """Days on which these episodes were played, in order, and which of them."""
    found: dict[int, list[int]] = defaultdict(list)
    listed = sorted(episodes)
    for start in range(0, len(listed), 1000):
        for episode_id, day in folding.list_days_of_episodes(connection, listed[start : start + 1000]):
            found[day].append(episode_id)
    return sorted(found.items())


def _redo_day(
    connection: Connection, day: int, pairs: Mapping[int, Sequence[Pair]], touched: set[tuple[int, int, int]]
) -> set[DeviceKey]:
    """Write what changes on a day; the devices that may have lost their first impression, and have others. `touched`
    hears of campaign, episode and day where a device came or went."""
    sums: dict[AdDay, list[int]] = defaultdict(lambda: [0] * len(NONE))
    gained: Counter[DeviceKey] = Counter()
    lost: Counter[DeviceKey] = Counter()
    for device, episode_id, packed, is_offline in store.list_heard_of_episodes(connection, sorted(pairs), day):
        coverage = unpack_coverage(packed)
        for pair in pairs[episode_id]:
            before, after = (contribution(ad, day, coverage, is_offline=is_offline) if ad else NONE for ad in pair)
            ad = pair[1] or pair[0]
            if ad is None or before == after:
                continue
            row = sums[ad.placement_id, episode_id, day]
            row[:] = [number + now - was for number, was, now in zip(row, before, after, strict=True)]
            if before.confirmed != after.confirmed:
                (gained if after.confirmed else lost)[ad.campaign_id, device] += 1
                touched.add((ad.campaign_id, episode_id, day))
    write_days(connection, sums, Delivered())
    unsettled = set()

    def change(key: DeviceKey, old: Reached | None) -> Reached | None:
        impressions, first = old or (0, day)
        impressions += gained[key] - lost[key]
        if impressions <= 0:
            return None
        if not gained[key] and first == day:
            unsettled.add(key)
        return impressions, min(first, day) if gained[key] else first

    change_devices(connection, gained.keys() | lost.keys(), change)
    return unsettled


def _settle_first_days(connection: Connection, keys: Iterable[DeviceKey]) -> None:
    """Find the day of the first impression that is left."""
    by_campaign: dict[int, list[DeviceKey]] = defaultdict(list)
    for key in sorted(keys):
        by_campaign[key[0]].append(key)
    for campaign_id, of_campaign in by_campaign.items():
        waiting = {bytes(row[1]): row[3] for row in store.list_campaign_devices(connection, of_campaign)}
        found: dict[bytes, int] = {}
        counted = store.list_counted_of_campaign(connection, campaign_id) if waiting else []
        # None is left before the day that was lost: it would have been the first.
        for day, confirmed in _confirmed_days(connection, counted, min(waiting.values(), default=0)):
            for device, _ in confirmed:
                if waiting.pop(device, None) is not None:
                    found[device] = day
            if not waiting:
                break
        _put_first_days(connection, campaign_id, found)


def _put_first_days(connection: Connection, campaign_id: int, found: Mapping[bytes, int]) -> None:
    def change(key: DeviceKey, old: Reached | None) -> Reached | None:
        return (old[0], found[key[1]]) if old else None

    change_devices(connection, [(campaign_id, device) for device in found], change)


def _confirmed_days(
    connection: Connection, counted: Sequence[CountedAd], first_day: int = 0, days: Collection[int] | None = None
) -> Iterator[tuple[int, Iterator[tuple[bytes, int]]]]:
    """Days in order, each with the (device, episode_id) of its confirmed impressions."""
    seconds = list_counted_seconds(connection, {ad.episode_id for ad in counted})
    ads = ads_by_episode(ad_of(ad, seconds[ad.episode_id]) for ad in counted if ad.episode_id in seconds)
    for day, episodes in _days(connection, ads):
        chosen = [e for e in episodes if any(ad.from_day <= day <= ad.to_day for ad in ads[e])]
        if chosen and day >= first_day and (days is None or day in days):
            yield day, _confirmed(connection, day, ads, chosen)


def _confirmed(
    connection: Connection, day: int, ads: Mapping[int, Sequence[Ad]], episodes: Sequence[int]
) -> Iterator[tuple[bytes, int]]:
    for device, episode_id, packed, _ in store.list_heard_of_episodes(connection, episodes, day):
        coverage = unpack_coverage(packed)
        if any(contribution(ad, day, coverage, is_offline=False).confirmed for ad in ads[episode_id]):
            yield device, episode_id


# -- downloads -----------------------------------------------------------------------------------------------------


def _redo_delivered(connection: Connection, differences: Sequence[Difference]) -> None:
    by_episode: dict[int, list[Difference]] = defaultdict(list)
    for found in differences:
        if ad := found.new or found.old:
            by_episode[ad.episode_id].append(found)
    days: dict[int, list[int]] = defaultdict(list)
    for episode_id, day in store.list_download_days(connection, sorted(by_episode)):
        if any(_matters(*found, day) for found in by_episode[episode_id]):
            days[day].append(episode_id)
    if not days:
        return
    rules = Rules.from_texts(download_folding.list_counting_rules(connection))
    for day, episodes in sorted(days.items()):
        changed = [found for episode_id in episodes for found in by_episode[episode_id]]
        keys = store.list_consumers_of_episodes(connection, episodes, day)
        for start in range(0, len(keys), CONSUMERS):
            some = keys[start : start + CONSUMERS]
            write_days(connection, {}, _delivered(connection, some, rules, changed))


def _delivered(connection: Connection, keys: list[Row], rules: Rules, differences: Sequence[Difference]) -> Delivered:
    """What differences change in the delivered impressions of the windows that begin in these rows."""
    state = load_state(connection, keys, rules, Incoming.none(), np.zeros(0, np.int64))
    excess = list_excess(connection, state, rules.excess_cap)
    found = judged(state, excess, rules.window, load_versions(connection, state)[0])
    versions = list_versions_by_id(connection, np.unique(state.entries["version"]).tolist())
    new = [pair.new for pair in differences if pair.new]
    old = [pair.old for pair in differences if pair.old]
    result = delivered(state, found, parts_of(new, versions), slice(None), state.about, len(keys))
    result.subtract(delivered(state, found, parts_of(old, versions), slice(None), state.about, len(keys)))
    return result
