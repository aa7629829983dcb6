"""What a page says when there is nothing to show yet: the next step, ready to be copied."""

import shlex
from datetime import date

import streamlit as st

from dashboard import formats, settings
from models.periods import Period
from models.tables import Role, Show, User


def no_shows(user: User) -> None:
    """An account without shows."""
    with st.container(border=True, key="card-empty"):
        if user.role == Role.ADMIN:
            st.subheader("There are no shows yet")
            st.write("As soon as a creator makes one, you see it here.")
        else:
            st.subheader("Make your first show")
            st.write(
                "Your shows are made over the API. You got an API key together with your password; put it in place."
            )
        st.code(_make_show(), language="bash")
        st.write("The answer has the show's `id`. This page has the next step as soon as the show is there.")


def no_episodes(show: Show) -> None:
    """A show without episodes."""
    with st.container(border=True, key="card-empty"):
        if show.feed_url is not None:
            st.subheader("There are no episodes yet")
            st.write("This show is hosted elsewhere. Its episodes are brought here from its feed:")
            st.code(f"earshot import-feed {shlex.quote(show.feed_url)}", language="bash")
            return
        st.subheader("Add the first episode")
        st.write("Three calls: make it, send the recording, publish. The first answer has the episode's `id`.")
        st.code(_make_episode(show), language="bash")
        feed(show)


def not_heard(show: Show) -> None:
    """Episodes, but no playback in the period."""
    st.write("Nobody was heard listening in these days. Choose a longer period, or share the feed:")
    feed(show)


def no_downloads(show: Show, last_day: date | None, period: Period) -> None:
    """Nobody asked for audio in these days, or ever."""
    with st.container(border=True, key="card-empty"):
        if last_day is not None:
            st.subheader("No requests in these days")
            days = f"the last {period.days} days"
            st.write(f"Nobody has asked for audio during {days}; the last time was on {formats.day(last_day)}.")
            return
        st.subheader("No downloads yet")
        if show.feed_url is None:
            st.write("Publish an episode: as soon as podcast apps fetch it, its downloads are here. The feed for them:")
            feed(show)
            st.write("What was served elsewhere, by a CDN for example, is counted from its access log:")
        else:
            st.write(
                "This show is hosted elsewhere. Its downloads are counted from the access logs of its host or CDN:"
            )
        st.code("earshot import-logs access.log.gz", language="bash")


def feed(show: Show) -> None:
    """The address that podcast apps subscribe to."""
    if show.feed_url is not None:
        st.caption("The feed, at the show's own host: here only its downloads are counted, from access logs")
        st.code(show.feed_url, language=None)
        return
    st.caption("The feed, for podcast apps and directories")
    st.code(f"{settings.current().resolved_base_url()}/feeds/{show.slug}.xml", language=None)


def _make_show() -> str:
    return f"""EARSHOT_KEY=...   # your API key
curl -X POST {settings.current().resolved_base_url()}/v1/shows \\
  -H "Authorization: Bearer $EARSHOT_KEY" -H "Content-Type: application/json" \\
  -d '{{"title": "My show", "slug": "my-show", "description": "What it is about", "language": "en"}}'"""


def _make_episode(show: Show) -> str:
    base = settings.current().resolved_base_url()
    return f"""EARSHOT_KEY=...   # your API key
curl -X POST {base}/v1/shows/{show.uuid}/episodes \\
  -H "Authorization: Bearer $EARSHOT_KEY" -H "Content-Type: application/json" \\
  -d '{{"title": "The first one", "description": "What it is about"}}'
EPISODE=...       # the "id" from the answer
curl -X PUT {base}/v1/episodes/$EPISODE/audio \\
  -H "Authorization: Bearer $EARSHOT_KEY" -H "Content-Type: audio/mpeg" --data-binary @recording.mp3
curl -X POST {base}/v1/episodes/$EPISODE/publish \\
  -H "Authorization: Bearer $EARSHOT_KEY" -H "Content-Type: application/json" -d '{{}}'"""
