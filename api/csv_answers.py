"""The rows of an answer as CSV, for spreadsheets: RFC 4180, UTF-8, a line of column names first."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from api.csv_cells import safe_cell

MEDIA_TYPE = "text/csv"
VARY = {"Vary": "Accept"}
"""On every answer that the Accept header decides about."""
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "JSON, or the same rows as CSV."}
}
"""For a route's `responses`."""

Format = Annotated[
    Literal["json", "csv"] | None,
    Query(alias="format", description="Without it, as the Accept header asks; else JSON."),
]


def is_csv_wanted(request: Request, wanted: Format = None) -> bool:
    """Whether the answer is to be CSV: by `format`, or when the Accept header likes it better than JSON."""
    if wanted is not None:
        return wanted == "csv"
    weights = dict(_weights(request.headers.get("accept", "")))
    json = max(weights.get(kind, 0.0) for kind in ("application/json", "application/*", "*/*"))
    return weights.get(MEDIA_TYPE, 0.0) > json


CsvWanted = Annotated[bool, Depends(is_csv_wanted)]


def csv_answer(kind: type[BaseModel], rows: Sequence[BaseModel], name: str, headers: dict[str, str]) -> Response:
    """Rows of one kind as a file to keep; columns as its fields, a null an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(kind.model_fields)
    writer.writerows([safe_cell(value) for value in row.model_dump(mode="json").values()] for row in rows)
    disposition = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text.getvalue(), media_type=MEDIA_TYPE, headers={**VARY, **disposition, **headers})


def _weights(accept: str) -> Iterable[tuple[str, float]]:
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        try:
            yield kind, float(weight)
        except ValueError:
            yield kind, 0.0
