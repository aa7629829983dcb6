"""A creator's money: her statements, what is pending, what came late, and what is held."""

from collections import defaultdict
from collections.abc import Sequence

import streamlit as st

from dashboard import earnings_data, earnings_tables, evidence_cards, formats, money, statement_data, tables
from dashboard import statement_tables as shown
from dashboard.earnings_data import Months
from dashboard.statement_data import Listed
from models.payouts import Statement, StatementState
from models.tables import User


def render(user: User, one_statement: st.Page | None, terms: st.Page | None, held: st.Page | None) -> None:
    """The whole page; a click on a month opens `one_statement`."""
    st.title("Earnings")
    rows = statement_data.standing(user)
    found = earnings_data.months(user.id)
    _cards([row.statement for row in rows], found)
    if statement_data.payable_now(rows) and not statement_data.has_payee(user.id or 0):
        st.warning("It is not known yet where your money should go. Add your bank account; then it can be paid.")
        if terms is not None:
            st.page_link(terms, label="Add your bank account", icon=":material/arrow_forward:")
    _statements(rows, one_statement, has_plans=bool(earnings_data.plans(user)))
    _pending(found, held)
    _late(user)


def _cards(rows: Sequence[Statement], found: Months) -> None:
    paid = [row for row in rows if row.state == StatementState.PAID]
    approved = [row for row in rows if row.state == StatementState.APPROVED]
    drafted = [row for row in rows if row.state == StatementState.DRAFT]
    cards = (
        ("Paid", *_said(_sums(paid), _number(len(paid), "statement"))),
        ("Approved", *_said(_sums(approved), "booked as yours; carried over, or paid next")),
        ("Drafted", *_said(_sums(drafted), "somebody has yet to approve it")),
        ("Pending", *_said(found.pending, "counted, and in no statement yet")),
        ("Held", formats.number(found.total.held), "listens and impressions that are being looked at"),
    )
    evidence_cards.draw_cards("earnings", cards)


def _sums(rows: Sequence[Statement]) -> dict[str, int]:
    # Totals alone: what a statement brings forward is the total of another one.
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        sums[row.currency] += row.total_cents
    return sums


def _said(sums: dict[str, int], note: str) -> tuple[str, str]:
    """The largest amount for the card, others below it: they are of other currencies and cannot be added."""
    ordered = sorted(sums.items(), key=lambda item: -item[1])
    if not ordered:
        return formats.DASH, note
    (currency, cents), *others = ordered
    more = "".join(f"and {money.said(amount, other)}; " for other, amount in others)
    return money.said(cents, currency), more + note


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _statements(rows: Sequence[Listed], one_statement: st.Page | None, *, has_plans: bool) -> None:
    with st.container(border=True, key="card-statements"):
        st.subheader("Statements")
        if not rows:
            st.write(
                "None yet. When a month is over it is closed, and you find here what it pays."
                if has_plans
                else "None yet: your shows have no rate plan. Ask whoever runs this server what you are paid."
            )
            return
        st.caption("Choose a month to see its lines, and to take the PDF with you.")
        table = shown.statements(rows)
        st.dataframe(
            table, hide_index=True, height=tables.height(table), row_height=tables.ROW_PIXELS,
            column_config=shown.statement_columns(is_admin=False),
        )  # fmt: skip
        click = st.session_state.get(shown.OPEN_KEY)
        if click is not None and one_statement is not None:
            st.switch_page(one_statement, query_params={"statement": table["uuid"].iloc[click["row"]]})


def _pending(found: Months, held: st.Page | None) -> None:
    with st.container(border=True, key="card-pending"):
        st.subheader("What became of everything that was counted")
        if not found.cells:
            st.write("Nothing was counted yet. As soon as your episodes are heard, it is here.")
            return
        st.caption("Listens and impressions by the month in which they were heard. Each is in exactly one column.")
        table = earnings_tables.months(found)
        st.dataframe(table, hide_index=True, height=tables.height(table), column_config=earnings_tables.month_columns())
        for title, number in earnings_tables.held_by_rule(found):
            st.markdown(f":orange-badge[Held] **{title}** · {formats.number(number)}")
        if found.total.held and held is not None:
            st.page_link(held, label="What is held, and why", icon=":material/arrow_forward:")


def _late(user: User) -> None:
    with st.container(border=True, key="card-late"):
        st.subheader("What came late")
        rows = statement_data.late(user)
        if not rows:
            st.write(
                "Nothing yet. Phones that were offline report days later; what arrives after its month was closed is "
                "paid with the next statement, and listed here."
            )
            return
        st.caption("Heard in a month that was closed already, and paid with a later statement.")
        table = shown.late_lines(rows)
        st.dataframe(
            table, hide_index=True, height=tables.height(table), row_height=tables.ROW_PIXELS,
            column_config=shown.late_columns(),
        )  # fmt: skip
