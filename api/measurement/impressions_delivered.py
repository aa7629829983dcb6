"""Which downloads brought every byte of an ad: a pure function of hits that were judged; docs/counting.md."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from api.hits.traits import Trait
from api.measurement.downloads import State
from api.measurement.entries import Entries
from api.measurement.incoming import Attributes, Ints
from api.measurement.rules import CODE
from api.measurement.windows import Judgement
from models.downloads import DOWNLOAD
from models.queries.audio_versions import Version
from models.queries.impressions import CountedAd

Delivered = Counter[tuple[int, int, int, Attributes]]
"""(placement_id, episode_id, day, what is known of the consumer) -> impressions to add."""
_FAR = 1 << 33
"""Beyond any position in a file."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Where ads lie in files: a place for each ad in each version of its recording, ordered by version."""

    ads: Sequence[CountedAd]
    ad: Ints
    """Into `ads`."""
    version: Ints
    first: Ints
    end: Ints
    size: Ints
    """Of the whole file."""


def bytes_of(ad: CountedAd, version: Version) -> tuple[int, int] | None:
    """The part `[first, end)` of a file that has to go out for an ad; None when the file has nothing of it, or nobody
    knows its size.

    Behind the header, bytes and time go together: exact at a constant bitrate, and all that a feed tells. The whole
    file where the duration is unknown.
    """
    size = version.audio_bytes
    if not size:
        return None
    if not version.duration_ms:
        return 0, size
    audio = size - version.header_bytes
    first = version.header_bytes + audio * ad.start_ms // version.duration_ms
    end = min(size, version.header_bytes - (-audio * ad.end_ms // version.duration_ms))
    return (first, end) if first < end else None


def parts_of(ads: Sequence[CountedAd], versions: Iterable[Version]) -> Parts:
    """The parts of these ads in these files."""
    places: dict[int, list[int]] = {}
    for place, ad in enumerate(ads):
        places.setdefault(ad.episode_id, []).append(place)
    rows = [
        (place, version.id, *part, version.audio_bytes)
        for version in sorted(versions, key=lambda version: version.id)
        for place in places.get(version.episode_id, ())
        if (part := bytes_of(ads[place], version)) is not None
    ]
    return Parts(ads, *np.array(rows, np.int64).reshape(len(rows), 5).T)


def delivered(
    state: State, found: Judgement, parts: Parts, chosen: Ints | slice, about: Ints, rows: int | None = None
) -> Delivered:
    """The impressions of the hits in these places of a state, which `found` has judged; of windows that begin in one of
    its first `rows` rows, or in any."""
    if not len(parts.version):
        return Counter()
    ad, row = _brought(state.entries[chosen], state.rows[chosen], found, parts)
    from_day = np.array([found.from_day for found in parts.ads], np.int64)
    to_day = np.array([found.to_day for found in parts.ads], np.int64)
    counts = (state.day[row] >= from_day[ad]) & (state.day[row] <= to_day[ad])
    if rows is not None:
        counts &= row < rows
    ad, row = ad[counts], row[counts]
    names = state.attributes
    packed = (ad * (int(state.pair.max(initial=0)) + 1) + state.pair[row]) * len(names) + about[row]
    _, first, times = np.unique(packed, return_index=True, return_counts=True)
    result: Delivered = Counter()
    for place, number in zip(first.tolist(), times.tolist(), strict=True):
        where = int(row[place])
        counted = parts.ads[int(ad[place])]
        result[counted.placement_id, counted.episode_id, int(state.day[where]), names[int(about[where])]] += number
    return result


def _brought(entries: Entries, rows: Ints, found: Judgement, parts: Parts) -> tuple[Ints, Ints]:
    """Every ad that a download brought whole: its place, and the row of the window's first hit."""
    is_download = found.codes == CODE[DOWNLOAD]
    row_of = np.full(int(found.window.max(initial=-1)) + 2, -1)
    row_of[found.window[is_download]] = rows[is_download]
    # The last place stands for hits outside of windows, whose number is -1.
    entry = np.flatnonzero(row_of[found.window] >= 0)
    low, high = (np.searchsorted(parts.version, entries["version"][entry], side) for side in ("left", "right"))
    times = high - low
    entry = np.repeat(entry, times)
    part = np.repeat(low - np.cumsum(times) + times, times) + np.arange(len(entry))
    window, part = _covered(entries, found.window, parts, entry, part)
    # Of several versions of the file that brought it, one is enough.
    window, ad = np.divmod(np.unique(window * len(parts.ads) + parts.ad[part]), len(parts.ads))
    return ad, row_of[window]


def _covered(entries: Entries, windows: Ints, parts: Parts, entry: Ints, part: Ints) -> tuple[Ints, Ints]:
    """Of pairs of a hit and an ad's part in the version that it is of: those windows and parts in which the hits reach
    every byte of the part."""
    is_placed = (entries["traits"][entry] & int(Trait.BYTES_ONLY)) == 0
    group = windows[entry] * len(parts.version) + part
    first = np.maximum(entries["first"][entry].astype(np.int64), parts.first[part])
    end = np.where(is_placed, np.minimum(entries["end"][entry], parts.end[part]), first)
    order = np.lexsort((first, group))
    group, part, first, end = group[order], part[order], first[order], end[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    if not len(starts):
        return starts, starts
    far = (np.cumsum(np.diff(group, prepend=-1) != 0)) * _FAR
    reached = np.maximum.accumulate(np.maximum(end, first) + far)
    before = np.maximum(np.concatenate([[0], reached[:-1]]), far)
    added = np.maximum(np.maximum(end, first) + far - np.maximum(first + far, before), 0)
    unplaced = np.where(is_placed, 0, entries["end"][entry].astype(np.int64))[order]
    part = part[starts]
    is_whole = np.add.reduceat(added, starts) == parts.end[part] - parts.first[part]
    # Where only numbers of bytes are known, nothing less than the whole file says that the ad was in it.
    is_whole |= np.add.reduceat(unplaced, starts) >= parts.size[part]
    return windows[entry[order]][starts][is_whole], part[is_whole]


def of_state(
    state: State, was: Judgement, now: Judgement, ads: Sequence[CountedAd], versions: Iterable[Version]
) -> Delivered:
    """What the hits that a state took in change."""
    parts = parts_of(ads, versions)
    result = delivered(state, now, parts, slice(None), state.about)
    result.subtract(delivered(state, was, parts, np.flatnonzero(~state.is_new), state.about_before))
    return result


def rows_of(
    found: Mapping[tuple[int, int, int, Attributes], int],
) -> tuple[Counter[tuple[int, int, int]], Counter[tuple[int, str, int, str]]]:
    """By day, and by kind and value: (placement_id, episode_id, day), (placement_id, kind, day, value)."""
    days: Counter[tuple[int, int, int]] = Counter()
    splits: Counter[tuple[int, str, int, str]] = Counter()
    for (placement_id, episode_id, day, attributes), number in found.items():
        days[placement_id, episode_id, day] += number
        for kind, value in zip(("app", "device", "country"), attributes, strict=True):
            splits[placement_id, kind, day, value] += number
    return days, splits
