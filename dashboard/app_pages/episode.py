"""One episode's own page."""

import streamlit as st

from dashboard import (
    cards,
    charts,
    clock,
    data,
    day_chart,
    download_cards,
    filters,
    formats,
    provisional,
    retention,
    retention_chart,
    settings,
    tables,
)
from dashboard.app_pages import empty
from models import metrics
from models.media_types import media_path
from models.periods import Period
from models.queries.downloads import Of
from models.tables import Episode, Show, User

CARDS = (
    metrics.STARTS,
    metrics.LISTENS,
    metrics.OFFLINE_SHARE,
    metrics.COMPLETION_RATE,
    metrics.HEARD_SECONDS,
)


def render(user: User, all_episodes: st.Page) -> None:
    """The page of the episode that the address names with `?episode=`, if it is of one of the user's shows."""
    found = data.episode(user, st.query_params.get("episode", ""))
    if st.button("All episodes", icon=":material/arrow_back:", type="tertiary"):
        # Without parameters of its own, the switch would clear those that a widget is bound to, and that is refused.
        st.switch_page(all_episodes, query_params={"show": found[1].title} if found else {})
    if found is None:
        st.title("No such episode")
        st.write("It is not among your shows, or it was deleted.")
        return
    episode, show = found
    st.title(formats.plain(episode.title))
    st.caption(formats.plain(_about(episode, show.title)))
    period = filters.choose_period()
    of = Of(data.key(show), data.key(episode))
    if show.feed_url is None:
        _heard(episode, show, period)
        download_cards.show_episode(show, of, period)
    else:
        download_cards.hosted_elsewhere(show)
        download_cards.show_episode(show, of, period)
        if data.days_of_episode(data.key(episode), period.first, period.last)["starts"].any():
            st.header("Listens, of apps that report them")
            _heard(episode, show, period)
    with st.container(border=True, key="card-share"):
        if show.feed_url is None:
            _share(episode)
        empty.feed(show)


def _heard(episode: Episode, show: Show, period: Period) -> None:
    before = period.before()
    episode_id = data.key(episode)
    days = data.days_of_episode(episode_id, period.first, period.last)
    cards.row(CARDS, days, data.days_of_episode(episode_id, before.first, before.last), period)
    growing = data.growing_days(data.key(show), period.first, period.last)
    day_chart.show(days, provisional.shares_only(growing), episode.published_at)
    with st.container(border=True, key="card-retention"):
        _retention(data.retention_of_episode(episode_id))


def _about(episode: Episode, show_title: str) -> str:
    published = formats.publication(episode.published_at, clock.now())
    parts = [show_title, published]
    if episode.duration_ms is not None:
        parts.append(formats.duration(episode.duration_ms))
    return " · ".join(parts)


def _share(episode: Episode) -> None:
    if episode.audio_sha256 is None:
        st.write("This episode has no recording yet. Send one with `PUT /v1/episodes/{id}/audio`.")
        return
    is_public = episode.published_at is not None and episode.published_at <= clock.now()
    st.caption("The recording, as players fetch it" if is_public else "The recording's address, once it is published")
    path = media_path(episode.uuid, episode.audio_type)
    st.code(f"{settings.current().resolved_base_url()}{path}", language=None)


def _retention(course: retention.Course) -> None:
    st.subheader(metrics.RETENTION.title, help=metrics.RETENTION.definition)
    if not course.is_heard:
        st.write("Nobody was heard playing this yet. As soon as a player reports what was heard, the curve is here.")
        return
    st.caption(retention.caption(course))
    figure = retention_chart.figure(course)
    st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt=retention.alt(course))
    st.markdown(retention.listed(course))
    with st.expander("The curve as a table"):
        st.dataframe(retention.table(course), hide_index=True, column_config=tables.retention_columns())
