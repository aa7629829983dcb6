"""The words and tables of money pages, from values alone."""

from datetime import date
from uuid import uuid4

import pandas as pd
import pytest

from api.holds.rules import RULES
from dashboard import (
    earnings_data,
    evidence_cards,
    hold_data,
    hold_tables,
    hold_texts,
    ledger_tables,
    statement_charts,
    statement_forms,
    statement_tables,
    terms_forms,
    theme,
)
from dashboard.evidence_data import Completeness, Evidence, HeldBy
from models.pending import Cell, CellKey, Pending
from models.queries.money_pages import Settled

OCTOBER = date(2026, 10, 1)


def test_each_fraud_rule_and_parameter_has_words() -> None:
    assert {rule.name for rule in RULES} == set(hold_texts.RULES)
    parameters = {name for rule in RULES for name in rule.parameters}
    assert parameters <= set(hold_data.PARAMETERS)


def test_days_before_a_statement_s_month_are_late_and_stand_apart() -> None:
    settled = [
        Settled(1, 0, date(2026, 9, 30), 4),
        Settled(1, 0, OCTOBER, 10),
        Settled(2, 0, OCTOBER, 5),
        Settled(1, 7, OCTOBER, 99),
    ]
    frame = statement_tables.days(settled, OCTOBER, is_ads=False)
    assert frame.values.tolist() == [[date(2026, 9, 30), 4, True], [OCTOBER, 15, False]]
    assert statement_tables.days(settled, OCTOBER, is_ads=True)["quantity"].tolist() == [99]
    figure = statement_charts.settled_per_day(frame, "listens", theme.ONLINE)
    assert {bar.name: list(bar.y) for bar in figure.data} == {"Of the month": [15], "Late, of earlier months": [4]}


def test_what_was_taken_back_is_below_the_axis() -> None:
    frame = pd.DataFrame({"day": [OCTOBER], "quantity": [-40], "is_late": [True]})
    figure = statement_charts.settled_per_day(frame, "listens", theme.ONLINE)
    low, high = figure.layout.yaxis.range
    assert low < -40 < 0 < high


def test_months_to_close_are_those_that_are_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.clock.today", lambda: date(2026, 1, 31))
    months = list(statement_forms.months_over().items())
    assert months[:2] == [("2025-12", "December 2025"), ("2025-11", "November 2025")]


@pytest.mark.parametrize(
    ("text", "share"),
    [("70", 7000), (" 62.5 % ", 6250), ("0", 0), ("100", 10_000), ("0.01", 1)]
    + [(text, None) for text in ("", "half", "101", "-1", "12.345", "NaN", "inf")],
)
def test_a_share_is_written_in_per_cent(text: str, share: int | None) -> None:
    assert terms_forms.try_parse_share(text) == share


def test_what_became_of_a_month_adds_up_over_episodes_and_campaigns() -> None:
    one, other = Cell(counted=10, settled=4, pending=6), Cell(counted=7, held=7)
    one.exact["EUR"] = 25_000_000
    older = Cell(counted=1, unplanned=1)
    cells = {
        CellKey(OCTOBER, 1, 0): one,
        CellKey(OCTOBER, 2, 5): other,
        CellKey(date(2026, 9, 1), 1, 0): older,
    }
    found = earnings_data.by_month(Pending(cells, {}, {}))
    assert [(f"{month:%m}", cell.counted, cell.held) for month, cell in found.cells.items()] == [
        ("10", 17, 7),
        ("09", 1, 0),
    ]
    assert found.total.counted == 18
    # 2.5 cents: a half goes up.
    assert found.pending == {"EUR": 3}


def test_a_change_in_the_trail_is_said_in_words_and_without_ids() -> None:
    detail = {"from": "draft", "to": "approved", "revision": 1, "show": str(uuid4())}
    assert ledger_tables.changes(detail) == "draft to approved"
    plan = {"currency": "CHF", "listen_price_cents": 2250, "ad_share_bp": 6250, "from_day": "2026-11-01"}
    assert (
        ledger_tables.changes(plan) == "listen price CHF\N{NO-BREAK SPACE}22.50, ad share 62.5 %, from day 2026-11-01"
    )
    assert str(detail["show"]) not in ledger_tables.changes({"into": detail["show"]})
    assert ledger_tables.action("rate_plan.created") == "Rate plan: created"


def test_shows_of_a_hold_fit_their_column() -> None:
    assert hold_tables.shows([]) == "\N{EN DASH}"
    assert hold_tables.shows(["Lighthouse Radio of Farrow Head"]) == "Lighthouse Radio of…"
    assert hold_tables.shows(["Kettle Physics", "The Slow Parcel", "Stars"]) == "Kettle Physics and 2 more"


def test_a_month_that_still_grows_is_said_with_what_may_come() -> None:
    found = Completeness(arrived=950, expected=1000, low=980, high=1020, unknown=0)
    is_fine, said = evidence_cards._completeness(found)
    assert not is_fine
    assert "95.0 %" in said
    assert "950 of about 1,000; at most 1,020" in said
    assert evidence_cards._completeness(found._replace(arrived=1000))[0]


def test_what_is_refused_does_not_wait_for_a_decision() -> None:
    none = Completeness(0, 0, 0, 0, 0)
    refused = Evidence([HeldBy("listen_spike", "void", 9, 0)], [], none)
    assert evidence_cards._kept_back(refused)[0]
    held = Evidence([HeldBy("listen_spike", "open", 9, 3)], [], none)
    is_fine, said = evidence_cards._kept_back(held)
    assert not is_fine
    assert "12 listens and impressions of this month, by 1 rule." in said
