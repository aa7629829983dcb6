"""The words and tables of money pages, from values alone."""

from datetime import date
from typing import Any
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
    statement_charts,
    statement_forms,
    statement_tables,
    terms_forms,
    theme,
    trail_texts,
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


SPACE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("name", "detail", "said"),
    [
        (
            "statement.approved",
            {"from": "draft", "to": "approved", "revision": 1, "show": str(uuid4())},
            "Draft → Approved",
        ),
        (
            "rate_plan.created",
            {"currency": "CHF", "listen_price_cents": 2250, "ad_share_bp": 6250, "from_day": "2026-11-01"},
            f"price for 1,000 listens CHF{SPACE}22.50, share of ads 62.5 %, from 1 Nov 2026",
        ),
        (
            "campaign.changed",
            {
                "currency": "EUR",
                "budget_cents": [10_000_000, 2127],
                "daily_cap": [None, 1500],
                "to_day": ["2026-11-01", "2026-12-06"],
            },
            "budget €100,000.00 → €21.27, cap a day none → 1,500, to 1 Nov 2026 → 6 Dec 2026",
        ),
        (
            "placement.created",
            {
                "campaign": str(uuid4()),
                "creative_id": 1,
                "end_ms": 180_000,
                "episode": None,
                "from_day": "2026-11-23",
                "start_ms": 150_000,
            },
            "part 2:30 to 3:00, from 23 Nov 2026",
        ),
        (
            "placement.changed",
            {"end_ms": [180_000, 200_000], "creative_id": [None, 4]},
            "creative changed, end 3:00 → 3:20",
        ),
        (
            "statement.drafted",
            {
                "month": "2026-10",
                "currency": "EUR",
                "total_cents": 398,
                "brought_forward_cents": 0,
                "is_carried": True,
                "inputs_hash": "ab",
            },
            "Oct 2026, total €3.98, carried over",
        ),
        (
            "payee.changed",
            {
                "from": {"name": "Ada", "iban": "DE89…3000", "bic": ""},
                "to": {"name": "Ada", "iban": "FR14…2606", "bic": ""},
            },
            "IBAN FR14…2606",
        ),
        (
            "payout_batch.made",
            {
                "currency": "EUR",
                "month": None,
                "formats": ["csv", "pain.001"],
                "cents": 8900,
                "statements": [str(uuid4()), str(uuid4())],
            },
            "amount €89.00, formats csv, pain.001, statements 2",
        ),
        (
            "hold.released",
            {"rule": "device_farm", "day": "2026-11-01", "from": "open", "to": "released", "reason": "a fair"},
            "a fair · Open → Released",
        ),
    ],
)
def test_a_deed_in_the_trail_is_said_in_words_and_without_ids(name: str, detail: dict[str, Any], said: str) -> None:
    assert trail_texts.why(name, detail) == said


def test_what_an_entry_is_about_is_said_before_what_was_done() -> None:
    assert trail_texts.action("rate_plan.created") == "Rate plan: created"


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
