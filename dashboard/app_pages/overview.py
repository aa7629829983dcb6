"""What was heard of one show, and what is arriving now."""

import pandas as pd
import streamlit as st

from dashboard import cards, charts, data, day_chart, download_cards, filters, lag_card, live_strip
from dashboard.app_pages import empty
from models import metrics
from models.queries.downloads import Of
from models.tables import User

CARDS = (metrics.LISTENS, metrics.HEARD_SECONDS, metrics.OFFLINE_SHARE, metrics.COMPLETION_RATE)
TOP = 8


def render(user: User, one_episode: st.Page) -> None:
    """The whole page; of a show hosted elsewhere, its downloads."""
    st.title("Overview")
    shows = data.shows(user)
    if not shows:
        empty.no_shows(user)
        return
    scope = filters.choose(shows)
    show_id, period = data.key(scope.show), scope.period
    if scope.show.feed_url is not None:
        download_cards.hosted_elsewhere(scope.show)
        download_cards.show_all(scope.show, Of(show_id), period, one_episode)
        if not data.days(show_id, period.first, period.last)["starts"].any():
            return
        st.header("Listens, of apps that report them")
    arrived = live_strip.begin(show_id)
    live_strip.show(show_id)
    before = period.before()
    days = data.days(show_id, period.first, period.last, arrived)
    episodes = data.episodes(show_id, period.first, period.last, arrived)
    if episodes.empty:
        empty.no_episodes(scope.show)
        return
    cards.row(CARDS, days, data.days(show_id, before.first, before.last), period)
    day_chart.show(days, data.growing_days(show_id, period.first, period.last, arrived))
    with st.container(border=True, key="card-top"):
        _top(scope, episodes[episodes["listens"] > 0].head(TOP))
    lag_card.show(data.lags_of_show(show_id))


def _top(scope: filters.Scope, heard: pd.DataFrame) -> None:
    st.subheader("Most heard episodes")
    if heard.empty:
        empty.not_heard(scope.show)
        return
    st.caption(f"Listens in the last {scope.period.days} days.")
    st.plotly_chart(charts.top_episodes(heard), theme=None, config=charts.CONFIG, alt="Listens per episode")
