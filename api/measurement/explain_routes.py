"""Why each hit counted or not, for admins."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from api.deps import ReadSessionDep, require
from api.errors import ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError, documented
from api.measurement.explaining import ExplainedHit, explain
from api.measurement.rules import OUTCOMES
from models.queries import catalogue
from models.tables import Role

MOST_HITS = 500
"""In one answer."""

router = APIRouter(prefix="/v1", tags=["downloads"], dependencies=[Depends(require(Role.ADMIN))])


class StepOut(BaseModel):
    """One rule on a hit's way."""

    rule: str
    cause: str
    clause: str = Field(description="Where IAB's guidelines ask for it.")
    verdict: str = Field(description="`passed`, `stopped` or `not asked`.")
    detail: str


class HitOut(BaseModel):
    """One hit, without anything that would tell whose it was."""

    id: str
    at: datetime
    consumer: str = Field(description="The beginning of a keyed hash of address and user agent; the key rotates.")
    app: str
    device_class: str
    country: str
    method: str
    status: int
    first_byte: int | None = Field(description="Null when the log does not tell which part was sent.")
    end_byte: int | None
    sent_bytes: int
    source: str = Field(description="`live`, or `log` for a line of an access log.")
    outcome: str
    path: list[StepOut]


class ExplanationOut(BaseModel):
    """An episode's hits of a day; `outcomes` add up to `total`."""

    window: str
    excess_cap: int
    total: int
    outcomes: dict[str, int]
    hits: list[HitOut]


@router.get(
    "/episodes/{episode_id}/hits/explained",
    responses=documented(UnauthenticatedError, ForbiddenError, NotFoundError, InvalidError),
)
def explain_hits(
    session: ReadSessionDep,
    episode_id: Annotated[UUID, Path(description="The episode's id.")],
    day: Annotated[date, Query(description="UTC day.")],
    outcome: Annotated[str | None, Query(description="Only hits with this outcome.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_HITS)] = 100,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> ExplanationOut:
    """Every hit of an episode on a UTC day with the path that it took through the rules, for admins."""
    found = catalogue.get_episode(session, episode_id, None)
    if found is None or found[0].id is None:
        raise NotFoundError("There is no such episode. GET /v1/shows/{id}/episodes lists them with their ids.")
    if outcome not in {None, *OUTCOMES}:
        raise InvalidError(f"No hit comes to {outcome!r}. The outcomes are: {', '.join(OUTCOMES)}.")
    explanation = explain(session.connection(), found[0].id, day)
    return ExplanationOut(
        window=explanation.rules.window,
        excess_cap=explanation.rules.excess_cap,
        total=explanation.total,
        outcomes=explanation.outcomes,
        hits=[_hit(hit) for hit in explanation.some(outcome or "", offset, limit)],
    )


def _hit(hit: ExplainedHit) -> HitOut:
    return HitOut.model_validate(asdict(hit))
