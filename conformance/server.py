"""The server that is tried: HTTP, with all that it answered kept for the requirements that look back."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2

from conformance.outcomes import Failed

LONGEST_WAIT_SECONDS = 60.0
"""A `Retry-After` beyond this is not waited for."""
LOST_TRIES = 2
"""A connection may break once; the protocol has clients send again."""
SHOWN_CHARACTERS = 160


class UnreachableError(Exception):
    """Nothing there speaks the sync protocol; the message says what to do."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    request: str
    """Method and path."""
    status: int
    headers: httpx2.Headers
    text: bytes

    @property
    def json(self) -> Any:
        """The body, or None when it is not JSON."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    def field(self, name: str) -> Any:
        """A field of the JSON object, or None."""
        body = self.json
        return body.get(name) if isinstance(body, dict) else None

    def __str__(self) -> str:
        shown = self.text.decode("utf-8", "replace").strip()
        if len(shown) > SHOWN_CHARACTERS:
            shown = f"{shown[:SHOWN_CHARACTERS]}..."
        return f"{self.status} {shown}".strip()


@dataclass
class Patience:
    """How long the suite waits. What was waited for in vain once is not waited for as long again, a hundred times."""

    counting_seconds: float
    answer_seconds: float = 60.0
    busy_tries: int = 5
    """Answers of 503 to one request before the server counts as out of order."""

    def lose_with_counting(self) -> None:
        """A batch was not counted in time."""
        self.counting_seconds = min(self.counting_seconds, 0.5)

    def lose_with_answers(self) -> None:
        """A request was not answered in time."""
        self.answer_seconds = 5.0

    def lose_with_busyness(self) -> None:
        """The server was busy for as long as we tried."""
        self.busy_tries = 1


@dataclass
class Server:
    """An address, and the answers it gave."""

    url: str
    http: httpx2.Client
    patience: Patience
    answers: list[Answer] = field(default_factory=list)

    def ask(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        is_in_pieces: bool = False,
    ) -> Answer:
        """The answer, after waiting as long as a 503 asks for. Raises Failed when there is none."""
        all_headers = {"Authorization": f"Bearer {token}"} if token else {}
        all_headers |= headers or {}
        tries = self.patience.busy_tries
        for attempt in range(1, tries + 1):
            answer = self._send(method, path, content, all_headers, is_in_pieces=is_in_pieces)
            if answer.status != 503:
                return answer
            if attempt < tries:
                time.sleep(_wait_of(answer))
        self.patience.lose_with_busyness()
        raise Failed(f"{method} {path} was answered with 503, {tries} in a row")

    def _send(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str], *, is_in_pieces: bool
    ) -> Answer:
        for attempt in range(1, LOST_TRIES + 1):
            body = _pieces(content) if is_in_pieces and content is not None else content
            try:
                got = self.http.request(
                    method, self.url + path, content=body, headers=headers, timeout=self.patience.answer_seconds
                )
            except (httpx2.RequestError, httpx2.InvalidURL) as error:
                is_late = isinstance(error, httpx2.TimeoutException)
                if is_late:
                    self.patience.lose_with_answers()
                if is_late or attempt == LOST_TRIES:
                    raise Failed(f"no answer to {method} {path}: {_reason(error)}") from error
                continue
            answer = Answer(f"{method} {path}", got.status_code, got.headers, got.content)
            self.answers.append(answer)
            return answer
        raise AssertionError("the loop returns or raises")

    def get_json(self, path: str, token: str) -> Any:
        """The JSON of a 200. Raises Failed for anything else."""
        return self._expect_json("GET", path, token, None, 200)

    def send_json(self, method: str, path: str, token: str, body: Any, status: int) -> Any:
        """The JSON of an answer with this status. Raises Failed for anything else."""
        return self._expect_json(method, path, token, json.dumps(body).encode(), status)

    def _expect_json(self, method: str, path: str, token: str, content: bytes | None, status: int) -> Any:
        headers = {"Content-Type": "application/json"} if content is not None else {}
        answer = self.ask(method, path, token=token, content=content, headers=headers)
        if answer.status != status or answer.json is None:
            raise Failed(f"{method} {path} gave {answer} instead of {status} with JSON")
        return answer.json


def _pieces(content: bytes) -> Iterator[bytes]:
    """A body of unknown length, which goes out with `Transfer-Encoding: chunked`."""
    middle = len(content) // 2
    yield content[:middle]
    yield content[middle:]


def _wait_of(answer: Answer) -> float:
    try:
        return min(LONGEST_WAIT_SECONDS, max(0.0, float(answer.headers.get("retry-after", 1))))
    except ValueError:
        return 1.0


def _reason(error: Exception) -> str:
    return f"{type(error).__name__} {error}".strip()


def normal_url(text: str) -> str:
    """The address of the API without a slash at the end. Raises UnreachableError for what is no address."""
    try:
        parts = urlsplit(text)
        (parts.hostname or "").encode("idna")  # refuses what no name server could be asked
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and " " not in text
    except ValueError:
        is_address = False
    if not is_address:
        raise UnreachableError(f"{text!r} is no address of a server. Write it whole, as http://127.0.0.1:8000.")
    if parts.query or parts.fragment or parts.username is not None:
        raise UnreachableError(f"{text!r} has more than host, port and path. Leave the rest away.")
    return text.rstrip("/")


@contextmanager
def open_server(url: str, wait_seconds: float) -> Iterator[Server]:
    """The sync server at this address. Raises UnreachableError when there is none."""
    url = normal_url(url)
    is_here = urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}
    # A proxy of the environment's is for other machines.
    with httpx2.Client(trust_env=not is_here, follow_redirects=False) as http:
        server = Server(url, http, Patience(wait_seconds))
        _check_speaks_sync(server)
        server.answers.clear()
        yield server


def _check_speaks_sync(server: Server) -> None:
    try:
        answer = server.ask(
            "POST",
            "/v1/devices",
            content=b'{"app":"Earshot conformance"}',
            headers={"Content-Type": "application/json"},
        )
    except Failed as failed:
        raise UnreachableError(
            f"{server.url} does not answer ({failed}). Is it running, is the port right, is it http or https?"
        ) from failed
    if isinstance(answer.field("device_id"), str) and isinstance(answer.field("token"), str):
        return
    if 300 <= answer.status < 400:
        raise UnreachableError(
            f"{server.url} sends on to {answer.headers.get('location', 'nowhere')}. Give the address that answers."
        )
    raise UnreachableError(
        f"{server.url} answers, but not as a sync server: POST /v1/devices gave {answer}. "
        "Give the address that /v1/devices and /v1/sync are under."
    )
