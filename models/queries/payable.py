"""What is counted, held, void and settled, by episode, campaign and UTC day. Close and every view read it from here,
so that their totals agree."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlmodel import col, select

from models.bulk import chunks
from models.columns import day_from_number, day_number
from models.statements import DayCount
from models.tables import Episode, Show, User

BLOCK_DAYS = 32
"""Days in a block of `open_block`, counted from 1970."""
LISTENS = 0
"""Stands in the place of a campaign for listens."""

# Parts of days' counts from each table that has any, to be added up. A campaign pays for one kind of impressions.
_PARTS = """
SELECT t.episode_id AS episode_id, 0 AS campaign_id, t.day AS day, t.listens AS counted, 0 AS held, 0 AS void,
       0 AS settled
  FROM {blocks} episode_day t WHERE {in_block} AND {listens}
UNION ALL
SELECT t.episode_id, p.campaign_id, t.day, CASE c.billing WHEN 'delivered' THEN t.delivered ELSE t.confirmed END,
       0, 0, 0
  FROM {blocks} placement_day t JOIN placement p ON p.id = t.placement_id JOIN campaign c ON c.id = p.campaign_id
 WHERE {in_block} AND {ads}
UNION ALL
SELECT t.episode_id, COALESCE(p.campaign_id, 0), t.day, 0, CASE t.state WHEN 'open' THEN t.number ELSE 0 END,
       CASE t.state WHEN 'void' THEN t.number ELSE 0 END, 0
  FROM {blocks} {held_from} AND {in_block} AND {held}
UNION ALL
SELECT t.episode_id, t.campaign_id, t.day, 0, 0, 0, t.quantity
  FROM {blocks} settled_day t
 WHERE t.statement_id NOT IN (SELECT id FROM statement WHERE state = 'void') AND {in_block} AND {settled}
"""
_HELD_FROM = """held_day t LEFT JOIN placement p ON p.id = t.placement_id LEFT JOIN campaign c ON c.id = p.campaign_id
 WHERE ((t.placement_id = 0 AND t.kind = 'listens') OR t.kind = c.billing)"""
# PostgreSQL sums bigint to numeric, which would come back as Decimal.
_DAYS = """
SELECT episode_id, campaign_id, day, CAST(SUM(counted) AS BIGINT) AS counted, CAST(SUM(held) AS BIGINT) AS held,
       CAST(SUM(void) AS BIGINT) AS void, CAST(SUM(settled) AS BIGINT) AS settled
  FROM ({parts}) parts GROUP BY episode_id, campaign_id, day
"""
# CROSS JOIN: SQLite then begins with the blocks, of which there are few.
_BLOCKS = "open_block b CROSS JOIN"
_IN_BLOCK = f"t.episode_id = b.episode_id AND t.day BETWEEN b.block * {BLOCK_DAYS} AND (b.block + 1) * {BLOCK_DAYS} - 1"
_OPEN = " HAVING SUM(counted) <> SUM(settled) OR SUM(held) + SUM(void) <> 0"
_ORDER = " ORDER BY episode_id, campaign_id, day"
_OF_CREATOR = (
    "t.episode_id IN (SELECT e.id FROM episode e JOIN show sh ON sh.id = e.show_id WHERE sh.owner_id = :creator_id)"
)
_SETTLED_MONTHS = """
SELECT t.episode_id, t.campaign_id, t.day, CAST(SUM(t.quantity) AS BIGINT)
  FROM (SELECT l.episode_id, l.campaign_id, l.month AS day, l.quantity
          FROM statement_line l JOIN statement s ON s.id = l.statement_id WHERE s.state <> 'void') t
 WHERE {condition} GROUP BY t.episode_id, t.campaign_id, t.day
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which days are read. Nothing given: all there is."""

    first: date | None = None
    last: date | None = None
    creator_id: int | None = None
    """The owner of the shows."""
    campaigns: Sequence[int] | None = None
    episodes: Sequence[int] | None = None
    """At most as many as one statement can take: `models.bulk.MAX_KEYS`."""

    def condition(self, campaign: str) -> str:
        """What holds for the rows that are read, where this is the campaign's column."""
        found = ["1 = 1"]
        found += ["t.day >= :first"] * (self.first is not None)
        found += ["t.day <= :last"] * (self.last is not None)
        found += [_OF_CREATOR] * (self.creator_id is not None)
        found += [f"{campaign} IN :campaigns"] * (self.campaigns is not None)
        found += ["t.episode_id IN :episodes"] * (self.episodes is not None)
        return " AND ".join(found)

    def values(self) -> dict[str, Any]:
        """For the names in `condition`."""
        known = {
            "first": None if self.first is None else day_number(self.first),
            "last": None if self.last is None else day_number(self.last),
            "creator_id": self.creator_id,
            "campaigns": None if self.campaigns is None else list(self.campaigns),
            "episodes": None if self.episodes is None else list(self.episodes),
        }
        return {name: value for name, value in known.items() if value is not None}


