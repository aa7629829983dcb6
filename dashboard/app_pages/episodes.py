"""All episodes of a show, and the way to each one's own page."""

import streamlit as st

from dashboard import data, download_cards, filters, formats, tables
from dashboard.app_pages import empty
from models.queries.downloads import Of
from models.tables import Show, User


def render(user: User, one_episode: st.Page) -> None:
    """The table; a click on a title opens `one_episode`."""
    st.title("Episodes")
    shows = data.shows(user)
    if not shows:
        empty.no_shows(user)
        return
    scope = filters.choose(shows)
    show_id, period = data.key(scope.show), scope.period
    frame = data.episodes(show_id, period.first, period.last)
    if frame.empty:
        empty.no_episodes(scope.show)
        return
    if scope.show.feed_url is not None:
        download_cards.hosted_elsewhere(scope.show)
        download_cards.show_episodes(Of(show_id), period, one_episode)
        _feed(scope.show)
        return
    table = tables.episodes(frame, data.trends(show_id, period.first, period.last))
    st.caption(f"Counted in the last {period.days} days (UTC). Choose a title to open its own page.")
    st.dataframe(
        table.drop(columns=["uuid"]),
        hide_index=True,
        height=tables.height(table),
        placeholder=formats.DASH,
        row_height=tables.ROW_PIXELS,
        column_config=tables.episode_columns(),
    )
    click = st.session_state.get(tables.OPEN_KEY)
    if click is not None:
        st.switch_page(one_episode, query_params={"episode": str(table["uuid"].iloc[click["row"]])})
    _feed(scope.show)


def _feed(show: Show) -> None:
    with st.container(border=True, key="card-feed"):
        empty.feed(show)
