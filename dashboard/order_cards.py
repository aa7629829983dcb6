"""Payment orders: what the bank is told to pay, each statement once, and the files to tell it with."""

from collections.abc import Sequence
from typing import NamedTuple, cast

import streamlit as st

from dashboard import calls, formats, money, store, submissions
from dashboard.statement_data import Listed, key, payable_cents
from models.payouts import Payee, PayoutBatch, Statement
from models.queries import batches, payees
from models.tables import User

FORM = "payment-order"
SEPA = "EUR"
MOST = 20
FILES = {"csv": ("CSV", "text/csv"), "xml": ("SEPA, pain.001", "application/xml")}


class Order(NamedTuple):
    """A payment order that was made."""

    batch: PayoutBatch
    by: str
    formats: list[str]
    payments: int
    refused: int
    """Of them, by the bank."""
    cents: int


def orders() -> list[Order]:
    """The last ones, the newest first."""
    with store.read() as session:
        found = batches.list_batches(session, limit=MOST)
        numbers = [cast("int", made.id) for made, _ in found]
        exported, files = batches.list_exported(session, numbers), batches.list_formats(session, numbers)
    return [
        Order(
            made,
            user.email,
            files[number],
            len(exported[number]),
            sum(row.export.released_at is not None for row in exported[number]),
            sum(row.export.cents for row in exported[number]),
        )
        for number, (made, user) in zip(numbers, found, strict=True)
    ]


def to_order(currency: str) -> list[tuple[Statement, User, Payee | None]]:
    """What is approved, pays something, and is in no order yet."""
    with store.read() as session:
        return payees.list_payable(session, currency, None)


def is_ordered(statement: Statement) -> bool:
    """Whether a payment order tells the bank to pay it."""
    with store.read() as session:
        return batches.get_standing(session, key(statement)) is not None


def new_order(payable: Sequence[Listed]) -> None:
    """Make one of all that is approved, and in none yet."""
    st.subheader("Payment orders")
    submissions.tell(FORM)
    waiting = {currency: to_order(currency) for currency in sorted({row.statement.currency for row in payable})}
    currencies = [currency for currency, rows in waiting.items() if rows]
    if not currencies:
        st.write(
            "Every approved statement is in an order already: once the bank has paid, mark each as paid."
            if payable
            else "No approved statement waits for a payment. Approve one; then its transfer is put into an order."
        )
        return
    currency = st.selectbox("Currency", currencies, format_func=money.currency_name, key="order-currency")
    rows = waiting[currency]
    total = sum(payable_cents(row) for row, _, _ in rows)
    st.markdown(f"**{len(rows):,}** {'transfer' if len(rows) == 1 else 'transfers'}, {money.said(total, currency)}.")
    missing = sorted({user.email for _, user, payee in rows if payee is None})
    if missing:
        names = formats.plain(", ".join(missing))
        st.warning(f"No bank account is known of {names}. It is written under “Terms and account”.")
        return
    drawn = submissions.nonce(FORM)
    with st.form(f"form-{FORM}-{drawn}", border=False, enter_to_submit=False):
        if currency == SEPA:
            st.checkbox("Only a CSV, no file for the bank (SEPA)", key=submissions.field(FORM, "csv"))
        st.form_submit_button("Make the payment order", on_click=_make, args=(drawn, currency))


def _make(drawn: str, currency: str) -> None:
    body = {"currency": currency, "csv_only": bool(submissions.value(FORM, drawn, "csv"))}
    done = "The order is made. Take its file to the bank, and mark the statements as paid once it has paid."
    submissions.send(FORM, drawn, "POST", "/v1/payouts/batches", body, done)


def made_orders() -> None:
    """The orders that were made, with their files."""
    found = orders()
    if not found:
        return
    with st.container(border=True, key="card-orders"):
        st.subheader("Orders that were made")
        st.caption("The files are those that were made then, byte for byte.")
        for order in found:
            _order(order)


def _order(order: Order) -> None:
    made = order.batch
    left, *others = st.columns([4, 1, 1], vertical_alignment="center")
    refused = f", {order.refused:,} refused by the bank" if order.refused else ""
    payments = f"{order.payments:,} {'payment' if order.payments == 1 else 'payments'}{refused}"
    left.markdown(
        f"**{money.said(order.cents, made.currency)}** · {payments} · {formats.day(made.made_at.date())}, "
        f"{made.made_at:%H:%M} UTC, by {formats.plain(order.by)}"
    )
    for column, ending in zip(others, order.formats, strict=False):
        name, mime = FILES.get(ending, (ending.upper(), "application/octet-stream"))
        column.download_button(
            name, calls.file(f"/v1/payouts/batches/{made.uuid}.{ending}"),
            f"payouts-{made.currency}-{made.made_at:%Y-%m-%d}-{str(made.uuid)[:8]}.{ending}", mime, on_click="ignore",
            key=f"file-{made.uuid}-{ending}",
        )  # fmt: skip
