"""IAB downloads of one show: what servers saw, beside the listens that players report."""

import streamlit as st

from dashboard import data, download_cards, filters
from dashboard.app_pages import empty
from models.queries.downloads import Of
from models.tables import User


def render(user: User, one_episode: st.Page) -> None:
    """The whole page."""
    st.title("Downloads")
    shows = data.shows(user)
    if not shows:
        empty.no_shows(user)
        return
    scope = filters.choose(shows)
    if scope.show.feed_url is not None:
        download_cards.hosted_elsewhere(scope.show)
    download_cards.show_all(scope.show, Of(data.key(scope.show)), scope.period, one_episode)
