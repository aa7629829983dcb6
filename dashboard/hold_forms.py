"""Forms that decide holds. What is wrong, the API says."""

import streamlit as st

from dashboard import submissions
from models.advertising import Hold

LEAST_LETTERS = 3
STEPS = {
    "release": ("Release", "Why it is honest", "Released: what it flagged is paid with the next close."),
    "void": ("Refuse", "Why it is not", "Refused: what it flags is never paid."),
}


def decide(hold: Hold) -> None:
    """Both ways, each with its reason; a decision may be changed by another one."""
    form = f"hold-{hold.uuid}"
    submissions.tell(form)
    drawn = submissions.nonce(form)
    for step, (title, label, _) in STEPS.items():
        if hold.state == {"release": "released", "void": "void"}[step]:
            continue
        with st.form(f"form-{step}-{form}-{drawn}", border=False, enter_to_submit=False):
            st.text_input(label, key=submissions.field(form, step), max_chars=1000)
            st.form_submit_button(title, on_click=_send, args=(form, drawn, str(hold.uuid), step))
    st.caption("The reason stays in the audit trail, and the show's creator reads it.")


def _send(form: str, drawn: str, uuid: str, step: str) -> None:
    reason = (submissions.value(form, drawn, step) or "").strip()
    _, label, done = STEPS[step]
    if len(reason) < LEAST_LETTERS:
        submissions.refuse(form, f"Write under “{label}” what you found, in {LEAST_LETTERS} letters or more.")
        return
    submissions.send(form, drawn, "POST", f"/v1/holds/{uuid}/{step}", {"reason": reason}, done)
