"""What the fraud rules look for: each function reads one UTC day, or rollups of the days around it.

Days are numbers, since 1970-01-01. Statements that read `playback` or `consumer_day` name the day, so that their cost
is that day's, however long the history.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, text

from models.bulk import chunks
from models.columns import day_number
from models.counting import Playback
from models.downloads import DOWNLOAD
from models.tables import Device, Episode

_PLAYBACK = Playback.__table__  # type: ignore[attr-defined]
_DEVICE = Device.__table__  # type: ignore[attr-defined]
_EPISODE = Episode.__table__  # type: ignore[attr-defined]

FETCHED = (DOWNLOAD, "short", "redirected", "datacenter")
"""Outcomes of hits that brought somebody a part of the file: at least one of them for each who has it."""


class Heard(NamedTuple):
    """A playback of the day, as far as rules choose by it."""

    device: bytes
    episode_id: int
    coverage: bytes
    created_at: datetime | None
    """When the device registered; None for the devices of podcast apps' accounts, which never do."""


class TroubledLog(NamedTuple):
    """A device whose hash chain is not whole."""

    device: bytes
    is_broken: bool
    is_forked: bool
    missing: str


class Alike(NamedTuple):
    """Playbacks of an episode's day with the same coverage."""

    episode_id: int
    coverage: bytes
    wall_ms: int | None
    """None: they differ in it."""
    devices: int


class Crowd(NamedTuple):
    """User agents of one address on one episode."""

    episode_id: int
    address: int
    agents: int


# -- playbacks -----------------------------------------------------------------------------------------------------


def list_wall_sums(connection: Connection, day: int, above_ms: int) -> list[tuple[bytes, int]]:
    """Devices whose playbacks of the day took longer than that, and how long."""
    statement = text(
        "SELECT device, sum(wall_ms) FROM playback WHERE day = :day GROUP BY device HAVING sum(wall_ms) > :above "
        "ORDER BY device"
    )
    rows = connection.execute(statement, {"day": day, "above": above_ms})
    return [(bytes(device), int(wall_ms)) for device, wall_ms in rows]


def list_playbacks_of_devices(connection: Connection, day: int, devices: Iterable[bytes]) -> list[tuple[int, bytes]]:
    """(episode_id, device) of the devices' playbacks of the day."""
    found: list[tuple[int, bytes]] = []
    for chunk in chunks(sorted(devices)):
        statement = select(_PLAYBACK.c.episode_id, _PLAYBACK.c.device).where(
            _PLAYBACK.c.day == day, _PLAYBACK.c.device.in_(chunk)
        )
        found += [(int(episode_id), bytes(device)) for episode_id, device in connection.execute(statement)]
    return found


def list_heard(connection: Connection, day: int, episodes: Iterable[int]) -> list[Heard]:
    """The episodes' playbacks of the day, with the ages of their devices."""
    found: list[Heard] = []
    for chunk in chunks(sorted(episodes)):
        statement = (
            select(_PLAYBACK.c.device, _PLAYBACK.c.episode_id, _PLAYBACK.c.coverage, _DEVICE.c.created_at)
            .join(_DEVICE, _DEVICE.c.device == _PLAYBACK.c.device, isouter=True)
            .where(_PLAYBACK.c.day == day, _PLAYBACK.c.episode_id.in_(chunk))
        )
        found += [Heard(bytes(row[0]), int(row[1]), bytes(row[2]), row[3]) for row in connection.execute(statement)]
    return found


def list_troubled_logs(connection: Connection, day: int) -> list[TroubledLog]:
    """Devices that sent anything since the day began, and whose logs are not whole."""
    statement = text(
        "SELECT device, is_broken, is_forked, missing FROM device_log WHERE last_received_ms >= :since "
        "AND (is_broken OR is_forked OR missing <> '[]') ORDER BY device"
    )
    # An hour of grace: a clock may be some minutes ahead.
    rows = connection.execute(statement, {"since": day * 86_400_000 - 3_600_000})
    return [TroubledLog(bytes(row[0]), bool(row[1]), bool(row[2]), row[3]) for row in rows]


def has_trouble(connection: Connection, device: bytes, state: str, days: Sequence[int]) -> bool:
    """Whether any batch that the device sent on these days of receipt showed this state of its chain."""
    statement = text(
        "SELECT 1 FROM receipt WHERE received_day IN :days AND device = :device AND chain = :state LIMIT 1"
    ).bindparams(bindparam("days", expanding=True))
    values = {"days": list(days), "device": device, "state": state}
    return bool(days) and connection.execute(statement, values).first() is not None


