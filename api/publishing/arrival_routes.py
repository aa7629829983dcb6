"""How late a show's listens arrive, and so how much of each day is there."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from sqlmodel import Session

from api import clock
from api.deps import PublisherDep, ReadSessionDep
from api.errors import ForbiddenError, NotFoundError, UnauthenticatedError, documented
from api.publishing import service
from models import completeness, lags, metrics
from models.queries import arrivals

router = APIRouter(prefix="/v1", tags=["stats"])


class CompletenessOut(BaseModel):
    """How much of a day's listens has arrived, and what is expected in the end."""

    share: float = Field(description=metrics.COMPLETENESS.definition)
    expected_listens: int = Field(description="The number of listens that the day is expected to have in the end.")
    low: int = Field(description="The final number is from `low` to `high` 19 times of 20; never below what is there.")
    high: int
    is_provisional: bool = Field(description="Whether the share is below 0.99.")


class LagPoint(BaseModel):
    """A point of the distribution."""

    lag_hours: int
    """Hours since the day began; at 24 the day is over."""
    share: float
    """Of a day's final listens, has arrived by then."""


class ArrivalOut(BaseModel):
    """The arrival lag of a show: the time from the first instant of a listen's UTC day to its receipt."""

    reference_days: int
    """Days of the last 8 weeks that were watched from their beginning; 0 when they are too few to tell."""
    listens: int
    """Listens of these days and of today that have arrived."""
    median_lag_hours: float | None
    p90_lag_hours: float | None
    p99_lag_hours: float | None
    points: list[LagPoint]
    """By the hour for three days, then by the day, until next to nothing is left to come; empty when not known."""


@router.get("/shows/{show_id}/arrival", responses=documented(UnauthenticatedError, ForbiddenError, NotFoundError))
def read_arrival(
    session: ReadSessionDep, user: PublisherDep, show_id: Annotated[UUID, Path(description="The show's id.")]
) -> ArrivalOut:
    """How late the show's listens arrive: players that are offline report later.

    Taken from the last 8 weeks; days that are still growing count with the hours they have seen. With less than about
    two and a half weeks of history there is nothing to tell yet: `points` is empty and the lags are null.
    """
    now = clock.now()
    show = service.get_show(session, user, show_id)
    found = lags.distribute(arrivals.list_arrivals(session, service.key_of(show), now.date()), now)
    if found is None:
        return ArrivalOut(
            reference_days=0, listens=0, median_lag_hours=None, p90_lag_hours=None, p99_lag_hours=None, points=[]
        )
    median, p90, p99 = (round(found.lag_of(share), 1) for share in (0.5, 0.9, 0.99))
    return ArrivalOut(
        reference_days=found.days,
        listens=found.listens,
        median_lag_hours=median,
        p90_lag_hours=p90,
        p99_lag_hours=p99,
        points=[LagPoint(lag_hours=lag, share=round(share, 4)) for lag, share in found.points()],
    )


def completeness_of(session: Session, show_id: int, listens: Mapping[date, int]) -> dict[date, CompletenessOut | None]:
    """The completeness of each of a show's days, of which so many listens have arrived; None where it is not known."""
    now = clock.now()
    found = completeness.estimate(arrivals.list_arrivals(session, show_id, now.date()), listens, now)
    return {day: None if of_day is None else _out(of_day) for day, of_day in found.items()}


def _out(of_day: completeness.Completeness) -> CompletenessOut:
    return CompletenessOut(
        share=round(of_day.share, 4),
        expected_listens=of_day.expected_listens,
        low=of_day.low,
        high=of_day.high,
        is_provisional=of_day.is_provisional,
    )
