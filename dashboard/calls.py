"""Asks the API as whoever is signed in: for every write, and for the little that only the API can see."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from dashboard import session, settings

TIMEOUT_SECONDS = 30
FILE_SECONDS = 300
"""For what reads log and archive."""


class NoFileError(Exception):
    """A file could not be had; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said."""

    status: int
    body: dict[str, Any]
    """Empty when it said nothing that we understand."""

    @property
    def is_ok(self) -> bool:
        """Whether it did as asked."""
        return 200 <= self.status < 300

    @property
    def problem(self) -> str:
        """Why not, and what to do, for people."""
        return str(self.body.get("message") or f"Earshot's API answered {self.status}. Try again in a minute.")


NO_ANSWER = Answer(503, {"message": "Earshot's API does not answer. Nothing was changed; try again in a minute."})


def ask(
    method: str,
    path: str,
    json: dict[str, Any] | None = None,
    *,
    key: str | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> Answer:
    """One request with the session of the browser that is being served. Never raises.

    `key` is an Idempotency-Key: sent again with the same one, a call does nothing more and is answered as before.
    """
    headers = {"Authorization": f"Bearer {session.token() or ''}"}
    if key is not None:
        headers["Idempotency-Key"] = key
    url = f"{settings.current().resolved_api_url()}{path}"
    try:
        with httpx2.Client(timeout=timeout, trust_env=False) as client:
            answer = client.request(method, url, json=json, headers=headers)
    except httpx2.HTTPError:
        return NO_ANSWER
    return Answer(answer.status_code, _object(answer))


def file(path: str) -> Callable[[], bytes]:
    """What a download button asks when it is pressed: a file, as whoever is signed in now. Raises NoFileError then."""
    # Streamlit asks from another thread, which knows of no browser.
    token, url = session.token() or "", f"{settings.current().resolved_api_url()}{path}"

    def load() -> bytes:
        try:
            with httpx2.Client(timeout=FILE_SECONDS, trust_env=False) as client:
                answer = client.get(url, headers={"Authorization": f"Bearer {token}"})
        except httpx2.HTTPError as error:
            raise NoFileError(NO_ANSWER.problem) from error
        if not answer.is_success:
            raise NoFileError(Answer(answer.status_code, _object(answer)).problem)
        return answer.content

    return load


def _object(answer: httpx2.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
