"""Counting what was set aside, once its cause is gone."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field
from sqlalchemy import Engine

from api.bodies import BoundedRoute
from api.deps import require
from api.errors import ForbiddenError, InvalidError, TooLargeError, UnauthenticatedError, UnavailableError, documented
from api.events import LogUnavailableError
from api.events.log import Record, append_all
from api.measurement import replaying
from api.measurement.causes import MAY_PASS, Cause
from models.tables import Role

router = APIRouter(
    prefix="/v1", tags=["operations"], dependencies=[Depends(require(Role.ADMIN))], route_class=BoundedRoute
)


class ReplayIn(BaseModel):
    """What to judge again."""

    cause: Annotated[Cause, Field(description="unknown_episode or before_publication.")]


class ReplayOut(BaseModel):
    """What is on its way."""

    replayed: int = Field(description="Events whose cause is gone, handed to the worker, which counts each once.")


@router.post(
    "/pipeline/replay",
    status_code=202,
    responses=documented(UnauthenticatedError, ForbiddenError, InvalidError, TooLargeError, UnavailableError),
)
async def replay(body: ReplayIn, request: Request) -> ReplayOut:
    """Count the events of a cause that is gone: an episode imported later, or published earlier than it first said.

    Each is judged as of its first receipt, with the catalogue of now. Asking twice counts nothing twice.
    """
    if body.cause not in MAY_PASS:
        causes = " and ".join(MAY_PASS)
        raise InvalidError(f"What was set aside as {body.cause} stays so; only {causes} can pass.")
    ready = await run_in_threadpool(_list_ready, request.app.state.read_engine, body.cause)
    try:
        await append_all(request.app.state.log, ready)
    except LogUnavailableError as error:
        raise UnavailableError(
            "The event log takes nothing at the moment. Ask again; nothing is counted twice."
        ) from error
    return ReplayOut(replayed=len(ready))


def _list_ready(engine: Engine, cause: Cause) -> list[Record]:
    with engine.connect() as connection:
        return replaying.list_ready(connection, cause)
