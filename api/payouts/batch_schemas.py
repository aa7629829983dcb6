"""Shapes of payment orders."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from api.amounts import Currency
from api.payouts.schemas import CreatorOut, Month


class NewBatch(BaseModel):
    """What to pay: all that waits and is in no payment order yet."""

    model_config = ConfigDict(extra="forbid")

    currency: Currency
    month: Annotated[Month | None, Field(description="Only statements of this month; else of all.")] = None
    csv_only: Annotated[StrictBool, Field(description="In EUR: no pain.001 document beside the CSV.")] = False


class ExportedOut(BaseModel):
    """A statement in a payment order."""

    statement_id: UUID
    revision: int = Field(description="Of the statement, when it was exported.")
    creator: CreatorOut
    month: Month
    cents: int = Field(description="With what it brings forward.")
    state: str = Field(description="Of the statement, now.")
    refused_at: datetime | None = Field(description="When somebody said that the bank refused it; else null.")
    refused_reason: str


class BatchOut(BaseModel):
    """A payment order. Its files are `/v1/payouts/batches/{id}.csv` and, if it has one, `.xml`."""

    id: UUID
    message_id: str = Field(description="What the bank's file is identified by.")
    currency: str
    month: Month | None
    formats: list[str] = Field(description="`csv`, and `xml` for SEPA.")
    made_at: datetime
    made_by: str
    total_cents: int = Field(description="Of all its statements, as its files have it.")
    statements: list[ExportedOut]


class BatchList(BaseModel):
    """Payment orders, the last one first."""

    items: list[BatchOut]
    total: int
