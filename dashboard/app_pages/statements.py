"""The admins' desk: what waits for a decision, all statements, closing a month, and payment orders."""

from collections import defaultdict
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import evidence_cards, formats, money, order_cards, statement_data, statement_forms, tables
from dashboard import statement_tables as shown
from dashboard.statement_data import Listed, payable_cents, step_of
from models.tables import User

ALL = "All"
STATES = {ALL: None, **{word: state for state, (_, word) in money.BADGES.items()}}


def render(user: User, one_statement: st.Page | None, all_holds: st.Page | None) -> None:
    """The whole page; a click on a month opens `one_statement`."""
    st.title("Statements")
    waiting = statement_data.waiting()
    everything = statement_data.standing(user)
    holds = statement_data.open_holds()
    _cards(waiting, holds)
    if all_holds is not None and holds:
        st.page_link(all_holds, label="Look at what is held back", icon=":material/arrow_forward:")
    _queue(waiting, bool(everything))
    if everything:
        _all(everything)
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, key="card-close", height="stretch"):
        st.subheader("Close a month")
        statement_forms.close_month()
    with right, st.container(border=True, key="card-batch", height="stretch"):
        order_cards.new_order([row for row in waiting if step_of(row.statement) == "pay"])
    order_cards.made_orders()
    _open(one_statement)


def _cards(waiting: Sequence[Listed], holds: int) -> None:
    steps = [step_of(row.statement) for row in waiting]
    payable = [row.statement for row in waiting if step_of(row.statement) == "pay"]
    sums: dict[str, int] = defaultdict(int)
    for row in payable:
        sums[row.currency] += payable_cents(row)
    to_pay = " · ".join(money.said(cents, currency) for currency, cents in sorted(sums.items()))
    cards = (
        ("To approve", formats.number(steps.count("approve")), "drafts"),
        ("To pay", formats.number(steps.count("pay")), to_pay or "nothing is approved and unpaid"),
        ("Held", formats.number(steps.count("release")), "statements, until somebody releases them"),
        ("Open holds", formats.number(holds), "findings of fraud rules"),
    )
    evidence_cards.draw_cards("queue", cards)


def _queue(waiting: Sequence[Listed], is_any: bool) -> None:
    with st.container(border=True, key="card-queue"):
        st.subheader("Waiting for a decision")
        if not waiting and is_any:
            st.write("Nothing: every statement is paid, void or carried over. Close the next month when it is over.")
            return
        if not waiting:
            st.write(
                "There are no statements yet. Give the shows [rate plans](/rates), then close a month that is over: a "
                "statement for each creator is drafted from what was counted."
            )
            return
        st.caption("The oldest first. Choose a month to see the evidence, and to decide.")
        table = shown.statements(waiting)
        table.insert(5, "step", [shown.STEPS[step_of(row.statement)] for row in waiting])
        columns = shown.statement_columns(is_admin=True, key=shown.OPEN_KEY)
        st.dataframe(
            table.drop(columns=["reference", "drafted"]), hide_index=True, height=tables.height(table),
            row_height=tables.ROW_PIXELS, column_config=columns,
        )  # fmt: skip
        _remember(table, shown.OPEN_KEY)


def _all(rows: Sequence[Listed]) -> None:
    with st.container(border=True, key="card-all"):
        st.subheader("All statements")
        state = st.segmented_control("State", list(STATES), default=ALL, required=True, key="statements-state")
        chosen = [row for row in rows if STATES[state or ALL] in (None, row.statement.state)]
        if not chosen:
            st.write("There is none in this state.")
            return
        table = shown.statements(chosen)
        columns = shown.statement_columns(is_admin=True, key=shown.OPEN_ALL_KEY)
        st.dataframe(
            table, hide_index=True, height=tables.height(table), row_height=tables.ROW_PIXELS, column_config=columns
        )
        _remember(table, shown.OPEN_ALL_KEY)


def _remember(table: pd.DataFrame, key: str) -> None:
    click = st.session_state.get(key)
    if click is not None:
        st.session_state["statement-chosen"] = table["uuid"].iloc[click["row"]]


def _open(one_statement: st.Page | None) -> None:
    chosen = st.session_state.pop("statement-chosen", None)
    if chosen is not None and one_statement is not None:
        st.switch_page(one_statement, query_params={"statement": chosen})
