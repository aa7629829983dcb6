"""One finding of a fraud rule: what was measured, what it keeps back, and what to do."""

import streamlit as st

from dashboard import formats, hold_cards, hold_data, hold_forms, hold_tables, hold_texts, tables
from dashboard.hold_data import HoldDetail
from models.tables import User


def render(user: User, all_holds: st.Page | None) -> None:
    """The page of the hold that the address names with `?hold=`."""
    found = hold_data.detail(user, st.query_params.get("hold", ""))
    if st.button("All holds", icon=":material/arrow_back:", type="tertiary") and all_holds is not None:
        st.switch_page(all_holds)
    if found is None:
        st.title("No such hold")
        st.write("There is none with this address: it may have ended by itself, when the rest of a log arrived.")
        return
    hold = found.row.hold
    st.title(hold_texts.title_of(hold.rule))
    shows = formats.plain(", ".join(found.row.shows)) or "no show any more"
    st.markdown(f"{hold_texts.badge(hold.state)} {formats.day(hold.day)} · {shows}")
    left, right = st.columns([3, 2], gap="small")
    with left, st.container(border=True, key="card-measured", height="stretch"):
        _measured(found)
    with right, st.container(border=True, key="card-decide", height="stretch"):
        st.subheader("Decide")
        hold_forms.decide(hold)
    _flagged(found)
    hold_cards.not_paid(found.kept)
    _decisions(found)


def _measured(found: HoldDetail) -> None:
    st.subheader("What was found")
    st.write(hold_texts.meaning_of(found.row.hold.rule))
    table = hold_tables.measured(found)
    if table.empty:
        st.caption("The finding itself is all there is: nothing is measured.")
        return
    st.dataframe(table, hide_index=True, height="content", column_config=hold_tables.measured_columns())


def _flagged(found: HoldDetail) -> None:
    with st.container(border=True, key="card-flagged"):
        st.subheader("What it flags")
        table = hold_tables.episodes(found)
        if table.empty:
            st.write("Nothing any more: the devices were erased.")
            return
        st.dataframe(
            table, hide_index=True, height=tables.height(table), row_height=tables.ROW_PIXELS,
            column_config=hold_tables.episode_columns(),
        )  # fmt: skip


def _decisions(found: HoldDetail) -> None:
    with st.container(border=True, key="card-decisions"):
        st.subheader("What was decided")
        if not found.decisions:
            st.write("Nothing yet.")
            return
        for made, email in reversed(found.decisions):
            when = f"{formats.day(made.decided_at.date())}, {made.decided_at:%H:%M} UTC"
            state = hold_texts.badge(made.state)
            st.markdown(f"{state} by {formats.plain(email)} on {when}: {formats.plain(made.reason)}")
