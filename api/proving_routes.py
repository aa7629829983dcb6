"""Verifying a statement, and the export that a creator verifies hers with, over HTTP.

Neither changes anything, so neither needs an Idempotency-Key; each reads the log and the archive, which may take a
while. One at a time: the others are told to come again.
"""

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlmodel import Session

from api import proving
from api.deps import PublisherDep, require
from api.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
    documented,
)
from api.events.archive import Archive
from api.payouts import statements, verify
from api.payouts.statements import Found
from api.proving import Sources, UnprovableError
from models.tables import Role, User

router = APIRouter(
    prefix="/v1",
    tags=["payouts"],
    responses=documented(UnauthenticatedError, ForbiddenError, NotFoundError, InvalidError, UnavailableError),
)
AdminDep = Annotated[User, Depends(require(Role.ADMIN))]
StatementId = Annotated[UUID, Path(description="The statement's id.")]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/gzip": {"schema": {"type": "string", "format": "binary"}}}}
}


class CheckOut(BaseModel):
    """One thing that was looked at."""

    name: str = Field(description="inputs, lines, settled, before, limits, ledger or counts.")
    outcome: verify.Outcome
    detail: str = Field(description="What was found, for people.")


class LineCheckOut(BaseModel):
    """A line as the statement has it, and as it was worked out again from log and archive."""

    kind: str
    episode_id: str
    episode: str
    campaign_id: str | None
    campaign: str = Field(description="Its name; empty for listens.")
    month: str = Field(description="YYYY-MM.")
    agrees: bool
    stated: dict[str, int] | None = Field(description="Absent: the statement has no such line.")
    recomputed: dict[str, int] | None = Field(description="Absent: there should be no such line.")


class ProofOut(BaseModel):
    """What verifying a statement found."""

    statement_id: UUID
    month: str = Field(description="YYYY-MM.")
    currency: str
    rule_version: str
    inputs_hash: str = Field(description="SHA-256, in hex.")
    verdict: verify.Outcome = Field(description="Of all checks; agrees only when every one of them does.")
    checks: list[CheckOut]
    lines: list[LineCheckOut]
    differences: list[str] = Field(description="Days that differ from log and archive.")


@router.post("/statements/{statement_id}/verify")
def verify_statement(statement_id: StatementId, user: AdminDep, request: Request) -> ProofOut:
    """Work a statement out again from log and archive, line by line. Changes nothing."""
    report = proving.verify_statement(_sources(request), _find(request, user, statement_id))
    return ProofOut(**verify.as_json(report))


@router.get(
    "/statements/{statement_id}/export",
    response_class=StreamingResponse,
    responses=_FILE | documented(UnprovableError),
)
def export_statement(statement_id: StatementId, user: PublisherDep, request: Request) -> StreamingResponse:
    """The statement, its inputs, and the playbacks behind it without devices, for docs/verify_statement.py: gzip-packed
    JSON, a record a line."""
    found = _find(request, user, statement_id)
    file = TemporaryFile()  # noqa: SIM115 - closed when it was sent; it has no name, so nothing is left of it
    try:
        proving.export_statement(_sources(request), found, file)
    except BaseException:
        file.close()
        raise
    size = file.tell()
    file.seek(0)
    month = f"{found.statement.month:%Y-%m}"
    name = f"statement-{month}-{found.statement.currency}-{str(found.statement.uuid)[:8]}.ndjson.gz"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(size),
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(_pieces(file), media_type="application/gzip", headers=headers)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(1 << 16):
            yield piece


def _sources(request: Request) -> Sources:
    state = request.app.state
    return Sources(state.engine, state.log, Archive(state.settings.resolved_archive_dir()), is_patient=False)


def _find(request: Request, user: User, statement_id: UUID) -> Found:
    with Session(request.app.state.read_engine, expire_on_commit=False) as session:
        return statements.get_statement(session, user, statement_id)
