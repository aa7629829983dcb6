"""Money as requests send it: whole minor units and a currency. Fractions, text and what could not be added up exactly
are refused."""

from functools import cache
from typing import Annotated, Any

from babel.core import get_global
from pydantic import AfterValidator, BeforeValidator, Field, StrictInt

from models.payouts import EXACT_PER_CENT

MAX_CENTS = (2**63 - 1) // EXACT_PER_CENT
"""Exact amounts are kept as 64-bit numbers of 1/EXACT_PER_CENT cents; beyond this one would not fit. It is also safe in
JavaScript."""
MAX_NUMBER = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exact."""


@cache
def currencies() -> frozenset[str]:
    """ISO 4217 codes of the money that is tender somewhere today."""
    known: dict[str, list[tuple[str, Any, Any, bool]]] = get_global("territory_currencies")  # type: ignore[assignment]
    return frozenset(code for used in known.values() for code, _, until, is_tender in used if is_tender and not until)


def _whole_cents(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("send whole minor units as a number without fraction or quotes, 1250 for 12.50")
    return value


def _known_currency(value: str) -> str:
    if value not in currencies():
        raise ValueError("send the three capital letters of ISO 4217 of a currency in use, as EUR")
    return value


Cents = Annotated[StrictInt, BeforeValidator(_whole_cents), Field(ge=1, le=MAX_CENTS)]
"""An amount above zero."""
Number = Annotated[StrictInt, Field(ge=1, le=MAX_NUMBER)]
"""How many of something, at least one."""
Currency = Annotated[str, AfterValidator(_known_currency), Field(description="ISO 4217.", examples=["EUR"])]
