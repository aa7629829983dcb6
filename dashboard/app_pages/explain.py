"""Why each hit of an episode on a day counted or not, for admins."""

from datetime import date
from typing import Any

import streamlit as st

from dashboard import clock, data, download_data, explain_data, explain_tables, filters, formats, outcome_texts, tables
from models.queries.downloads import Of
from models.tables import Show, User

TITLE = "Why hits counted"


def render(user: User) -> None:
    """The whole page."""
    st.title(TITLE)
    st.caption("Every request for an episode's audio on one UTC day, and the path that it took through the rules.")
    shows = data.shows(user)
    if not shows:
        st.write("There are no shows yet, so nothing was asked for.")
        return
    chosen = _choose(shows)
    if chosen is None:
        return
    episode, day = chosen
    key = f"{episode.uuid}-{day}"
    wanted = st.session_state.get(f"outcome-{key}")
    answer = explain_data.hits(str(episode.uuid), day, wanted, st.session_state.get(f"page-{key}-{wanted}", 1) - 1)
    if not answer.is_ok:
        st.error(answer.problem)
        return
    if not answer.body["total"]:
        st.write("Nobody asked for this episode on that day. Choose another day.")
        return
    _outcomes(answer.body)
    _hits(answer.body, key, wanted)


def _choose(shows: list[Show]) -> tuple[Any, date] | None:
    left, middle, right = st.columns([2, 3, 1], vertical_alignment="top")
    with left:
        show = filters.choose_show(shows)
    episodes = explain_data.episodes(data.key(show))
    if not episodes:
        st.write("This show has no published episode yet.")
        return None
    with middle:
        episode = episodes[st.selectbox("Episode", list(episodes), key=f"explained-{show.uuid}")]
    last = download_data.last_day(Of(data.key(show), episode.episode_id))
    if last is None:
        st.write("Nobody has asked for this episode's audio yet.")
        return None
    with right:
        day = st.date_input("Day (UTC)", last, max_value=max(last, clock.today()), key=f"day-{episode.uuid}")
    return episode, day


def _outcomes(found: dict[str, Any]) -> None:
    with st.container(border=True, key="card-explained"):
        st.subheader("What became of them")
        cap = formats.number(found["excess_cap"]) if found["excess_cap"] else "none"
        st.caption(
            f"Counted within **{outcome_texts.window_name(found['window'])}**; an address's cap is **{cap}**. Each hit "
            "is a download, or has the first cause why not."
        )
        table = explain_tables.outcomes(found["outcomes"])
        st.dataframe(table, hide_index=True, height="content", column_config=explain_tables.outcome_columns())


def _hits(found: dict[str, Any], key: str, wanted: str | None) -> None:
    with st.container(border=True, key="card-hits-explained"):
        st.subheader("Hits")
        counts = found["outcomes"]
        st.pills(
            "Only those that became",
            list(counts),
            format_func=lambda outcome: f"{outcome_texts.text_of(outcome).title} {formats.number(counts[outcome])}",
            key=f"outcome-{key}",
        )
        pages = explain_data.pages(counts.get(wanted, 0) if wanted else found["total"])
        if pages > 1:
            st.number_input(f"Page, of {pages}", 1, pages, key=f"page-{key}-{wanted}", width=160)
        table = explain_tables.hits(found["hits"])
        event = st.dataframe(
            table,
            hide_index=True,
            height=tables.height(table),
            column_config=explain_tables.hit_columns(),
            on_select="rerun",
            selection_mode="single-row",
            key=f"hits-{key}-{wanted}",
        )
        rows = [row for row in event.selection.rows if row < len(found["hits"])]
    if found["hits"]:
        _path(found["hits"][rows[0] if rows else 0], is_chosen=bool(rows))


def _path(hit: dict[str, Any], *, is_chosen: bool) -> None:
    with st.container(border=True, key="card-path"):
        st.subheader("Its path through the rules" if is_chosen else "The first one's path through the rules")
        st.markdown(explain_tables.summary(hit))
        st.html(explain_tables.path(hit))
        if not is_chosen:
            st.caption("Tick another row above to see that hit's path.")
