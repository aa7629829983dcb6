"""What fraud rules found: for admins to decide, for a creator what of her shows is not paid and why."""

import streamlit as st

from dashboard import data, formats, hold_cards, hold_data, hold_tables, hold_texts, tables
from models.advertising import HoldState
from models.tables import User

ALL = "All"
STATES = {"Held": HoldState.OPEN, "Refused": HoldState.VOID, "Released": HoldState.RELEASED, ALL: None}


def render(user: User, one_hold: st.Page | None) -> None:
    """The admins' page; a click on a rule opens `one_hold`."""
    st.title("Holds")
    st.caption(
        "What a rule flags is counted, and not paid until somebody has released it. Choose one to see what was found."
    )
    shows = {str(show.uuid): show for show in data.shows(user)}
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    with left:
        state = st.segmented_control("State", list(STATES), default="Held", required=True, key="holds-state")
    rule = middle.selectbox("Rule", [ALL, *hold_texts.RULES], format_func=_rule_name, key="holds-rule")
    show = right.selectbox(
        "Show", [ALL, *shows], format_func=lambda uuid: shows[uuid].title if uuid in shows else uuid, key="holds-show"
    )
    chosen = shows.get(show or ALL)
    wanted = STATES[state or "Held"], None if rule in (ALL, None) else rule, chosen
    rows = hold_data.holds(*wanted)
    with st.container(border=True, key="card-holds"):
        if not rows:
            _nothing(wanted == (HoldState.OPEN, None, None))
            return
        total = hold_data.count(*wanted)
        said = f"the latest {len(rows):,} of {total:,}" if total > len(rows) else f"{total:,}"
        st.subheader(f"Findings: {said}")
        table = hold_tables.holds(rows)
        st.dataframe(
            table, hide_index=True, height=tables.height(table), row_height=tables.ROW_PIXELS,
            column_config=hold_tables.hold_columns(is_admin=True), placeholder=formats.DASH,
        )  # fmt: skip
        click = st.session_state.get(hold_tables.OPEN_KEY)
        if click is not None and one_hold is not None:
            st.switch_page(one_hold, query_params={"hold": table["uuid"].iloc[click["row"]]})
    hold_cards.not_paid(hold_data.kept(rows, user, chosen))


def _rule_name(rule: str) -> str:
    return rule if rule == ALL else hold_texts.title_of(rule)


def _nothing(is_all_decided: bool) -> None:
    if is_all_decided:
        st.write(
            "Nothing waits for a decision. New listening is looked at every five minutes, and once more when a month "
            "is closed."
        )
    else:
        st.write("There is none like that. Choose another state, rule or show.")


def render_for_creator(user: User) -> None:
    """A creator's page: what is kept back of her shows, by which rule, and what was decided."""
    st.title("Held back")
    st.caption(
        "Listening that a rule found strange is counted, and shown everywhere, but not paid until somebody has looked "
        "at it. What is released is paid with the next statement."
    )
    rows = hold_data.of_creator(user)
    with st.container(border=True, key="card-holds"):
        if not rows:
            st.write("Nothing of your shows is held back, and nothing was refused.")
            return
        table = hold_tables.holds(rows)
        st.dataframe(
            table.drop(columns=["devices"]), hide_index=True, height=tables.height(table), row_height=tables.ROW_PIXELS,
            column_config=hold_tables.hold_columns(is_admin=False), placeholder=formats.DASH,
        )  # fmt: skip
    hold_cards.not_paid(hold_data.kept(rows, user))
    with st.container(border=True, key="card-rules"):
        st.subheader("What these rules look for")
        for rule in sorted({row.hold.rule for row in rows}):
            st.markdown(f"**{hold_texts.title_of(rule)}**. {hold_texts.meaning_of(rule)}")
