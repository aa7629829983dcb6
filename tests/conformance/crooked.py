"""Servers that are wrong in one thing: a proxy in front of a good one, which alters requests or answers."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    """What the client sent, its body whole."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def is_batch(self) -> bool:
        """Whether it is a `POST /v1/sync`."""
        return (self.method, self.path) == ("POST", "/v1/sync")

    @property
    def is_receipt(self) -> bool:
        """Whether it asks for a receipt."""
        return self.method == "GET" and self.path.startswith("/v1/sync/")

    @property
    def encoding(self) -> str:
        """The Content-Encoding."""
        return self.headers.get("content-encoding", "")


@dataclass(frozen=True)
class Reply:
    """What goes back."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    def altered(self, **fields: Any) -> "Reply":
        """The same with other fields in its JSON object."""
        return replace(self, body=json.dumps({**self.json, **fields}).encode())


def reply(status: int, body: Any, **headers: str) -> Reply:
    """A reply of JSON."""
    return Reply(status, json.dumps(body).encode(), headers)


class Crooked:
    """An honest proxy; subclasses are not."""

    good_url = ""

    def answer(self, request: Request) -> Reply:
        """What the client gets."""
        return self.forward(request)

    def forward(self, request: Request) -> Reply:
        """What the good server says."""
        parts = urlsplit(self.good_url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
        try:
            headers = {**request.headers, "content-length": str(len(request.body))}
            connection.request(request.method, request.path, request.body, headers)
            got = connection.getresponse()
            kept = {name: value for name, value in got.getheaders() if name.lower() in {"retry-after", "content-type"}}
            return Reply(got.status, got.read(), kept)
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    crooked: ClassVar[Crooked]

    def _handle(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        for name in ("host", "connection", "accept-encoding", "transfer-encoding", "content-length"):
            headers.pop(name, None)
        found = self.crooked.answer(Request(self.command, self.path, headers, self._body()))
        self.send_response(found.status)
        for name, value in found.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(found.body)))
        self.end_headers()
        self.wfile.write(found.body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def do_GET(self) -> None:
        """As all methods."""
        self._handle()

    def do_POST(self) -> None:
        """As all methods."""
        self._handle()

    def do_PUT(self) -> None:
        """As all methods."""
        self._handle()

    def do_DELETE(self) -> None:
        """As all methods."""
        self._handle()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def serving(crooked: Crooked, good_url: str = "") -> Iterator[str]:
    """The address of the crooked server while it runs."""
    crooked.good_url = good_url
    handler = type("Handler", (_Handler,), {"crooked": crooked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
