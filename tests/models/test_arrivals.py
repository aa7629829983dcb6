"""Reading when listens arrived, on each engine."""

from datetime import date, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from models.columns import day_number
from models.counting import ShowArrival
from models.queries.arrivals import list_arrivals

TODAY = date(2026, 6, 30)


def put(session: Session, show_id: int, day: date, lag_hours: int, listens: int) -> None:
    """A row whose counts differ."""
    session.add(
        ShowArrival(show_id=show_id, day=day, lag_hours=lag_hours, starts=listens + 1, listens=listens, heard_seconds=9)
    )


def test_eight_weeks_and_the_day_before_them_are_read_of_one_show(engine: Engine) -> None:
    with Session(engine) as session:
        for show_id in (1, 2):
            for age in (0, 56, 57, 58):
                put(session, show_id, TODAY - timedelta(days=age), 5, 10 * show_id + age)
        put(session, 1, TODAY, 72, -3)
        put(session, 1, TODAY + timedelta(days=1), 0, 8)
        session.commit()
        rows = list_arrivals(session, 1, TODAY)
    today = day_number(TODAY)
    assert sorted(rows) == [(today - 57, 5, 67), (today - 56, 5, 66), (today, 5, 10), (today, 72, -3)]
    assert {type(value) for row in rows for value in row} == {int}


def test_a_show_without_arrivals_has_none(engine: Engine) -> None:
    with Session(engine) as session:
        assert list_arrivals(session, 1, TODAY) == []