class PaidEpisode(NamedTuple):
    """An episode, deleted ones too, and whose it is."""

    id: int
    uuid: UUID
    title: str
    show_id: int
    show_uuid: UUID
    show_title: str
    owner_id: int
    owner_uuid: UUID


class MonthSum(NamedTuple):
    """What statements that stand settle of an episode's listens (campaign 0) or impressions of a month."""

    episode_id: int
    campaign_id: int
    month: date
    settled: int


class HeldSum(NamedTuple):
    """What a rule keeps back of an episode's listens (campaign 0) or impressions on a day."""

    episode_id: int
    campaign_id: int
    day: date
    rule: str
    state: str
    """`open` or `void`."""
    number: int


def list_day_counts(
    connection: Connection, scope: Scope, *, is_open_only: bool = False, trusts_blocks: bool = True
) -> list[DayCount]:
    """Each episode's day with any count, in order of episode, campaign and day; ads as their campaign is billed.

    Open ones only: those of which not all is settled, or more, or something is held or void. They are looked for in the
    blocks of `open_block`, or, if these are not trusted, everywhere.
    """
    days = _days(scope, in_blocks=is_open_only and trusts_blocks)
    statement = days + (_OPEN if is_open_only else "") + _ORDER
    return [
        DayCount.of(episode_id, campaign_id, day_from_number(day), numbers)
        for episode_id, campaign_id, day, *numbers in _execute(connection, statement, scope)
    ]


def list_settled_months(connection: Connection, scope: Scope) -> list[MonthSum]:
    """What is settled in a scope of whole months: read from the lines, which are the sums of their days, and few."""
    statement = _SETTLED_MONTHS.format(condition=scope.condition("t.campaign_id"))
    return [
        MonthSum(episode_id, campaign_id, day_from_number(month), settled)
        for episode_id, campaign_id, month, settled in _execute(connection, statement, scope)
    ]


def list_held_sums(connection: Connection, scope: Scope) -> list[HeldSum]:
    """What is held and void of listens and billed impressions, by rule."""
    campaign = "COALESCE(p.campaign_id, 0)"
    keys = f"t.episode_id, {campaign}, t.day, t.rule, t.state"
    statement = (
        f"SELECT {keys}, CAST(SUM(t.number) AS BIGINT) FROM {_HELD_FROM} AND {scope.condition(campaign)} "
        f"GROUP BY {keys} ORDER BY {keys}"
    )
    return [
        HeldSum(episode_id, campaign_id, day_from_number(day), *rest)
        for episode_id, campaign_id, day, *rest in _execute(connection, statement, scope)
    ]


def _days(scope: Scope, *, in_blocks: bool) -> str:
    held = "COALESCE(p.campaign_id, 0)"
    return _DAYS.format(
        parts=_PARTS.format(
            blocks=_BLOCKS if in_blocks else "",
            in_block=_IN_BLOCK if in_blocks else "1 = 1",
            listens=scope.condition("0"),
            ads=scope.condition("p.campaign_id"),
            held_from=_HELD_FROM,
            held=scope.condition(held),
            settled=scope.condition("t.campaign_id"),
        )
    )


def _execute(connection: Connection, statement: str, scope: Scope) -> Iterable[Any]:
    values = scope.values()
    lists: list[Any] = [bindparam(name, expanding=True) for name in ("campaigns", "episodes") if name in values]
    return connection.execute(text(statement).bindparams(*lists), values)


def list_settled_days(connection: Connection, campaigns: Sequence[int]) -> dict[int, dict[date, int]]:
    """Campaign -> day -> impressions settled by statements that stand, over all episodes."""
    found: dict[int, dict[date, int]] = {campaign_id: {} for campaign_id in campaigns}
    statement = text(
        "SELECT t.campaign_id, t.day, CAST(SUM(t.quantity) AS BIGINT) FROM settled_day t "
        "JOIN statement s ON s.id = t.statement_id WHERE s.state <> 'void' AND t.campaign_id IN :campaigns "
        "GROUP BY t.campaign_id, t.day"
    ).bindparams(bindparam("campaigns", expanding=True))
    for chunk in chunks(campaigns):
        for campaign_id, day, quantity in connection.execute(statement, {"campaigns": chunk}):
            found[campaign_id][day_from_number(day)] = quantity
    return found


def list_paid_episodes(connection: Connection, ids: Iterable[int]) -> dict[int, PaidEpisode]:
    """The episodes among `ids`; what was heard was heard, so deleted ones too."""
    found = {}
    about_episode = col(Episode.id), col(Episode.uuid), col(Episode.title)
    about_show = col(Show.id), col(Show.uuid), col(Show.title), col(Show.owner_id), col(User.uuid)
    for chunk in chunks(ids):
        statement = (
            select(*about_episode, *about_show)  # type: ignore[call-overload]
            .join(Show, col(Show.id) == col(Episode.show_id))
            .join(User, col(User.id) == col(Show.owner_id))
            .where(col(Episode.id).in_(chunk))
        )
        for row in connection.execute(statement):
            found[row[0]] = PaidEpisode(*row)
    return found
