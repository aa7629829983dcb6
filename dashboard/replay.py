"""The button that has set-aside events judged once more, and what came of it."""

import streamlit as st

from dashboard import calls, formats

TOLD_KEY = "replayed"
"""In the session state: the answer to the last replay and its cause, until the next run of the page tells of it."""


def offer(cause: str, events: int) -> None:
    """The button for a cause; a second one, with what it means, before anything happens."""
    with st.popover("Replay…", icon=":material/replay:", key=f"offer-{cause}"):
        st.write(
            "Each of these events is judged once more, as of the day it came in, with the catalogue as it is now. "
            "Those whose cause is gone are counted, once, on the day they were heard; the others stay here."
        )
        noun = "this event" if events == 1 else f"these {formats.number(events)} events"
        st.button(f"Replay {noun}", type="primary", key=f"replay-{cause}", on_click=_replay, args=(cause,))


def tell() -> None:
    """What came of a replay, once."""
    answer: calls.Answer | None = st.session_state.pop(TOLD_KEY, None)
    if answer is None:
        return
    if not answer.is_ok:
        st.error(answer.problem)
        return
    replayed = answer.body["replayed"]
    if not replayed:
        st.info("Nothing to count: the cause is not gone for any of these events.")
        return
    noun = "event is" if replayed == 1 else "events are"
    st.success(f"{formats.number(replayed)} {noun} with the worker now. The numbers here follow in a moment.")


def _replay(cause: str) -> None:
    st.session_state[TOLD_KEY] = calls.ask("POST", "/v1/pipeline/replay", {"cause": cause})
