"""What a playback adds to the impressions of the ads in its recording: pure functions of values; docs/metrics.md."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from models.queries.impressions import CountedAd

Day = int
"""UTC day number."""
Confirmed = tuple[int, int, Day, bytes]
"""campaign_id, show_id, day, device."""


class Ad(NamedTuple):
    """An ad's whole seconds in one recording, `[first, end)`, as its impressions are counted."""

    placement_id: int
    campaign_id: int
    episode_id: int
    first: int
    end: int
    """Not after the recording's; without a second where the recording has none of the ad."""
    from_day: Day
    to_day: Day
    """The last day that counts."""
    confirm_percent: int


class Impressions(NamedTuple):
    """What one playback adds to an ad's day; the order is that of `models.queries.impressions.PLACEMENT_DAY`, behind
    `delivered`."""

    started: int
    heard_25: int
    heard_50: int
    heard_75: int
    heard_100: int
    confirmed: int
    offline_confirmed: int


NONE = Impressions(0, 0, 0, 0, 0, 0, 0)


def ad_of(counted: CountedAd, duration_seconds: int) -> Ad:
    """A placement in a recording of so many whole seconds; cut as the spans of playbacks are."""
    first, end = counted.start_ms // 1000, min(counted.end_ms // 1000, duration_seconds)
    return Ad(
        *(counted.placement_id, counted.campaign_id, counted.episode_id, first, end),
        *(counted.from_day, counted.to_day, counted.confirm_percent),
    )


def seconds_within(coverage: list[int], first: int, end: int) -> int:
    """How many of the seconds `[first, end)` a coverage has; at least one second is asked for."""
    # Bounds before an odd place are those of a range that is still open there.
    left, right = bisect_right(coverage, first), bisect_left(coverage, end)
    bounds = coverage[left:right]
    if left % 2:
        bounds.insert(0, first)
    if right % 2:
        bounds.append(end)
    return sum(bounds[1::2]) - sum(bounds[::2])


def contribution(ad: Ad, day: Day, coverage: list[int], *, is_offline: bool) -> Impressions:
    """What a playback of that day with this coverage adds. Rollup = sum of these, at every commit."""
    length = ad.end - ad.first
    if length <= 0 or not coverage or not ad.from_day <= day <= ad.to_day:
        return NONE
    heard = seconds_within(coverage, ad.first, ad.end)
    if not heard:
        return NONE
    percent = heard * 100
    is_confirmed = percent >= ad.confirm_percent * length
    quarters = (int(percent >= quarter * length) for quarter in (25, 50, 75, 100))
    return Impressions._make((1, *quarters, int(is_confirmed), int(is_confirmed and is_offline)))


def ads_by_episode(ads: Iterable[Ad]) -> dict[int, list[Ad]]:
    """The ads of each episode."""
    found: dict[int, list[Ad]] = {}
    for ad in ads:
        found.setdefault(ad.episode_id, []).append(ad)
    return found
