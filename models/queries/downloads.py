"""Downloads and what became of other hits: sums over the rollups. API and pages share these, so their numbers agree."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, case, cast, func, select, type_coerce
from sqlmodel import Session, col

from models.columns import day_from_number, day_number
from models.downloads import (
    DOWNLOAD,
    CountingRule,
    DownloadHour,
    DownloadSplit,
    HitOutcome,
    ShowDownloadSplit,
    ShowHitOutcome,
)
from models.periods import Period
from models.tables import Episode

HOURS = 24
APP, DEVICE, COUNTRY = "app", "device", "country"
WINDOW, EXCESS_CAP = "download_window", "excess_cap"
"""Names in `counting_rule`."""


class Of(NamedTuple):
    """Whose downloads: a show's, or those of one of its episodes."""

    show_id: int
    episode_id: int | None = None

    def rows(self, column: Any) -> ColumnElement[bool]:
        """What holds for an episode's key in this column."""
        if self.episode_id is not None:
            return col(column) == self.episode_id
        return col(column).in_(select(col(Episode.id)).where(col(Episode.show_id) == self.show_id))


class Rules(NamedTuple):
    """What the numbers in the store were counted with."""

    window: str = "calendar"
    """`calendar`, `first_touch` or `last_touch`."""
    excess_cap: int = 1000
    """0: none."""


class DayDownloads(NamedTuple):
    """One UTC day."""

    day: date
    downloads: int


class DayHits(NamedTuple):
    """One UTC day's requests of every kind."""

    day: date
    downloads: int
    hits: int
    sent_bytes: int


class HourDownloads(NamedTuple):
    """One hour."""

    hour: int
    """Whole hours since 1970-01-01T00:00Z."""
    downloads: int


class EpisodeDownloads(NamedTuple):
    """One episode, drafts and deleted ones too, and its downloads in a period."""

    episode_id: int
    uuid: UUID
    title: str
    published_at: datetime | None
    deleted_at: datetime | None
    downloads: int


class SplitDownloads(NamedTuple):
    """One app, device class or country."""

    value: str
    """Empty for unknown."""
    downloads: int


class OutcomeHits(NamedTuple):
    """Hits of a period by what became of them."""

    outcome: str
    """`download`, or the cause."""
    hits: int
    sent_bytes: int


def _sum(column: Any) -> Any:
    # PostgreSQL sums bigint to numeric, which would come back as Decimal.
    return cast(func.coalesce(func.sum(col(column)), 0), BigInteger)


def _outcomes_of(of: Of) -> tuple[type[HitOutcome] | type[ShowHitOutcome], ColumnElement[bool]]:
    """The rollup of hits that is the shortest to read, and which of its rows."""
    if of.episode_id is None:
        return ShowHitOutcome, col(ShowHitOutcome.show_id) == of.show_id
    return HitOutcome, col(HitOutcome.episode_id) == of.episode_id


def _splits_of(of: Of) -> tuple[type[DownloadSplit] | type[ShowDownloadSplit], ColumnElement[bool]]:
    """As `_outcomes_of`, of downloads by app, device class and country."""
    if of.episode_id is None:
        return ShowDownloadSplit, col(ShowDownloadSplit.show_id) == of.show_id
    return DownloadSplit, col(DownloadSplit.episode_id) == of.episode_id


def get_rules(session: Session) -> Rules:
    """The rules of this store; the defaults, as long as nothing was counted."""
    rows = session.execute(select(col(CountingRule.name), col(CountingRule.value)))
    known: dict[str, str] = {row[0]: row[1] for row in rows}
    return Rules(known.get(WINDOW, Rules().window), int(known.get(EXCESS_CAP, Rules().excess_cap)))


def list_days(session: Session, of: Of, period: Period) -> list[DayDownloads]:
    """Each day that has any, in order."""
    table, rows = _outcomes_of(of)
    statement = (
        select(col(table.day), _sum(table.hits))
        .where(rows, col(table.day).between(period.first, period.last), col(table.outcome) == DOWNLOAD)
        .group_by(col(table.day))
        .order_by(col(table.day))
    )
    return [DayDownloads(*row) for row in session.execute(statement)]


