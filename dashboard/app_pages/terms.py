"""What a creator is paid and where to; for admins the rate plans of all shows."""

import streamlit as st

from dashboard import clock, data, earnings_data, earnings_tables, formats, tables, terms_forms
from models.tables import Role, User


def render(user: User) -> None:
    """A creator's page: rate plans of her shows, and her bank account."""
    st.title("Terms and bank account")
    _plans(user)
    with st.container(border=True, key="card-payee"):
        st.subheader("Bank account")
        payee = earnings_data.payee(user)
        if payee is None:
            st.write("None is known yet. Without one nothing can be paid out to you.")
        else:
            st.caption(f"Since {formats.day(payee.updated_at.date())}. Only you see all of it.")
        terms_forms.bank_account(payee)


def render_for_admin(user: User) -> None:
    """The admins' page: all rate plans, and the form for a new one."""
    st.title("Rate plans")
    _plans(user)
    with st.container(border=True, key="card-new-plan"):
        st.subheader("Add a rate plan")
        shows = data.shows(user)
        if not shows:
            st.write("There are no shows yet. As soon as a creator makes one, it can have a plan.")
            return
        st.caption(
            "It holds from its first day on until the show's next plan begins. Plans are never changed: what was "
            "settled keeps its price."
        )
        terms_forms.new_plan(shows)


def _plans(user: User) -> None:
    is_admin = user.role == Role.ADMIN
    rows = earnings_data.plans(user)
    with st.container(border=True, key="card-plans"):
        st.subheader("Rate plans")
        planned = {row.show.id for row in rows}
        without = [show.title for show in data.shows(user) if show.id not in planned]
        if rows:
            table = earnings_tables.plans(rows, clock.today())
            st.dataframe(
                table, hide_index=True, height=tables.height(table), row_height=tables.ROW_PIXELS,
                column_config=earnings_tables.plan_columns(is_admin=is_admin),
            )  # fmt: skip
        elif not without:
            st.write("There are no shows yet." if is_admin else "You have no shows yet.")
        if without:
            ask = "Add one below." if is_admin else "Ask whoever runs this server for one."
            names = formats.plain(", ".join(without))
            st.write(f"Without a plan, so that nothing of them is paid yet: {names}. {ask}")
