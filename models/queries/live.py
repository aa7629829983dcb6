"""What has just arrived: sums over the rollup `arrival_day`."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import BigInteger, case, cast, func, select
from sqlmodel import Session, col

from models.counting import ArrivalDay
from models.tables import Episode


class Arrivals(NamedTuple):
    """What one received day has brought so far."""

    events: int
    listens: int
    late_listens: int
    """Those heard on an earlier UTC day than they were received on."""
    last_received_ms: int | None
    """Receipt of the newest counted event, Unix time in ms; None when there was none."""


def get_arrivals(session: Session, show_id: int, received_day: date) -> Arrivals:
    """What arrived for a show on a UTC day. Listens are net: a replaced recording can take some back."""
    late = case((col(ArrivalDay.day) < col(ArrivalDay.received_day), col(ArrivalDay.listens)), else_=0)
    sums = [
        cast(func.coalesce(func.sum(column), 0), BigInteger)
        for column in (col(ArrivalDay.events), col(ArrivalDay.listens), late)
    ]
    statement = (
        select(*sums, func.max(col(ArrivalDay.last_received_ms)))
        .join(Episode, col(Episode.id) == col(ArrivalDay.episode_id))
        .where(col(Episode.show_id) == show_id, col(ArrivalDay.received_day) == received_day)
    )
    return Arrivals(*session.execute(statement).one())
