"""Money as people read and type it, and the badges of statements. Pure."""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache

from babel import Locale
from babel.numbers import format_currency, get_currency_name, get_currency_precision, get_currency_symbol

LOCALE = Locale("en")
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "CAD", "AUD", "NZD", "JPY", "INR", "BRL")
"""What a form offers; the API takes any currency of ISO 4217."""
_AMOUNT = re.compile(r"[0-9][0-9,]*(\.[0-9]+)?")
_LETTERS_BEFORE_DIGIT = re.compile(r"(?<=[A-Z])(?=[0-9])")

BADGES = {
    "draft": ("gray", "Draft"),
    "approved": ("green", "Approved"),
    "paid": ("blue", "Paid"),
    "held": ("orange", "Held"),
    "void": ("red", "Void"),
}
"""Colour and word for each state of a statement."""


@cache
def _minor_unit(currency: str) -> Decimal:
    """A cent in units of its currency: 0.01 for euros, 1 for yen."""
    return Decimal(1).scaleb(-get_currency_precision(currency))


def major(cents: int, currency: str) -> Decimal:
    """An amount in the currency's units, for the axis of a chart."""
    return cents * _minor_unit(currency)


def said(cents: int, currency: str) -> str:
    """`€1,234.50`, `-¥1,200`, `CHF 5.00` (a space that does not break): exact to the cent."""
    return _spaced(format_currency(major(cents, currency), currency, locale=LOCALE))


def rounded(cents: int, currency: str) -> str:
    """`€1,235`: for a card, beside which the exact amount stands."""
    whole = major(cents, currency).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return _spaced(format_currency(whole, currency, "¤#,##0", locale=LOCALE, currency_digits=False))


def _spaced(text: str) -> str:
    # CLDR wants a space between a currency's letters and its number, and the library leaves it out.
    return _LETTERS_BEFORE_DIGIT.sub("\N{NO-BREAK SPACE}", text)


def symbol(currency: str) -> str:
    """`€`, `CHF`."""
    return get_currency_symbol(currency, locale=LOCALE)


def currency_name(currency: str) -> str:
    """`EUR · Euro`, for a choice."""
    return f"{currency} · {get_currency_name(currency, locale=LOCALE)}"


def try_parse_cents(text: str, currency: str) -> int | None:
    """Minor units of what somebody typed, `1,234.50` for example; None for what is no amount of this currency."""
    typed = text.strip().removeprefix(symbol(currency)).removeprefix(currency).strip()
    if not _AMOUNT.fullmatch(typed):
        return None
    try:
        cents = Decimal(typed.replace(",", "")) / _minor_unit(currency)
    except InvalidOperation:
        return None
    # Half a cent is nothing that anybody could pay: it is refused, not rounded.
    return int(cents) if cents == int(cents) else None


def badge(state: str) -> str:
    """A statement's state as a Markdown badge."""
    colour, word = BADGES.get(state, ("gray", state.replace("_", " ").capitalize()))
    return f":{colour}-badge[{word}]"
