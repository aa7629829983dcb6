"""Impressions: which ads are counted where, and the rollups of them that the worker keeps. Days are day numbers."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select, text

from models.bulk import BulkTable, Row, add_rows, chunks, delete_by_keys, put_rows, select_by_keys
from models.columns import day_number
from models.counting import Playback
from models.downloads import DOWNLOAD, ConsumerDay, HitOutcome
from models.tables import Episode

_AD = {
    **dict.fromkeys(("campaign_id", "start_ms", "end_ms"), "bigint"),
    **dict.fromkeys(("from_day", "to_day", "confirm_percent"), "int"),
}
COUNTED_PLACEMENT = BulkTable("counted_placement", {"episode_id": "bigint", "placement_id": "bigint"}, _AD)
_OF_EPISODE = BulkTable("counted_placement", {"episode_id": "bigint"}, {"placement_id": "bigint", **_AD})
PLACEMENT_DAY = BulkTable(
    "placement_day",
    {"placement_id": "bigint", "episode_id": "bigint", "day": "int"},
    dict.fromkeys(
        (
            *("delivered", "started", "heard_25", "heard_50", "heard_75", "heard_100"),
            *("confirmed", "offline_confirmed"),
        ),
        "bigint",
    ),
)
PLACEMENT_SPLIT = BulkTable(
    "placement_split",
    {"placement_id": "bigint", "kind": "text", "day": "int", "value": "text"},
    {"delivered": "bigint"},
)
CAMPAIGN_DEVICE = BulkTable(
    "campaign_device", {"campaign_id": "bigint", "device": "bytea"}, {"impressions": "int", "first_day": "int"}
)
CAMPAIGN_FREQUENCY = BulkTable(
    "campaign_frequency",
    {"campaign_id": "bigint", "first_day": "int", "frequency": "bigint"},
    {"devices": "bigint"},
)


class CountedAd(NamedTuple):
    """A row of `COUNTED_PLACEMENT`: a placement in one episode, as its impressions are counted."""

    episode_id: int
    placement_id: int
    campaign_id: int
    start_ms: int
    end_ms: int
    from_day: int
    to_day: int
    """The last day that counts."""
    confirm_percent: int


class Difference(NamedTuple):
    """A placement in one episode of which the catalogue says something else than what is counted."""

    old: CountedAd | None
    """As it is counted; None: not yet."""
    new: CountedAd | None
    """As it should be; None: no more."""


class CountingProgress(NamedTuple):
    """How far the worker is with counting a placement as the catalogue has it."""

    episodes: int
    """Episodes in which it is to be counted, or is and is not to be."""
    counted: int
    """Those of them in which it is counted just so."""

    @property
    def is_done(self) -> bool:
        """Whether all impressions are as the catalogue wants them."""
        return self.episodes == self.counted


# A placement of a whole show is in all its episodes that were first published from its first day on. One that was
# withdrawn since then stays in what is counted: what was heard was heard. One that is given a later date has no other
# ad for that: what it says was recorded before.
_WANTED = """
    SELECT e.id AS episode_id, p.id AS placement_id, p.campaign_id, p.start_ms, p.end_ms,
        CASE WHEN p.from_day > k.from_day THEN p.from_day ELSE k.from_day END AS from_day,
        CASE WHEN p.to_day < k.to_day THEN p.to_day ELSE k.to_day END AS to_day,
        k.confirm_percent
    FROM placement p
    JOIN campaign k ON k.id = p.campaign_id
    JOIN episode e ON {joined}
    WHERE e.duration_ms IS NOT NULL AND p.from_day <= p.to_day AND p.from_day <= k.to_day AND k.from_day <= p.to_day
        {narrowed}"""
_OF_ONE = "e.id = p.episode_id"
_OF_SHOW = "p.episode_id IS NULL AND e.show_id = p.show_id AND {published_day} >= p.from_day"
_PUBLISHED_DAY = {
    "sqlite": "unixepoch(e.first_published_at) / 86400",
    "postgresql": "floor(extract(epoch FROM e.first_published_at) / 86400)",
}
_COLUMNS = COUNTED_PLACEMENT.columns
_SIZE = len(_COLUMNS)


def _wanted(connection: Connection, narrowed: str = "") -> str:
    of_show = _OF_SHOW.format(published_day=_PUBLISHED_DAY[connection.dialect.name])
    return " UNION ALL ".join(_WANTED.format(joined=joined, narrowed=narrowed) for joined in (_OF_ONE, of_show))


def list_differences(connection: Connection, limit: int) -> list[Difference]:
    """Where the catalogue says otherwise than what is counted."""
    old, new = (", ".join(f"{side}.{name}" for name in _COLUMNS) for side in "cw")
    match = "c.episode_id = w.episode_id AND c.placement_id = w.placement_id"
    differs = " OR ".join(f"c.{name} <> w.{name}" for name in _AD)
    statement = text(
        f"WITH w AS ({_wanted(connection)}) "
        f"SELECT * FROM (SELECT {old}, {new} FROM w LEFT JOIN counted_placement c ON {match} "
        f"WHERE c.placement_id IS NULL OR {differs} "
        f"UNION ALL SELECT {old}, {new} FROM counted_placement c LEFT JOIN w ON {match} "
        "WHERE w.placement_id IS NULL) AS found LIMIT :limit"
    )
    rows = connection.execute(statement, {"limit": limit})
    return sorted((Difference(_ad(row[:_SIZE]), _ad(row[_SIZE:])) for row in rows), key=_place)


def _ad(row: Sequence[int | None]) -> CountedAd | None:
    return None if row[0] is None else CountedAd._make(int(value or 0) for value in row)


def _place(difference: Difference) -> tuple[int, ...]:
    return (difference.new or difference.old or ())[:2]


def get_counting_progress(connection: Connection, placement_id: int) -> CountingProgress:
    """How far the worker is with a placement, as after a wish to count it back."""
    same = " AND ".join(f"c.{name} = w.{name}" for name in _COLUMNS)
    statement = text(
        f"WITH w AS ({_wanted(connection, 'AND p.id = :placement')}) "
        "SELECT (SELECT count(*) FROM w), "
        f"(SELECT count(*) FROM w JOIN counted_placement c ON {same}), "
        "(SELECT count(*) FROM counted_placement c WHERE c.placement_id = :placement "
        "AND c.episode_id NOT IN (SELECT episode_id FROM w))"
    )
    wanted, counted, extra = connection.execute(statement, {"placement": placement_id}).one()
    return CountingProgress(wanted + extra, counted)


# -- what is counted -----------------------------------------------------------------------------------------------


def list_counted(connection: Connection, episodes: Iterable[int]) -> list[CountedAd]:
    """The ads that are counted in these episodes."""
    keys = [(episode_id,) for episode_id in sorted(episodes)]
    return [CountedAd(*row) for row in select_by_keys(connection, _OF_EPISODE, keys)]


def list_counted_of_campaign(connection: Connection, campaign_id: int) -> list[CountedAd]:
    """The ads of a campaign that are counted."""
    statement = text(f"SELECT {', '.join(_COLUMNS)} FROM counted_placement WHERE campaign_id = :campaign")
    return [CountedAd(*row) for row in connection.execute(statement, {"campaign": campaign_id})]


def list_all_counted(connection: Connection) -> list[CountedAd]:
    """All ads that are counted."""
    return [CountedAd(*row) for row in connection.execute(text(f"SELECT {', '.join(_COLUMNS)} FROM counted_placement"))]


def put_counted(connection: Connection, differences: Iterable[Difference]) -> None:
    """Note what is counted from here on."""
    listed = list(differences)
    gone = [found.old[:2] for found in listed if found.old and not found.new]
    delete_by_keys(connection, COUNTED_PLACEMENT, gone)
    put_rows(connection, COUNTED_PLACEMENT, [found.new for found in listed if found.new])


# -- rollups -------------------------------------------------------------------------------------------------------


def add_placement_days(connection: Connection, rows: Sequence[Row]) -> None:
    """Add differences to the impressions of days."""
    add_rows(connection, PLACEMENT_DAY, rows)


def add_placement_splits(connection: Connection, rows: Sequence[Row]) -> None:
    """Add differences to delivered impressions by app, device class and country."""
    add_rows(connection, PLACEMENT_SPLIT, rows)


def list_campaign_devices(connection: Connection, keys: Sequence[Row]) -> Iterator[Row]:
    """Rows of `CAMPAIGN_DEVICE` that exist among (campaign_id, device)."""
    return select_by_keys(connection, CAMPAIGN_DEVICE, keys)


def put_campaign_devices(connection: Connection, rows: Sequence[Row]) -> None:
    """Write devices that campaigns reached whole."""
    put_rows(connection, CAMPAIGN_DEVICE, rows)


def delete_campaign_devices(connection: Connection, keys: Sequence[Row]) -> None:
    """Forget devices that campaigns did not reach, given as (campaign_id, device)."""
    delete_by_keys(connection, CAMPAIGN_DEVICE, keys)


def add_campaign_frequencies(connection: Connection, rows: Sequence[Row]) -> None:
    """Add differences to the number of devices by frequency."""
    add_rows(connection, CAMPAIGN_FREQUENCY, rows)


# -- what impressions are counted from ------------------------------------------------------------------------------


def list_shows_of_episodes(connection: Connection, episodes: Iterable[int]) -> dict[int, int]:
    """Episode -> show."""
    table = Episode.__table__  # type: ignore[attr-defined]
    found: dict[int, int] = {}
    for chunk in chunks(episodes):
        rows = connection.execute(select(table.c.id, table.c.show_id).where(table.c.id.in_(chunk)))
        found |= {row[0]: row[1] for row in rows}
    return found


def list_heard_of_episodes(connection: Connection, episodes: Sequence[int], day: int) -> Iterator[Row]:
    """(device, episode_id, coverage, is_offline) of these episodes' playbacks of a day. Reads that day of them all."""
    table = Playback.__table__  # type: ignore[attr-defined]
    columns = (table.c.device, table.c.episode_id, table.c.coverage, table.c.is_offline)
    statement = select(*columns).where(table.c.day == day, table.c.episode_id.in_(episodes))
    for device, episode_id, coverage, is_offline in connection.execute(statement):
        yield bytes(device), episode_id, bytes(coverage), bool(is_offline)


def list_download_days(connection: Connection, episodes: Iterable[int]) -> list[tuple[int, int]]:
    """(episode_id, day) with a download."""
    table = HitOutcome.__table__  # type: ignore[attr-defined]
    found: list[tuple[int, int]] = []
    for chunk in chunks(episodes):
        statement = select(table.c.episode_id, table.c.day).where(
            table.c.episode_id.in_(chunk), table.c.outcome == DOWNLOAD, table.c.hits > 0
        )
        found += [(row[0], day_number(row[1])) for row in connection.execute(statement)]
    return found


def list_consumers_of_episodes(connection: Connection, episodes: Iterable[int], day: int) -> list[Row]:
    """The keys of these episodes' rows of `consumer_day` of a day, in order. Reads that day of them all."""
    table = ConsumerDay.__table__  # type: ignore[attr-defined]
    columns = (table.c.address, table.c.agent, table.c.episode_id)
    statement = select(*columns).where(table.c.day == day, table.c.episode_id.in_(list(episodes))).order_by(*columns)
    return [(day, *row) for row in connection.execute(statement)]
