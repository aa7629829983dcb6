"""Forms that move money on: close a month; approve, hold, release, void and pay a statement. What is wrong, the API
says; where somebody was faster, it says who did what."""

from datetime import timedelta
from typing import Any

import streamlit as st

from dashboard import clock, formats, order_cards, submissions
from dashboard.statement_data import Detail, month
from models.payouts import Statement, StatementState
from models.tables import User

CLOSE = "close-month"
MONTHS = 6
"""That the form offers, the last one that is over first."""
DONE = {
    "approve": "Approved. The amounts are booked.",
    "hold": "Held. Nothing happens to it until somebody releases or voids it.",
    "release": "Released: it is where it was before.",
    "void": "Void. What was booked is reversed, and the next close of its month pays its days anew.",
    "pay": "Paid, and booked.",
}


def close_month() -> None:
    """Draft the statements of a month that is over."""
    submissions.tell(CLOSE)
    drawn = submissions.nonce(CLOSE)
    with st.form(f"form-{CLOSE}-{drawn}", border=False, enter_to_submit=False):
        months = months_over()
        st.selectbox("Month", list(months), format_func=months.get, key=submissions.field(CLOSE, "month"))
        st.caption(
            "Drafts a statement for each creator and currency that has none of this month. Those that stand are not "
            "changed. You cannot approve what you drafted."
        )
        st.form_submit_button("Close the month", on_click=_close, args=(drawn,))


def months_over() -> dict[str, str]:
    """`2026-10` -> `October 2026`, the last one that is over first."""
    found: dict[str, str] = {}
    first = clock.today().replace(day=1)
    for _ in range(MONTHS):
        first = (first - timedelta(days=1)).replace(day=1)
        found[f"{first:%Y-%m}"] = month(first)
    return found


def _close(drawn: str) -> None:
    wanted = submissions.value(CLOSE, drawn, "month")
    done = f"{months_over().get(wanted, wanted)} is closed. Its statements are in the list."
    submissions.send(CLOSE, drawn, "POST", "/v1/payouts/close", {"month": wanted}, done)


def form_of(statement: Statement) -> str:
    """The one form of a statement: after any step all its fields are empty again."""
    return f"statement-{statement.uuid}"


def decide(detail: Detail, user: User) -> None:
    """What may be done with a statement in its present state."""
    statement = detail.statement
    submissions.tell(form_of(statement))
    draw = {
        StatementState.DRAFT: _draft,
        StatementState.APPROVED: _approved,
        StatementState.HELD: _held,
        StatementState.PAID: _paid,
        StatementState.VOID: _void,
    }[StatementState(statement.state)]
    draw(detail, user)


def _draft(detail: Detail, user: User) -> None:
    if detail.statement.creator_id == user.id:
        st.write("It pays you, so another admin approves it.")
    elif detail.statement.drafted_by is not None and detail.statement.drafted_by == user.id:
        st.write("You drafted it, so another admin approves it.")
    else:
        st.write("Approving books the amounts: the creator is owed them from then on.")
        _step(detail.statement, "approve", "Approve", is_primary=True)
    _hold(detail.statement)
    _refuse(detail.statement)


def _approved(detail: Detail, user: User) -> None:
    st.write(f"Approved by {formats.plain(detail.who(detail.statement.approved_by))}.")
    if detail.into is not None:
        st.write(f"Its amount is in the statement of {month(detail.into.month)}: pay or void that one.")
        return
    if detail.statement.is_carried:
        st.write("It is carried over: the next statement brings its amount forward.")
    elif detail.statement.creator_id == user.id:
        st.write("It pays you, so another admin marks it as paid.")
    else:
        _step(
            detail.statement, "pay", "Mark as paid", is_primary=True, field="reference",
            label="Reference of the payment", limit=140,
        )  # fmt: skip
    _hold(detail.statement)
    _refuse(detail.statement)


def _held(detail: Detail, user: User) -> None:
    st.write(f"Held: {formats.plain(detail.statement.reason)}")
    if detail.statement.creator_id == user.id:
        st.write("It pays you, so another admin releases it.")
    else:
        _step(detail.statement, "release", "Release", is_primary=True, field="reason", label="Why it may go on")
    _refuse(detail.statement)


def _paid(detail: Detail, user: User) -> None:
    row = detail.statement
    when = formats.day(row.paid_at.date()) if row.paid_at else formats.DASH
    st.write(f"Paid on {when} by {formats.plain(detail.who(row.paid_by))}, {formats.plain(row.paid_reference)}.")
    st.write("Nothing more can be done with it; a correction comes with a later statement.")


def _void(detail: Detail, user: User) -> None:
    st.write(f"Void: {formats.plain(detail.statement.reason)}")
    st.write("Close its month again to draft another one.")


def _hold(statement: Statement) -> None:
    with st.expander("Hold it", icon=":material/pause_circle:"):
        _step(statement, "hold", "Hold", field="reason", label="Why it has to wait", is_stopping=True)


def _refuse(statement: Statement) -> None:
    with st.expander("Void it", icon=":material/block:"):
        _step(statement, "void", "Void", field="reason", label="Why it should never have been", is_stopping=True)


def _step(
    statement: Statement,
    step: str,
    title: str,
    *,
    is_primary: bool = False,
    field: str = "",
    label: str = "",
    limit: int = 500,
    is_stopping: bool = False,
) -> None:
    form = form_of(statement)
    drawn = submissions.nonce(form)
    with st.form(f"form-{step}-{form}-{drawn}", border=False, enter_to_submit=False):
        if field:
            st.text_input(label, key=submissions.field(form, f"{step}-{field}"), max_chars=limit)
        if is_stopping and statement.state == StatementState.APPROVED and order_cards.is_ordered(statement):
            st.checkbox(
                "The bank refused it, or was never sent the payment order that it is in",
                key=submissions.field(form, f"{step}-refused"),
            )
        # What was on the page when it was drawn: whoever changed the statement since then is named.
        arguments = (form, drawn, str(statement.uuid), statement.revision, step, field, label)
        kind: Any = "primary" if is_primary else "secondary"
        st.form_submit_button(title, type=kind, on_click=_send, args=arguments)


def _send(form: str, drawn: str, uuid: str, revision: int, step: str, field: str, label: str) -> None:
    body: dict[str, Any] = {"revision": revision}
    if field:
        text = (submissions.value(form, drawn, f"{step}-{field}") or "").strip()
        if not text:
            submissions.refuse(form, f"Write something under “{label}”: it stays in the audit trail.")
            return
        body[field] = text
    if submissions.value(form, drawn, f"{step}-refused"):
        body["bank_refused"] = True
    submissions.send(form, drawn, "POST", f"/v1/statements/{uuid}/{step}", body, DONE[step])
