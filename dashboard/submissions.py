"""Forms that write over HTTP, once each: a second click on the same form is answered as the first one was."""

import json
from typing import Any
from uuid import UUID, uuid4, uuid5

import streamlit as st

from dashboard import calls

REFUSED_HERE = 422


def nonce(form: str) -> str:
    """What tells this drawing of a form from the next: a form is drawn anew, empty, once the API did as it asked."""
    return str(st.session_state.setdefault(f"nonce-{form}", str(uuid4())))


def field(form: str, name: str) -> str:
    """The key of a widget in this drawing of a form."""
    return f"{form}-{name}-{nonce(form)}"


def value(form: str, drawn: str, name: str) -> Any:
    """What a widget of that drawing of a form says."""
    return st.session_state.get(f"{form}-{name}-{drawn}")


def key_of(drawn: str, method: str, path: str, body: dict[str, Any] | None) -> str:
    """The Idempotency-Key of what was filled in: the same for a second click, another for another text."""
    return str(uuid5(UUID(drawn), f"{method} {path} {json.dumps(body, sort_keys=True)}"))


def send(form: str, drawn: str, method: str, path: str, body: dict[str, Any] | None, done: str) -> calls.Answer:
    """Ask the API; `done` is what the next run of the page says when it did as asked."""
    answer = calls.ask(method, path, body, key=key_of(drawn, method, path, body))
    if not answer.is_ok:
        _keep(form, answer, "")
        return answer
    _keep(form, answer, str(answer.body.get("message") or done))
    if st.session_state.get(f"nonce-{form}") == drawn:
        st.session_state[f"nonce-{form}"] = str(uuid4())
    return answer


def refuse(form: str, problem: str) -> None:
    """Say why nothing was sent."""
    _keep(form, calls.Answer(REFUSED_HERE, {"message": problem}), "")


def tell(form: str) -> None:
    """What came of a form, once."""
    told = st.session_state.pop(f"told-{form}", None)
    if told is None:
        return
    answer, done = told
    if answer.is_ok:
        st.success(done, icon=":material/check_circle:")
    else:
        st.error(answer.problem, icon=":material/error:")


def _keep(form: str, answer: calls.Answer, done: str) -> None:
    st.session_state[f"told-{form}"] = (answer, done)
