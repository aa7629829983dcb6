"""The audit trail, for admins: who did what to money, when and why."""

from datetime import timedelta

import streamlit as st

from dashboard import clock, ledger_data, tables, trail_texts
from dashboard import ledger_tables as shown
from dashboard.app_pages.ledger import page_on

ALL = "All"
EVERYBODY = "Everybody"
SPANS = {"7 days": 7, "30 days": 30, "a year": 365, ALL: None}


def render() -> None:
    """The whole page."""
    st.title("Audit trail")
    st.caption("Who did what to money, and why. Entries are only ever added.")
    people = {actor.email: actor.id for actor in ledger_data.actors()}
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    subject = left.selectbox("What", [ALL, *trail_texts.SUBJECTS], format_func=_subject, key="trail-subject")
    person = middle.selectbox("Who", [EVERYBODY, *people], key="trail-person")
    with right:
        span = st.segmented_control("When", list(SPANS), default=ALL, required=True, key="trail-span")
    days = SPANS[span or ALL]
    since = clock.now() - timedelta(days=days) if days is not None else None
    chosen = None if subject in (ALL, None) else subject
    key = f"trail-before-{chosen}-{person}-{span}"
    rows = ledger_data.trail(chosen, people.get(person or EVERYBODY), since, st.session_state.get(key))
    with st.container(border=True, key="card-trail"):
        if not rows:
            st.write(
                "Nothing was done like that. Every approval, payment, hold, rate plan and change of a campaign is "
                "written here."
            )
            return
        table = shown.trail(rows)
        st.dataframe(table, hide_index=True, height=tables.height(table), column_config=shown.trail_columns())
        page_on(key, rows[-1].entry.id if len(rows) == ledger_data.PAGE else None)


def _subject(name: str) -> str:
    return trail_texts.SUBJECTS.get(name, name)
