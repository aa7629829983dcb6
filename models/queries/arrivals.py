"""When the listens of a show's days arrived: the rollup `show_arrival`."""

from datetime import date, timedelta

from sqlalchemy import BigInteger, select, type_coerce
from sqlmodel import Session, col

from models.counting import ShowArrival
from models.lags import REFERENCE_DAYS, Arrival


def list_arrivals(session: Session, show_id: int, today: date) -> list[Arrival]:
    """What arrived of each of the last 8 weeks' days, and of the day before them, which tells whether they were
    watched from their first instant on."""
    day = type_coerce(col(ShowArrival.day), BigInteger)
    statement = select(day, col(ShowArrival.lag_hours), col(ShowArrival.listens)).where(
        col(ShowArrival.show_id) == show_id,
        col(ShowArrival.day).between(today - timedelta(days=REFERENCE_DAYS + 1), today),
    )
    return [Arrival(*row) for row in session.execute(statement)]
