"""Somebody's program that is told by webhooks: a real HTTP server that checks signatures as its documentation says."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOLERANCE_SECONDS = 300


@dataclass(frozen=True)
class Received:
    """A request that came."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def id(self) -> str:
        """What a receiver knows repetitions by."""
        return self.headers["webhook-id"]

    @property
    def message(self) -> dict[str, Any]:
        """What is told."""
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """Whether the message is its sender's, whole and fresh."""
        timestamp = self.headers["webhook-timestamp"]
        if abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
            return False
        key = base64.b64decode(secret.split("_", 1)[1])
        signed = f"{self.id}.{timestamp}.".encode() + self.body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return any(
            hmac.compare_digest(expected, signature.removeprefix("v1,"))
            for signature in self.headers["webhook-signature"].split()
            if signature.startswith("v1,")
        )


class Receiver:
    """Keeps what came. Answers with the statuses that it is told to, then with 204."""

    def __init__(self, port: int = 0) -> None:
        self.received: list[Received] = []
        self.statuses: list[int] = []
        self.answer_headers: dict[str, str] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append(Received(self.path, headers, body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                for name, value in receiver.answer_headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *arguments: Any) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = int(self.server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/hooks"


@contextmanager
def receiver(port: int = 0) -> Iterator[Receiver]:
    """A receiver that runs until the end of the block."""
    running = Receiver(port)
    thread = threading.Thread(target=running.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield running
    finally:
        running.server.shutdown()
        thread.join()
        running.server.server_close()
