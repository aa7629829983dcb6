"""Downloads of episodes in their first 7, 30 and 90 days, each from its own hour of publication on.

So that an episode of last week can be compared with one of last year. Whole days come from the rollup by day, the
pieces of days at both ends from that by hour.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from models.downloads import DOWNLOAD
from models.queries.downloads import HOURS, Of
from models.tables import Episode

FIRST_DAYS = (7, 30, 90)
SECONDS_PER_HOUR = 3600
MAX_PIECES = 5_000
"""In one statement, at four variables each: SQLite allows 32,766."""


class FirstDays(NamedTuple):
    """One published episode."""

    episode_id: int
    uuid: UUID
    title: str
    published_at: datetime
    downloads: tuple[int | None, ...]
    """In the order of `FIRST_DAYS`; None as long as the episode is not so old."""


class _Piece(NamedTuple):
    """Hours or days of an episode, both ends included."""

    episode_id: int
    span: int
    """The first of `FIRST_DAYS` that they are part of."""
    first: int
    last: int


_Sums = dict[tuple[int, int], int]
"""(episode, span) -> downloads."""


def list_first_days(session: Session, of: Of, now: datetime) -> list[FirstDays]:
    """Every episode that is out, deleted ones too, the newest first."""
    statement = (
        select(col(Episode.id), col(Episode.uuid), col(Episode.title), col(Episode.published_at))
        .where(of.rows(Episode.id), col(Episode.published_at) <= now)
        .order_by(col(Episode.published_at).desc(), col(Episode.id).desc())
    )
    found = session.execute(statement).all()
    ages = [_Age(row[0], _hour(row[3]), _hour(now)) for row in found]
    days = _sum_days(session, [piece for age in ages for piece in _days(age)])
    heads = _sum_hours(session, [piece for age in ages for piece in _head(age)])
    tails = _sum_hours(session, [piece for age in ages for piece in _tails(age)])
    return [
        FirstDays(row[0], row[1], row[2], row[3], _add_up(age, days, heads, tails))
        for row, age in zip(found, ages, strict=True)
    ]


class _Age:
    """An episode's hour of publication, and the spans of `FIRST_DAYS` that it has behind it."""

    def __init__(self, episode_id: int, born: int, now: int) -> None:
        self.episode_id = episode_id
        self.born = born
        self.day, self.past_midnight = divmod(born, HOURS)
        self.spans = [span for span in FIRST_DAYS if born + span * HOURS <= now]


def _hour(instant: datetime) -> int:
    return int(instant.timestamp()) // SECONDS_PER_HOUR


def _days(age: _Age) -> Iterator[_Piece]:
    """The days that lie in a span as a whole, each in the shortest one."""
    begin = age.day + 1 if age.past_midnight else age.day
    for span in age.spans:
        yield _Piece(age.episode_id, span, begin, age.day + span - 1)
        begin = age.day + span


def _head(age: _Age) -> Iterator[_Piece]:
    """From the hour of publication to the end of that day, unless it is the day's first hour."""
    if age.spans and age.past_midnight:
        yield _Piece(age.episode_id, FIRST_DAYS[0], age.born, (age.day + 1) * HOURS - 1)


def _tails(age: _Age) -> Iterator[_Piece]:
    """From the beginning of each span's last day to its end."""
    if age.past_midnight:
        for span in age.spans:
            yield _Piece(age.episode_id, span, (age.day + span) * HOURS, age.born + span * HOURS - 1)


def _add_up(age: _Age, days: _Sums, heads: _Sums, tails: _Sums) -> tuple[int | None, ...]:
    # Days add up from span to span. A tail is of its span only: in a longer one its day is there as a whole.
    sums = accumulate(days[age.episode_id, span] for span in age.spans)
    head = heads[age.episode_id, FIRST_DAYS[0]]
    downloads = [head + whole + tails[age.episode_id, span] for span, whole in zip(age.spans, sums, strict=True)]
    return (*downloads, *[None] * (len(FIRST_DAYS) - len(downloads)))


def _sum_days(session: Session, pieces: Sequence[_Piece]) -> _Sums:
    return _sum(session, pieces, "hit_outcome", "day", "t.hits", f"t.outcome = '{DOWNLOAD}'")


def _sum_hours(session: Session, pieces: Sequence[_Piece]) -> _Sums:
    return _sum(session, pieces, "download_hour", "hour", "t.downloads")


def _sum(session: Session, pieces: Sequence[_Piece], table: str, place: str, amount: str, more: str = "TRUE") -> _Sums:
    """The sum of `amount` over each piece, in a few statements for any number of them."""
    # SQLAlchemy takes several times longer to write a list of thousands of rows than the store to answer.
    connection = session.connection()
    sums: _Sums = defaultdict(int)
    for start in range(0, len(pieces), MAX_PIECES):
        chosen = pieces[start : start + MAX_PIECES]
        parameters: tuple[Any, ...]
        if connection.dialect.name == "sqlite":
            rows = f"VALUES {', '.join(['(?, ?, ?, ?)'] * len(chosen))}"
            parameters = tuple(part for piece in chosen for part in piece)
        else:
            rows = "SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"
            parameters = tuple(list(column) for column in zip(*chosen, strict=True))
        # CROSS JOIN keeps SQLite from scanning the table and looking the pieces up.
        statement = (
            f"WITH piece (episode_id, span, first, last) AS ({rows}) "
            f"SELECT piece.episode_id, piece.span, CAST(sum({amount}) AS bigint) FROM piece CROSS JOIN {table} t "
            f"WHERE t.episode_id = piece.episode_id AND t.{place} BETWEEN piece.first AND piece.last AND {more} "
            "GROUP BY piece.episode_id, piece.span"
        )
        sums.update({(row[0], row[1]): row[2] for row in connection.exec_driver_sql(statement, parameters)})
    return sums
