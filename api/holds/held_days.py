"""What is kept back of an episode's day: a function of what is flagged, of the holds' states, and of the counts."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from api.holds.held_downloads import delivered_of
from models.advertising import HoldState
from models.bulk import Row
from models.coverage import heard_seconds, is_listen, unpack_coverage
from models.impressions import ad_of, ads_by_episode, contribution
from models.queries import hold_findings, holds, impressions
from models.queries.holds import Flag

LISTENS, CONFIRMED, DELIVERED = "listens", "confirmed", "delivered"
_Verdict = tuple[str, str]
"""state, rule."""
_Numbers = Counter[tuple[int, int, int, str, str, str]]
"""Keys of `models.queries.holds.HELD_DAY`."""


def recount_days(connection: Connection, days: Iterable[int]) -> int:
    """Work out anew what is held of these days; how many rows changed."""
    return sum(_recount(connection, day) for day in sorted(set(days)))


def recount_episodes(connection: Connection, episodes: Iterable[int]) -> int:
    """The same after these episodes' counts changed: a recording was replaced, or an ad was placed."""
    days = holds.list_days_held(connection, episodes)
    if days:
        holds.lock_holds(connection)
    return recount_days(connection, days)


def _recount(connection: Connection, day: int) -> int:
    playbacks, downloads = (verdicts(flags) for flags in holds.list_flags(connection, day))
    numbers: _Numbers = Counter()
    # A row for each verdict even where it comes to nothing yet: so it is found again when counts change.
    for key, (state, rule) in playbacks.items():
        numbers[key[2], day, 0, LISTENS, state, rule] += 0
    _add_heard(connection, playbacks, numbers)
    _add_delivered(connection, day, downloads, numbers)
    new = {(*key, number) for key, number in numbers.items()}
    old = holds.list_held_days(connection, day)
    if new != old:
        holds.replace_held_days(connection, old - new, new - old)
    return len(new ^ old)


def verdicts(flags: Iterable[Flag]) -> dict[Row, _Verdict]:
    """What stands of each that is flagged: void if any hold of it is, else open, under the first rule by name."""
    found: dict[Row, _Verdict] = {}
    for flag in flags:
        verdict = flag.state, flag.rule
        if flag.key not in found or _rank(verdict) < _rank(found[flag.key]):
            found[flag.key] = verdict
    return found


def _rank(verdict: _Verdict) -> tuple[bool, str]:
    return verdict[0] != HoldState.VOID, verdict[1]


def _add_heard(connection: Connection, verdict_of: dict[Row, _Verdict], numbers: _Numbers) -> None:
    episodes = {key[2] for key in verdict_of}
    durations = hold_findings.list_durations(connection, episodes)
    counted = impressions.list_counted(connection, episodes) if episodes else []
    ads = ads_by_episode(ad_of(found, durations.get(found.episode_id, 0)) for found in counted)
    for day, device, episode_id, packed, is_offline in holds.list_held_heard(connection, list(verdict_of)):
        coverage = unpack_coverage(bytes(packed))
        verdict = verdict_of[day, bytes(device), episode_id]
        duration = durations.get(episode_id, 0)
        numbers[episode_id, day, 0, LISTENS, *verdict] += is_listen(heard_seconds(coverage, duration), duration)
        for ad in ads.get(episode_id, ()):
            if contribution(ad, day, coverage, is_offline=bool(is_offline)).confirmed:
                numbers[episode_id, day, ad.placement_id, CONFIRMED, *verdict] += 1


def _add_delivered(connection: Connection, day: int, verdict_of: dict[Row, _Verdict], numbers: _Numbers) -> None:
    for episode_id, (state, rule) in {(key[3], verdict) for key, verdict in verdict_of.items()}:
        numbers[episode_id, day, 0, DELIVERED, state, rule] += 0
    by_verdict: dict[_Verdict, list[Row]] = defaultdict(list)
    for key, verdict in verdict_of.items():
        by_verdict[verdict].append(key)
    for verdict, keys in sorted(by_verdict.items()):
        for (placement_id, episode_id), number in _delivered(connection, keys).items():
            numbers[episode_id, day, placement_id, DELIVERED, *verdict] += number


def _delivered(connection: Connection, keys: Sequence[Row]) -> Counter[tuple[int, int]]:
    if not impressions.list_counted(connection, {key[3] for key in keys}):
        return Counter()
    return delivered_of(connection, sorted(keys))
