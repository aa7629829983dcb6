"""A web server of somebody else's, on this machine."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


def document(body: bytes, status: int = 200, **headers: str) -> Answer:
    """Answers with this, and these headers (`content_encoding="gzip"`)."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"content_length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def redirect(to: str) -> Answer:
    """Sends the client elsewhere."""
    return document(b"", 302, location=to)


class Elsewhere:
    """Answers paths as it is told to, and remembers who asked."""

    def __init__(self, host: str) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, str]] = []
        """Path and Host header of each request."""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.path, self.headers["host"]))
                with suppress(BrokenPipeError, ConnectionResetError):  # the client has seen enough
                    site.answers[self.path](self)

            def log_message(self, *arguments: Any) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer((host, 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://{host}:{self.port}"


@contextmanager
def elsewhere(host: str = "127.0.0.1") -> Iterator[Elsewhere]:
    """A server that runs until the end of the block."""
    site = Elsewhere(host)
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        site.server.shutdown()
        thread.join()
        site.server.server_close()