def list_alike(connection: Connection, day: int, least: int) -> list[Alike]:
    """Groups of at least so many playbacks with the same coverage of two stretches or more; and of one stretch with the
    same clock time besides, to the millisecond."""
    statement = text(
        "SELECT episode_id, coverage, NULL AS wall, count(*) FROM playback WHERE day = :day AND length(coverage) > 8 "
        "GROUP BY episode_id, coverage HAVING count(*) >= :least "
        "UNION ALL "
        "SELECT episode_id, coverage, wall_ms AS wall, count(*) FROM playback WHERE day = :day "
        "AND length(coverage) = 8 AND wall_ms > 0 GROUP BY episode_id, coverage, wall_ms HAVING count(*) >= :least"
    )
    rows = connection.execute(statement, {"day": day, "least": least})
    return [Alike(int(row[0]), bytes(row[1]), row[2] if row[2] is None else int(row[2]), int(row[3])) for row in rows]


def list_devices_alike(connection: Connection, day: int, group: Alike) -> list[bytes]:
    """The devices of such a group."""
    wall = "" if group.wall_ms is None else " AND wall_ms = :wall_ms"
    statement = text(
        f"SELECT device FROM playback WHERE day = :day AND episode_id = :episode_id AND coverage = :coverage{wall}"
    )
    values = {"day": day, "episode_id": group.episode_id, "coverage": group.coverage}
    values |= {} if group.wall_ms is None else {"wall_ms": group.wall_ms}
    return [bytes(row[0]) for row in connection.execute(statement, values)]


# -- registrations -------------------------------------------------------------------------------------------------


def list_crowded_networks(connection: Connection, above: int) -> list[int]:
    """Networks from which more devices than that registered, of all that are remembered."""
    statement = text(
        "SELECT network FROM device WHERE network IS NOT NULL GROUP BY network HAVING count(*) > :above "
        "ORDER BY network"
    )
    return [int(row[0]) for row in connection.execute(statement, {"above": above})]


def list_registrations(connection: Connection, network: int) -> list[tuple[datetime, bytes]]:
    """When devices registered from a network, the first one first."""
    table = _DEVICE
    statement = select(table.c.created_at, table.c.device).where(table.c.network == network)
    rows = connection.execute(statement.order_by(table.c.created_at, table.c.device))
    return [(created_at, bytes(device)) for created_at, device in rows]


# -- rollups -------------------------------------------------------------------------------------------------------


def list_heard_episodes(connection: Connection, day: int, above: int) -> list[tuple[int, int, int]]:
    """(episode_id, show_id, listens) of episodes with more listens than that on the day, where requests for their files
    are seen: the show is hosted here, or logs of it reach to that day."""
    statement = text(
        "SELECT e.id, e.show_id, d.listens FROM episode e JOIN show s ON s.id = e.show_id "
        "JOIN episode_day d ON d.episode_id = e.id AND d.day = :day WHERE d.listens > :above "
        "AND (s.feed_url IS NULL OR EXISTS "
        "(SELECT 1 FROM show_hit_outcome h WHERE h.show_id = e.show_id AND h.day >= :day)) ORDER BY e.id"
    )
    rows = connection.execute(statement, {"day": day, "above": above})
    return [(int(row[0]), int(row[1]), int(row[2])) for row in rows]


def sum_fetched(connection: Connection, episodes: Sequence[int], first: int, last: int) -> dict[int, int]:
    """Requests that brought somebody a part of the file, those of one download counted once, by episode."""
    statement = text(
        "SELECT episode_id, sum(hits) FROM hit_outcome WHERE episode_id IN :episodes AND day BETWEEN :first AND :last "
        "AND outcome IN :outcomes GROUP BY episode_id"
    ).bindparams(bindparam("episodes", expanding=True), bindparam("outcomes", expanding=True))
    values: dict[str, Any] = {"episodes": list(episodes), "first": first, "last": last, "outcomes": list(FETCHED)}
    rows = connection.execute(statement, values) if episodes else ()
    return {int(episode_id): int(hits) for episode_id, hits in rows}


def list_show_listens(connection: Connection, first: int, last: int) -> list[tuple[int, int, int]]:
    """(show_id, day, listens)."""
    statement = text(
        "SELECT e.show_id, d.day, sum(d.listens) FROM episode e JOIN episode_day d ON d.episode_id = e.id "
        "AND d.day BETWEEN :first AND :last GROUP BY e.show_id, d.day"
    )
    rows = connection.execute(statement, {"first": first, "last": last})
    return [(int(row[0]), int(row[1]), int(row[2])) for row in rows]


