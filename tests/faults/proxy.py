"""A TCP proxy that loses what it is told to lose."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit


class Loss(StrEnum):
    """What becomes of the next request; the ones after it pass."""

    ACK = "the whole answer is lost"
    REPLY = "the answer is cut in the middle"
    REQUEST = "the request is cut in the middle of its body"
    HEAD = "the request is cut in the middle of its head"


@dataclass
class Proxy:
    """Passes requests on, one a connection."""

    host: str
    port: int
    listener: socket.socket
    losses: list[Loss] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where to reach it."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def run(self) -> None:
        """Serve until the listener is closed."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with closing(client):
                self._pass_on(client)

    def _pass_on(self, client: socket.socket) -> None:
        head, body = read_message(client)
        loss = self.losses.pop() if self.losses else None
        cut = {Loss.HEAD: head[: len(head) // 2], Loss.REQUEST: head + body[: len(body) // 2]}
        request = cut.get(loss, head + body) if loss else head + body
        with socket.create_connection((self.host, self.port)) as server:
            server.sendall(request)
            if loss in {Loss.HEAD, Loss.REQUEST}:
                return
            reply = b"".join(read_message(server))
        if loss is not Loss.ACK:
            client.sendall(reply[: len(reply) // 2] if loss is Loss.REPLY else reply)


def read_message(source: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of an HTTP message with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += source.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    while len(body) < length:
        body += source.recv(65536)
    return head + b"\r\n\r\n", body


@contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    """A proxy before the API at `url`."""
    target = urlsplit(url)
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(str(target.hostname), int(target.port or 80), listener)
    thread = threading.Thread(target=proxy.run)
    thread.start()
    try:
        yield proxy
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
