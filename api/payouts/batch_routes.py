"""Payment orders and their files, for admins, and a statement's PDF for whoever may read it."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlmodel import Session

from api.deps import PublisherDep, ReadSessionDep, SessionDep, require
from api.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    documented,
)
from api.idempotency import MoneyRoute
from api.payouts import batches, pdf, statements, views
from api.payouts.batch import PayeeMissingError, PayerMissingError
from api.payouts.batch_schemas import BatchList, BatchOut, ExportedOut, NewBatch
from api.payouts.batches import NothingToPayError
from api.payouts.close import parse_month
from api.payouts.schemas import CreatorOut
from models.payouts import PayoutBatch
from models.queries import batches as rows
from models.queries.batches import Exported
from models.tables import Role, User

router = APIRouter(
    prefix="/v1",
    tags=["payouts"],
    route_class=MoneyRoute,
    responses=documented(UnauthenticatedError, ForbiddenError, TooLargeError, InvalidError),
)
AdminDep = Annotated[User, Depends(require(Role.ADMIN))]
BatchId = Annotated[UUID, Path(description="The payment order's id.")]


def _file(media_type: str) -> dict[int | str, dict[str, Any]]:
    content = {200: {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}}
    return content | documented(NotFoundError)


@router.post(
    "/payouts/batches", status_code=201, responses=documented(PayeeMissingError, NothingToPayError, PayerMissingError)
)
def make_batch(body: NewBatch, request: Request, user: AdminDep, session: SessionDep) -> BatchOut:
    """Make a payment order of the approved statements that are not carried over and in no order yet, with what they
    bring forward. In EUR it has an ISO 20022 pain.001 document for the bank, and in any currency a CSV."""
    month = parse_month(body.month) if body.month else None
    settings = request.app.state.settings
    made = batches.make(session, user, settings, body.currency, month, is_csv_only=body.csv_only)
    return _batches_out(session, [(made, user)])[0]


@router.get("/payouts/batches")
def list_batches(
    _user: AdminDep,
    session: ReadSessionDep,
    limit: Annotated[int, Query(ge=1, le=500, description="Items in one page.")] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000, description="Items before this page.")] = 0,
) -> BatchList:
    """Payment orders with their statements, the last one first."""
    found = rows.list_batches(session, limit=limit, offset=offset)
    return BatchList(items=_batches_out(session, found), total=rows.count_batches(session))


@router.get("/payouts/batches/{batch_id}.csv", response_class=Response, responses=_file("text/csv"))
def read_batch_csv(batch_id: BatchId, _user: AdminDep, session: ReadSessionDep) -> Response:
    """A payment order for a spreadsheet, byte for byte as it was made."""
    return _batch_file(session, batch_id, "csv", "text/csv")


@router.get("/payouts/batches/{batch_id}.xml", response_class=Response, responses=_file("application/xml"))
def read_batch_xml(batch_id: BatchId, _user: AdminDep, session: ReadSessionDep) -> Response:
    """A payment order for the bank, byte for byte as it was made."""
    return _batch_file(session, batch_id, "xml", "application/xml")


@router.get("/statements/{statement_id}/pdf", response_class=Response, responses=_file("application/pdf"))
def read_pdf(
    statement_id: Annotated[UUID, Path(description="The statement's id.")], user: PublisherDep, session: ReadSessionDep
) -> Response:
    """A statement to print and keep."""
    found = statements.get_statement(session, user, statement_id)
    detail = views.detail_out(session, user, found.statement, found.creator)
    name = f"statement-{detail.month}-{detail.currency}-{str(detail.id)[:8]}.pdf"
    return _attachment(pdf.render(detail), "application/pdf", name)


def _batches_out(session: Session, found: Sequence[tuple[PayoutBatch, User]]) -> list[BatchOut]:
    numbers = [made.id or 0 for made, _ in found]
    exported, formats = rows.list_exported(session, numbers), rows.list_formats(session, numbers)
    return [
        BatchOut(
            id=made.uuid,
            message_id=made.uuid.hex,
            currency=made.currency,
            month=f"{made.month:%Y-%m}" if made.month else None,
            formats=formats[made.id or 0],
            made_at=made.made_at,
            made_by=user.email,
            total_cents=sum(row.export.cents for row in exported[made.id or 0]),
            statements=[_exported_out(row) for row in exported[made.id or 0]],
        )
        for made, user in found
    ]


def _exported_out(row: Exported) -> ExportedOut:
    return ExportedOut(
        statement_id=row.statement.uuid,
        revision=row.export.revision,
        creator=CreatorOut(id=row.creator.uuid, name=row.creator.name, email=row.creator.email),
        month=f"{row.statement.month:%Y-%m}",
        cents=row.export.cents,
        state=row.statement.state,
        refused_at=row.export.released_at,
        refused_reason=row.export.released_reason,
    )


def _batch_file(session: Session, batch_id: UUID, ending: str, media_type: str) -> Response:
    made, content = batches.read_file(session, batch_id, ending)
    month = f"{made.month:%Y-%m}" if made.month else "all"
    return _attachment(content, media_type, f"payouts-{month}-{made.currency}-{str(made.uuid)[:8]}.{ending}")


def _attachment(content: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(content, media_type=media_type, headers=headers)