def list_show_held(connection: Connection, first: int, last: int) -> list[tuple[int, int, int]]:
    """(show_id, day, listens) that holds keep back."""
    statement = text(
        "SELECT e.show_id, d.day, sum(d.number) FROM episode e JOIN held_day d ON d.episode_id = e.id "
        "AND d.day BETWEEN :first AND :last AND d.kind = 'listens' GROUP BY e.show_id, d.day"
    )
    rows = connection.execute(statement, {"first": first, "last": last})
    return [(int(row[0]), int(row[1]), int(row[2])) for row in rows]


def list_show_downloads(connection: Connection, first: int, last: int) -> list[tuple[int, int, int]]:
    """(show_id, day, downloads)."""
    statement = text(
        "SELECT s.id, h.day, h.hits FROM show s JOIN show_hit_outcome h ON h.show_id = s.id "
        "AND h.day BETWEEN :first AND :last AND h.outcome = :download"
    )
    rows = connection.execute(statement, {"first": first, "last": last, "download": DOWNLOAD})
    return [(int(row[0]), int(row[1]), int(row[2])) for row in rows]


def list_releases(connection: Connection) -> list[tuple[int, int]]:
    """(show_id, day) of everything that was published."""
    statement = select(_EPISODE.c.show_id, _EPISODE.c.published_at).where(_EPISODE.c.published_at.is_not(None))
    return sorted((int(show_id), day_number(at.date())) for show_id, at in connection.execute(statement))


def list_episode_ids(connection: Connection, show_id: int) -> list[int]:
    """The episodes of a show, deleted ones too."""
    return sorted(connection.scalars(select(_EPISODE.c.id).where(_EPISODE.c.show_id == show_id)))


# -- downloads -----------------------------------------------------------------------------------------------------


def list_agent_crowds(connection: Connection, day: int, above: int) -> list[Crowd]:
    """Addresses from which more user agents than that downloaded one episode."""
    statement = text(
        "SELECT episode_id, address, count(*) FROM consumer_day WHERE day = :day AND downloads > 0 "
        "GROUP BY address, episode_id HAVING count(*) > :above ORDER BY episode_id, address"
    )
    rows = connection.execute(statement, {"day": day, "above": above})
    return [Crowd(int(row[0]), int(row[1]), int(row[2])) for row in rows]


def list_agents(connection: Connection, day: int, crowd: Crowd) -> list[tuple[int, int, int]]:
    """(episode_id, address, agent) of such a crowd."""
    statement = text(
        "SELECT episode_id, address, agent FROM consumer_day WHERE day = :day AND address = :address "
        "AND episode_id = :episode_id AND downloads > 0"
    )
    values = {"day": day, "address": crowd.address, "episode_id": crowd.episode_id}
    return [(int(row[0]), int(row[1]), int(row[2])) for row in connection.execute(statement, values)]


def list_consumers(connection: Connection, day: int, episodes: Sequence[int]) -> list[tuple[int, int, int]]:
    """(episode_id, address, agent) of all who downloaded these episodes on the day."""
    statement = text(
        "SELECT episode_id, address, agent FROM consumer_day WHERE day = :day AND episode_id IN :episodes "
        "AND downloads > 0"
    ).bindparams(bindparam("episodes", expanding=True))
    return [
        (int(row[0]), int(row[1]), int(row[2]))
        for chunk in chunks(episodes)
        for row in connection.execute(statement, {"day": day, "episodes": chunk})
    ]


def list_durations(connection: Connection, episodes: Iterable[int]) -> dict[int, int]:
    """The whole seconds that episodes are counted with."""
    statement = text(
        "SELECT episode_id, duration_seconds FROM episode_counted WHERE episode_id IN :episodes"
    ).bindparams(bindparam("episodes", expanding=True))
    return {
        int(row[0]): int(row[1])
        for chunk in chunks(sorted(set(episodes)))
        for row in connection.execute(statement, {"episodes": chunk})
    }


# -- which days changed ----------------------------------------------------------------------------------------------


def sign_days(connection: Connection, since_received: int, since_day: int) -> dict[int, tuple[int, int]]:
    """Something that changes, for each day, whenever a playback or download of it does: events that came for it since a
    day of receipt, and hits. Reads rollups, of each episode and show no more than those days."""
    arrived = text(
        "SELECT a.day, sum(a.events) FROM episode e JOIN arrival_day a ON a.episode_id = e.id "
        "AND a.received_day >= :since GROUP BY a.day"
    )
    asked = text(
        "SELECT h.day, sum(h.hits) FROM show s JOIN show_hit_outcome h ON h.show_id = s.id AND h.day >= :since "
        "GROUP BY h.day"
    )
    events = {int(row[0]): int(row[1]) for row in connection.execute(arrived, {"since": since_received})}
    hits = {int(row[0]): int(row[1]) for row in connection.execute(asked, {"since": since_day})}
    return {day: (events.get(day, 0), hits.get(day, 0)) for day in sorted(events.keys() | hits.keys())}