def list_hit_days(session: Session, of: Of, period: Period) -> list[DayHits]:
    """Hits and downloads of each day that has any, in order."""
    table, rows = _outcomes_of(of)
    counted = case((col(table.outcome) == DOWNLOAD, col(table.hits)), else_=0)
    sums = [cast(func.sum(amount), BigInteger) for amount in (counted, col(table.hits), col(table.sent_bytes))]
    statement = (
        select(col(table.day), *sums)
        .where(rows, col(table.day).between(period.first, period.last))
        .group_by(col(table.day))
        .order_by(col(table.day))
    )
    return [DayHits(*row) for row in session.execute(statement)]


def get_last_day(session: Session, of: Of) -> date | None:
    """The newest day with a hit; None as long as there is none."""
    table, rows = _outcomes_of(of)
    number = session.execute(select(func.max(type_coerce(col(table.day), BigInteger))).where(rows)).scalar_one()
    return None if number is None else day_from_number(number)


def list_hours(session: Session, of: Of, period: Period) -> list[HourDownloads]:
    """Each hour that has any, in order."""
    first, end = day_number(period.first) * HOURS, (day_number(period.last) + 1) * HOURS
    statement = (
        select(col(DownloadHour.hour), _sum(DownloadHour.downloads))
        .where(of.rows(DownloadHour.episode_id), col(DownloadHour.hour).between(first, end - 1))
        .group_by(col(DownloadHour.hour))
        .order_by(col(DownloadHour.hour))
    )
    return [HourDownloads(*row) for row in session.execute(statement)]


def list_episodes(session: Session, of: Of, period: Period) -> list[EpisodeDownloads]:
    """Every episode, most downloaded first; 0 where nothing was counted."""
    # Summed before the titles are joined: grouping by all of an episode's columns takes twice as long.
    sums = (
        select(col(HitOutcome.episode_id), _sum(HitOutcome.hits).label("downloads"))
        .where(
            of.rows(HitOutcome.episode_id),
            col(HitOutcome.day).between(period.first, period.last),
            col(HitOutcome.outcome) == DOWNLOAD,
        )
        .group_by(col(HitOutcome.episode_id))
        .subquery()
    )
    downloads = func.coalesce(sums.c.downloads, 0)
    about = [getattr(Episode, name) for name in ("id", "uuid", "title", "published_at", "deleted_at")]
    statement = (
        select(*about, downloads)
        .outerjoin(sums, sums.c.episode_id == col(Episode.id))
        .where(of.rows(Episode.id))
        .order_by(downloads.desc(), col(Episode.id).desc())
    )
    return [EpisodeDownloads(*row) for row in session.execute(statement)]


def list_split(session: Session, of: Of, period: Period, kind: str) -> list[SplitDownloads]:
    """Each value of `app`, `device` or `country` that has any, most downloads first."""
    table, rows = _splits_of(of)
    downloads = _sum(table.downloads)
    statement = (
        select(col(table.value), downloads)
        .where(rows, col(table.day).between(period.first, period.last), col(table.kind) == kind)
        .group_by(col(table.value))
        .having(downloads > 0)
        .order_by(downloads.desc(), col(table.value))
    )
    return [SplitDownloads(*row) for row in session.execute(statement)]


def list_outcomes(session: Session, of: Of, period: Period) -> list[OutcomeHits]:
    """Every outcome that has any hits, most hits first: together, all hits."""
    table, rows = _outcomes_of(of)
    hits = _sum(table.hits)
    statement = (
        select(col(table.outcome), hits, _sum(table.sent_bytes))
        .where(rows, col(table.day).between(period.first, period.last))
        .group_by(col(table.outcome))
        .having(hits > 0)
        .order_by(hits.desc(), col(table.outcome))
    )
    return [OutcomeHits(*row) for row in session.execute(statement)]


def fill_days(rows: Sequence[DayDownloads], period: Period, today: date) -> list[DayDownloads]:
    """The same rows with zeros for days without any; days after `today` are only there when something was counted."""
    by_day = {row.day: row for row in rows}
    return [by_day.get(day, DayDownloads(day, 0)) for day in period.each_day() if day <= today or day in by_day]
