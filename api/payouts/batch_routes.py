"""Files of all that waits to be paid, for admins, and a statement's PDF for whoever may read it."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.amounts import Currency
from api.deps import PublisherDep, ReadSessionDep, require
from api.errors import ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError, documented
from api.payouts import batch, pdf, statements, views
from api.payouts.batch import NothingToPayError, PayeeMissingError, PayerMissingError
from api.payouts.close import parse_month
from models.tables import Role, User

router = APIRouter(
    prefix="/v1", tags=["payouts"], responses=documented(UnauthenticatedError, ForbiddenError, InvalidError)
)
AdminDep = Annotated[User, Depends(require(Role.ADMIN))]
Month = Annotated[str | None, Query(description="Only statements of this month, YYYY-MM; else of all.")]
InCurrency = Annotated[Currency, Query(description="ISO 4217.")]


def _file(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}}


@router.get("/payouts/batch.csv", response_class=Response, responses=_file("text/csv") | documented(PayeeMissingError))
def read_batch_csv(_user: AdminDep, session: ReadSessionDep, currency: InCurrency, month: Month = None) -> Response:
    """What waits to be paid: approved statements that are not carried over, with what they bring forward."""
    transfers = batch.list_transfers(session, currency, _first(month))
    return _attachment(batch.as_csv(transfers), "text/csv", f"payouts-{month or 'all'}-{currency}.csv")


@router.get(
    "/payouts/batch.xml",
    response_class=Response,
    responses=_file("application/xml") | documented(PayeeMissingError, NothingToPayError, PayerMissingError),
)
def read_batch_xml(
    _user: AdminDep, session: ReadSessionDep, request: Request, currency: InCurrency, month: Month = None
) -> Response:
    """The same as an ISO 20022 pain.001 document that a bank takes: SEPA transfers, in EUR only."""
    batch.check_currency(currency)
    transfers = batch.list_transfers(session, currency, _first(month))
    if not transfers:
        raise NothingToPayError("No approved statement waits for a payment there.")
    document = batch.as_xml(transfers, request.app.state.settings)
    return _attachment(document, "application/xml", f"payouts-{month or 'all'}-{currency}.xml")


@router.get(
    "/statements/{statement_id}/pdf",
    response_class=Response,
    responses=_file("application/pdf") | documented(NotFoundError),
)
def read_pdf(
    statement_id: Annotated[UUID, Path(description="The statement's id.")], user: PublisherDep, session: ReadSessionDep
) -> Response:
    """A statement to print and keep."""
    found = statements.get_statement(session, user, statement_id)
    detail = views.detail_out(session, user, found.statement, found.creator)
    name = f"statement-{detail.month}-{detail.currency}-{str(detail.id)[:8]}.pdf"
    return _attachment(pdf.render(detail), "application/pdf", name)


def _first(month: str | None) -> date | None:
    return parse_month(month) if month else None


def _attachment(content: str | bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(content, media_type=media_type, headers=headers)
