"""The rules that compare numbers: what was heard with what was fetched, and a day with the days before it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection

from api.holds import rules
from api.holds.judging import Usual, is_spike, newest, usual
from api.holds.rules import Finding, Rule
from models.coverage import heard_seconds, is_listen, unpack_coverage
from models.queries import hold_findings
from models.queries.hold_findings import Heard

_Counts = dict[int, dict[int, int]]
"""Show -> day -> number."""


@dataclass
class Rates:
    """What shows had on each day of a stretch, and of those before it that it is compared with."""

    listens: _Counts = field(default_factory=dict)
    downloads: _Counts = field(default_factory=dict)
    releases: dict[int, list[int]] = field(default_factory=dict)


def load_rates(connection: Connection, first: int, last: int) -> Rates:
    """The rates that a look at these days needs."""
    since = first - max(rules.LISTEN_SPIKE.parameters["days"], rules.DOWNLOAD_SPIKE.parameters["days"])
    releases: dict[int, list[int]] = defaultdict(list)
    for show_id, day in hold_findings.list_releases(connection):
        releases[show_id].append(day)
    return Rates(
        _by_show(hold_findings.list_show_listens(connection, since, last)),
        _by_show(hold_findings.list_show_downloads(connection, since, last)),
        releases,
    )


def _by_show(rows: Iterable[tuple[int, int, int]]) -> _Counts:
    found: _Counts = defaultdict(dict)
    for show_id, day, number in rows:
        found[show_id][day] = number
    return found


# -- listening without a file --------------------------------------------------------------------------------------


def find_no_delivery(connection: Connection, day: int) -> Iterator[Finding]:
    """Episodes that far more devices heard than anybody fetched.

    Devices and consumers are never the same thing, and nothing links one to the other: so only their numbers can be
    compared, by episode. A file may be heard long after it was fetched: deliveries add up over weeks.
    """
    rule = rules.NO_DELIVERY
    times, more, days = (rule.parameters[name] for name in ("times", "more", "days"))
    heard = hold_findings.list_heard_episodes(connection, day, more)
    fetched = hold_findings.sum_fetched(connection, [row[0] for row in heard], day - days + 1, day)
    for episode_id, show_id, listens in heard:
        delivered = fetched.get(episode_id, 0)
        if listens > times * delivered + more:
            excess = listens - delivered
            playbacks = newest(_listens(connection, day, [episode_id]), excess)
            measured = {"listens": listens, "delivered": delivered, "excess": excess}
            yield Finding(rule, f"episode:{episode_id}", measured, playbacks, most=excess, show_id=show_id)


def _listens(connection: Connection, day: int, episodes: list[int]) -> list[Heard]:
    durations = hold_findings.list_durations(connection, episodes)

    def counts(heard: Heard) -> bool:
        duration = durations.get(heard.episode_id, 0)
        return is_listen(heard_seconds(unpack_coverage(heard.coverage), duration), duration)

    return [heard for heard in hold_findings.list_heard(connection, day, episodes) if counts(heard)]


# -- spikes --------------------------------------------------------------------------------------------------------


def find_listen_spikes(connection: Connection, rates: Rates, day: int) -> Iterator[Finding]:
    """Shows with far more listens than such days had; the newest devices are held, as many as are too many."""
    for show_id, count, normal in _spikes(rules.LISTEN_SPIKE, _honest(connection, rates.listens, day), rates, day):
        episodes = hold_findings.list_episode_ids(connection, show_id)
        excess = count - round(normal.middle + rules.LISTEN_SPIKE.parameters["spared"] * normal.spread)
        playbacks = newest(_listens(connection, day, episodes), excess)
        measured = _measured("listens", count, normal) | {"excess": excess}
        yield Finding(rules.LISTEN_SPIKE, f"show:{show_id}", measured, playbacks, most=excess, show_id=show_id)


def find_download_spikes(connection: Connection, rates: Rates, day: int) -> Iterator[Finding]:
    """Shows with far more downloads than such days had. A consumer has no age, so all of the day's are held."""
    for show_id, count, normal in _spikes(rules.DOWNLOAD_SPIKE, rates.downloads, rates, day):
        episodes = hold_findings.list_episode_ids(connection, show_id)
        downloads = frozenset(hold_findings.list_consumers(connection, day, episodes))
        measured = _measured("downloads", count, normal)
        yield Finding(rules.DOWNLOAD_SPIKE, f"show:{show_id}", measured, downloads=downloads, show_id=show_id)


def _honest(connection: Connection, listens: _Counts, day: int) -> _Counts:
    """Shows with many listens on the day, each day before without what is held of it: or it would become usual."""
    parameters = rules.LISTEN_SPIKE.parameters
    busy = {show_id: dict(by_day) for show_id, by_day in listens.items() if by_day.get(day, 0) > parameters["more"]}
    if busy:
        for show_id, other, number in hold_findings.list_show_held(connection, day - parameters["days"], day - 1):
            if other in busy.get(show_id, {}):
                busy[show_id][other] -= number
    return busy


def _spikes(rule: Rule, counts: _Counts, rates: Rates, day: int) -> Iterator[tuple[int, int, Usual]]:
    parameters = rule.parameters
    for show_id, by_day in sorted(counts.items()):
        count = by_day.get(day, 0)
        if count <= parameters["more"]:
            continue
        releases = rates.releases.get(show_id, [])
        before = {other: number for other, number in by_day.items() if other < day}
        normal = usual(before, releases, day, parameters["days"], parameters["least_days"])
        limits = {name: parameters[name] for name in ("deviations", "times", "more")}
        if normal is not None and is_spike(count, normal, **limits):
            yield show_id, count, normal


def _measured(name: str, count: int, normal: Usual) -> dict[str, object]:
    return {
        name: count,
        "usual": round(normal.middle, 1),
        "spread": round(normal.spread, 1),
        "compared_days": normal.days,
        "kind_of_day": normal.kind,
    }
