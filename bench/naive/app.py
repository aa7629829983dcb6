"""The baseline's service: same wire format, same answers, nothing clever.

`NAIVE_DATABASE` names the SQLite file; `NAIVE_COUNT=1` counts each event in the request that brings it.
"""

import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session, SQLModel, create_engine, func, select

from bench.naive.counting import count_event
from bench.naive.schemas import BatchIn, BatchOut, EventIn
from bench.naive.tables import DailyStats, Event
from bench.naive.tokens import check

IS_COUNTING = os.environ.get("NAIVE_COUNT") == "1"

engine = create_engine(f"sqlite:///{os.environ['NAIVE_DATABASE']}", connect_args={"check_same_thread": False})


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Make the tables."""
    SQLModel.metadata.create_all(engine)
    yield


app = FastAPI(lifespan=lifespan)


def get_session() -> Iterator[Session]:
    """A session per request."""
    with Session(engine) as session:
        yield session


def get_device(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
    """The device that the bearer token proves."""
    device_id = check(credentials.credentials)
    if device_id is None:
        raise HTTPException(401, "bad token")
    return device_id


def chain_id(device_id: str, previous: str, event: EventIn) -> str:
    """The id of an event: the hash of its twelve lines."""
    lines = ["earshot/1", device_id, event.seq, previous, event.kind, event.episode, event.session]
    lines += [event.at_ms, event.from_ms, event.to_ms, event.wall_ms, 1 if event.offline else 0]
    return hashlib.sha256("\n".join(str(line) for line in lines).encode()).hexdigest()


@app.get("/healthz")
def healthz() -> dict[str, str]:
    """Whether it answers."""
    return {"status": "ok"}


@app.post("/v1/sync", status_code=202)
def sync(
    batch: BatchIn, device_id: Annotated[str, Depends(get_device)], session: Annotated[Session, Depends(get_session)]
) -> BatchOut:
    """Keep every event that is new."""
    accepted = 0
    event_id = batch.after
    for sent in batch.events:
        event_id = chain_id(device_id, event_id, sent)
        if session.exec(select(Event).where(Event.event_id == event_id)).first() is not None:
            continue
        fields = sent.model_dump() | {"episode": str(sent.episode)}
        event = Event(event_id=event_id, device_id=device_id, received_at=datetime.now(UTC), **fields)
        session.add(event)
        if IS_COUNTING:
            count_event(session, event)
        accepted += 1
    session.commit()
    return BatchOut(accepted=accepted, duplicate=len(batch.events) - accepted, head_matches=event_id == batch.head)


@app.get("/stats")
def stats(session: Annotated[Session, Depends(get_session)]) -> dict[str, int]:
    """Everything counted so far."""
    sums = func.sum(DailyStats.starts), func.sum(DailyStats.listens), func.sum(DailyStats.heard_seconds)
    starts, listens, heard_seconds = session.exec(select(*sums)).one()
    return {
        "events": session.exec(select(func.count()).select_from(Event)).one(),
        "starts": starts or 0,
        "listens": listens or 0,
        "heard_seconds": heard_seconds or 0,
    }
