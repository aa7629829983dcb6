"""What the self-audit of download counting asks the rollups and the consumers' days."""

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, cast, func, literal, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from models.columns import day_number
from models.downloads import (
    DOWNLOAD,
    ConsumerDay,
    CountingRule,
    DownloadHour,
    DownloadSplit,
    HitOutcome,
    ImportOutcome,
    LogImport,
)
from models.periods import Period
from models.tables import Episode, Show


class OutcomeSum(NamedTuple):
    """Hits of one outcome."""

    outcome: str
    hits: int
    sent_bytes: int


class ShowDay(NamedTuple):
    """Downloads of one show on one UTC day."""

    show_id: int
    title: str
    day: date
    downloads: int


class BusyAddress(NamedTuple):
    """An address that asked for much on one UTC day."""

    day: date
    address: int
    """The stored hash; signed."""
    pairs: int
    """User agents times episodes with a hit that got past the rules that look at one hit alone."""
    agents: int
    episodes: int
    downloads: int
    """That counted all the same: below the cap, or by the inclusion list."""


class AppSum(NamedTuple):
    """Downloads of one app; an empty name is unknown."""

    app: str
    downloads: int


class NewApp(NamedTuple):
    """An app of which no download was counted before the period."""

    app: str
    first_day: date
    downloads: int


class ImportSum(NamedTuple):
    """Access logs of one format that were read."""

    format: str
    has_ranges: bool
    files: int
    lines: int


def _sum(column: Any) -> Any:
    # PostgreSQL sums bigint to numeric, which would come back as Decimal.
    return cast(func.coalesce(func.sum(column), 0), BigInteger)


def list_rules(session: Session) -> dict[str, str]:
    """The rules that this store's rollups were made with; empty before the first hit."""
    return {row.name: row.value for row in session.exec(select_rows(CountingRule))}


def list_outcomes(session: Session, period: Period) -> list[OutcomeSum]:
    """Hits by what became of them, the most frequent first."""
    hits = _sum(col(HitOutcome.hits))
    statement = (
        select(col(HitOutcome.outcome), hits, _sum(col(HitOutcome.sent_bytes)))
        .where(col(HitOutcome.day).between(period.first, period.last))
        .group_by(col(HitOutcome.outcome))
        .having(hits != 0)
        .order_by(hits.desc(), col(HitOutcome.outcome))
    )
    return [OutcomeSum(*row) for row in session.execute(statement)]


def sum_by_hour(session: Session, period: Period) -> int:
    """Downloads as `download_hour` has them."""
    first, end = day_number(period.first) * 24, (day_number(period.last) + 1) * 24
    statement = select(_sum(col(DownloadHour.downloads))).where(
        col(DownloadHour.hour) >= first, col(DownloadHour.hour) < end
    )
    return int(session.execute(statement).scalar_one())


def sum_by_split(session: Session, period: Period) -> dict[str, int]:
    """Kind of split -> downloads as `download_split` has them."""
    statement = (
        select(col(DownloadSplit.kind), _sum(col(DownloadSplit.downloads)))
        .where(col(DownloadSplit.day).between(period.first, period.last))
        .group_by(col(DownloadSplit.kind))
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def list_show_days(session: Session, period: Period) -> list[ShowDay]:
    """Downloads of every show on every day that has any, show by show, in the order of days."""
    downloads = _sum(col(HitOutcome.hits))
    statement = (
        select(col(Show.id), col(Show.title), col(HitOutcome.day), downloads)
        .join(Episode, col(Episode.id) == col(HitOutcome.episode_id))
        .join(Show, col(Show.id) == col(Episode.show_id))
        .where(col(HitOutcome.outcome) == DOWNLOAD, col(HitOutcome.day).between(period.first, period.last))
        .group_by(col(Show.id), col(Show.title), col(HitOutcome.day))
        .order_by(col(Show.id), col(HitOutcome.day))
    )
    return [ShowDay(*row) for row in session.execute(statement)]


def list_publication_days(session: Session) -> set[tuple[int, date]]:
    """(show id, UTC day) on which an episode came out."""
    statement = select(col(Episode.show_id), col(Episode.published_at)).where(col(Episode.published_at).is_not(None))
    return {(show_id, at.date()) for show_id, at in session.execute(statement) if at is not None}


def list_busy_addresses(session: Session, period: Period, pairs: int) -> list[BusyAddress]:
    """Addresses that came to so many pairs of user agent and episode on a day, or to more, by day."""
    found = func.count()
    statement = (
        select(
            col(ConsumerDay.day),
            col(ConsumerDay.address),
            found,
            func.count(col(ConsumerDay.agent).distinct()),
            func.count(col(ConsumerDay.episode_id).distinct()),
            _sum(col(ConsumerDay.downloads)),
        )
        .where(col(ConsumerDay.day).between(period.first, period.last), col(ConsumerDay.is_eligible).is_(True))
        .group_by(col(ConsumerDay.day), col(ConsumerDay.address))
        .having(found >= pairs)
        .order_by(col(ConsumerDay.day), found.desc(), col(ConsumerDay.address))
    )
    return [BusyAddress(*row) for row in session.execute(statement)]


def list_apps(session: Session, period: Period) -> list[AppSum]:
    """Downloads by app, the most frequent first."""
    downloads = _sum(col(DownloadSplit.downloads))
    statement = (
        select(col(DownloadSplit.value), downloads)
        .where(col(DownloadSplit.kind) == "app", col(DownloadSplit.day).between(period.first, period.last))
        .group_by(col(DownloadSplit.value))
        .having(downloads != 0)
        .order_by(downloads.desc(), col(DownloadSplit.value))
    )
    return [AppSum(*row) for row in session.execute(statement)]


def list_new_apps(session: Session, period: Period) -> list[NewApp]:
    """Apps whose first download ever counted is of the period, the most frequent first."""
    first_day, downloads = func.min(col(DownloadSplit.day)), _sum(col(DownloadSplit.downloads))
    statement = (
        select(col(DownloadSplit.value), first_day, downloads)
        .where(
            col(DownloadSplit.kind) == "app",
            col(DownloadSplit.value) != literal(""),
            col(DownloadSplit.downloads) != 0,
            col(DownloadSplit.day) <= period.last,
        )
        .group_by(col(DownloadSplit.value))
        .having(first_day >= period.first)
        .order_by(downloads.desc(), col(DownloadSplit.value))
    )
    return [NewApp(*row) for row in session.execute(statement)]


def list_imports(session: Session) -> list[ImportSum]:
    """All access logs ever read, by format."""
    statement = (
        select(col(LogImport.format), col(LogImport.has_ranges), func.count(), _sum(col(LogImport.lines)))
        .group_by(col(LogImport.format), col(LogImport.has_ranges))
        .order_by(col(LogImport.format), col(LogImport.has_ranges))
    )
    return [ImportSum(*row) for row in session.execute(statement)]


def sum_unreadable(session: Session) -> int:
    """Lines of access logs that could not be read."""
    statement = select(_sum(col(ImportOutcome.hits))).where(col(ImportOutcome.outcome) == "unreadable")
    return int(session.execute(statement).scalar_one())
