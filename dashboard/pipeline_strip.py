"""The strip on the Pipeline page: how far counting is behind, and how fast it goes, while one looks."""

import time

import streamlit as st

from dashboard import clock, formats, pipeline_data, session
from dashboard.pipeline_data import Lag, Totals
from models.tables import Role

EVERY_SECONDS = 2
REDRAW_SECONDS = 10
"""The tables below follow what is folded no more often than this: somebody may be reading them."""
RATE_SECONDS = 60
"""The rate is that of the last minute, or of as much of it as the page has been open."""
MIN_RATE_SECONDS = 3
SLOW_MS = 60_000
"""From here on waiting is worth an admin's attention."""

READINGS_KEY = "pipeline_readings"
"""In the session state: (Unix ms, events and hits folded by then), oldest first."""
DRAWN_KEY = "pipeline_drawn_with"
"""In the session state: all outcomes, and the monotonic seconds, when the page was drawn."""

Reading = tuple[int, int]


def begin() -> Totals:
    """Note the outcomes that the page around the strip is drawn with."""
    totals = pipeline_data.totals()
    st.session_state[DRAWN_KEY] = (totals, time.monotonic())
    return totals


@st.fragment(run_every=EVERY_SECONDS)
def show() -> None:
    """The strip; runs by itself while the page is open."""
    user = session.current_user()
    if user is None or user.role != Role.ADMIN:
        # The session ended, or the role changed, while the page was open: the frame decides what is next.
        st.rerun(scope="app")
    totals = pipeline_data.totals()
    drawn, drawn_at = st.session_state.get(DRAWN_KEY, (totals, time.monotonic()))
    if totals != drawn and time.monotonic() - drawn_at > REDRAW_SECONDS:
        st.rerun(scope="app")
    folded = sum(events for _, events in totals)
    readings = newest([*st.session_state.get(READINGS_KEY, []), (clock.now_ms(), folded)])
    st.session_state[READINGS_KEY] = readings
    st.html(strip(pipeline_data.read_lag(), rate(readings), clock.now_ms()))


def newest(readings: list[Reading]) -> list[Reading]:
    """Those of the last minute. A store that was put back to an older one begins anew."""
    last_ms, folded = readings[-1]
    return [reading for reading in readings if last_ms - reading[0] <= RATE_SECONDS * 1000 and reading[1] <= folded]


def rate(readings: list[Reading]) -> float | None:
    """Events and hits folded a second between the first reading and the last; None when they are too close."""
    if not readings or readings[-1][0] - readings[0][0] < MIN_RATE_SECONDS * 1000:
        return None
    (first_ms, first), (last_ms, last) = readings[0], readings[-1]
    return (last - first) * 1000 / (last_ms - first_ms)


def strip(lag: Lag | None, per_second: float | None, now_ms: int) -> str:
    """The strip as HTML."""
    if lag is None:
        return _strip("es-dot es-quiet", ["<span>The API does not answer, so the lag is not known.</span>"])
    if lag.records_behind:
        noun = "record waits" if lag.records_behind == 1 else "records wait"
        state = f"<b>{formats.number(lag.records_behind)}</b> {noun}, {_waited(lag.oldest_waiting_ms)}"
    else:
        state = "Nothing waits to be counted"
    pace = "measuring the rate" if per_second is None else f"<b>{formats.number(per_second * 60)}</b> events a minute"
    places = ", ".join(
        f"{'' if len(lag.positions) == 1 else f'{number}: '}{formats.number(offset)} of {formats.number(end)}"
        for number, offset, end in lag.positions
    )
    last = f"Last step {formats.ago(now_ms - lag.last_step_ms)}" if lag.last_step_ms else "The worker has never run"
    return _strip(
        "es-dot" if lag.last_step_ms else "es-dot es-quiet",
        [f"<span>{state}</span>", f"<span>{pace}</span>", f"<span>Offset {places}</span>"],
        last,
    )


def _waited(elapsed_ms: int) -> str:
    """For how long the first of those that wait has done so; long waits in the colour of what is late."""
    text = "less than a second" if elapsed_ms < 1000 else formats.ago(elapsed_ms).removesuffix(" ago")
    return f'<span class="es-late">for {text}</span>' if elapsed_ms >= SLOW_MS else f"for {text}"


def _strip(dot: str, parts: list[str], last: str = "") -> str:
    first, *rest = parts
    first = first.replace("<span>", f'<span><span class="{dot}"></span>', 1)
    end = f'<span class="es-last">{last}</span>' if last else ""
    return f'<div class="es-live es-pipeline">{first}{"".join(rest)}{end}</div>'
