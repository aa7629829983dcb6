"""The strip that moves while phones report."""

import time
from html import escape

import streamlit as st

from dashboard import clock, data, formats, session
from models.queries.live import Arrivals

EVERY_SECONDS = 1
"""A sync must show within two seconds; the worker needs some of them."""

DRAWN_KEY = "drawn_with"
"""In the session state: events arrived, and the monotonic seconds, when the page was drawn."""

QUIET_AFTER_MS = 60_000
"""Without an event for so long, the dot goes out."""


@st.fragment(run_every=EVERY_SECONDS)
def show(show_id: int) -> None:
    """What arrived today for a show; runs by itself every second while the page is open."""
    if session.current_user() is None:
        # The session ended while the page was open: the frame says so.
        st.rerun(scope="app")
    arrivals = data.arrivals(show_id)
    _redraw_page_when_due(arrivals)
    st.html(strip(arrivals, clock.now_ms()))


def begin(show_id: int) -> int:
    """Note how many events have arrived as the page around the strip is drawn; the number makes cached frames old."""
    events = data.arrivals(show_id).events
    st.session_state[DRAWN_KEY] = (events, time.monotonic())
    return events


def _redraw_page_when_due(arrivals: Arrivals) -> None:
    """Cards and charts follow what arrives, as often as what they read may change."""
    events, drawn_at = st.session_state.get(DRAWN_KEY, (arrivals.events, time.monotonic()))
    if arrivals.events != events and time.monotonic() - drawn_at > data.CACHE_SECONDS:
        st.rerun(scope="app")


def strip(arrivals: Arrivals, now_ms: int) -> str:
    """The strip as HTML."""
    if arrivals.last_received_ms is None:
        return (
            '<div class="es-live" role="status"><span><span class="es-dot es-quiet"></span>'
            "Nothing has arrived today yet. A new day began at 00:00 UTC.</span></div>"
        )
    elapsed_ms = now_ms - arrivals.last_received_ms
    dot = "es-dot" if elapsed_ms < QUIET_AFTER_MS else "es-dot es-quiet"
    late = (
        f'<span class="es-late"><b>{formats.number(arrivals.late_listens)}</b> of them heard on an earlier day</span>'
    )
    parts = [
        f'<span><span class="{dot}"></span>Arrived today</span>',
        f"<span>{_counted(arrivals.listens, 'listen')}</span>",
        late if arrivals.late_listens else "",
        f"<span>{_counted(arrivals.events, 'event')}</span>",
        f'<span class="es-last">Last sync {escape(formats.ago(elapsed_ms))}</span>',
    ]
    return f'<div class="es-live">{"".join(parts)}</div>'


def _counted(amount: int, noun: str) -> str:
    return f"<b>{formats.number(amount)}</b> {noun}{'' if amount == 1 else 's'}"
