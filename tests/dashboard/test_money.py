"""Money as people read and type it."""

import pytest

from dashboard import money

SPACE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("cents", "currency", "text"),
    [
        (123450, "EUR", "€1,234.50"),
        (5, "USD", "$0.05"),
        (-1200, "JPY", "-¥1,200"),
        (500, "CHF", f"CHF{SPACE}5.00"),
        (10**15 + 1, "GBP", "£10,000,000,000,000.01"),
    ],
)
def test_an_amount_is_said_in_its_currency_to_the_cent(cents: int, currency: str, text: str) -> None:
    assert money.said(cents, currency) == text


def test_a_card_s_amount_has_no_cents() -> None:
    assert [money.rounded(cents, "EUR") for cents in (123449, 123450, 0)] == ["€1,234", "€1,235", "€0"]


@pytest.mark.parametrize(
    ("typed", "currency", "cents"),
    [
        ("1,234.50", "EUR", 123450),
        (" €12 ", "EUR", 1200),
        ("EUR 12.5", "EUR", 1250),
        ("1200", "JPY", 1200),
        ("0", "EUR", 0),
        ("0.005", "EUR", None),
        ("1.5", "JPY", None),
        ("-3", "EUR", None),
        ("1e9", "EUR", None),
        ("a lot", "EUR", None),
        ("", "EUR", None),
    ],
)
def test_what_is_no_amount_of_the_currency_is_not_guessed(typed: str, currency: str, cents: int | None) -> None:
    assert money.try_parse_cents(typed, currency) == cents


def test_every_state_of_a_statement_has_its_badge() -> None:
    assert money.badge("held") == ":orange-badge[Held]"
    assert money.badge("under_review") == ":gray-badge[Under review]"
