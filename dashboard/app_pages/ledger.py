"""The ledger, for admins: what each account comes to, and the bookings behind it."""

import streamlit as st

from dashboard import formats, ledger_data, money, tables
from dashboard import ledger_tables as shown
from models.queries.ledger import Balance

ACCOUNT = "account"


def render() -> None:
    """The whole page; `?account=` narrows the bookings to one account."""
    st.title("Ledger")
    st.caption("Double entry: every booking comes to zero. Nothing is ever changed or deleted; a mistake is reversed.")
    rows = ledger_data.balances()
    if not rows:
        with st.container(border=True, key="card-empty"):
            st.subheader("Nothing is booked yet")
            st.write("Close a month on the page Statements, then approve a statement: that is the first booking.")
        return
    _accounts(rows)
    _bookings({balance.account: name for balance, name in rows})


def _accounts(rows: list[tuple[Balance, str]]) -> None:
    with st.container(border=True, key="card-accounts"):
        st.subheader("Accounts")
        together = shown.sums(rows)
        said = ", ".join(money.said(cents, currency) for currency, cents in together.items())
        kind = "es-fails" if any(together.values()) else "es-holds"
        st.html(f'<p class="es-verdict {kind}">All accounts together: <b>{said}</b></p>')
        table = shown.accounts(rows)
        st.dataframe(
            table, hide_index=True, height=tables.height(table), row_height=tables.ROW_PIXELS,
            column_config=shown.account_columns(),
        )  # fmt: skip
        click = st.session_state.get(shown.OPEN_KEY)
        if click is not None:
            st.query_params[ACCOUNT] = str(table["account"].iloc[click["row"]])


def _bookings(names: dict[str, str]) -> None:
    account = st.query_params.get(ACCOUNT)
    account = account if account in names else None
    with st.container(border=True, key="card-bookings"):
        st.subheader("Bookings" if account is None else f"Bookings of {formats.plain(names[account])}")
        if account is not None and st.button("Of all accounts", icon=":material/close:", type="tertiary"):
            del st.query_params[ACCOUNT]
            st.rerun()
        rows = ledger_data.bookings(account, st.session_state.get(f"ledger-before-{account}"))
        table = shown.entries(rows)
        st.dataframe(
            table, hide_index=True, height=tables.height(table), column_config=shown.entry_columns()
        )  # fmt: skip
        page_on(f"ledger-before-{account}", rows[-1].transaction.id if len(rows) == ledger_data.PAGE else None)


def page_on(key: str, oldest: int | None) -> None:
    """Buttons to older and to the newest ones; `oldest` is the number of the last one shown, None when it is the
    first of all."""
    left, right = st.columns(2)
    if oldest is not None and left.button("Older ones", icon=":material/history:", key=f"{key}-older"):
        st.session_state[key] = oldest
        st.rerun()
    if key in st.session_state and right.button("The newest", icon=":material/first_page:", key=f"{key}-newest"):
        del st.session_state[key]
        st.rerun()
