"""Hits of connections that end early, counted by what really went out."""

import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from api.events.opening import open_log
from api.events.records import Hit, unpack
from models.tables import Episode
from tests.conftest import Processes, wait_until
from tests.factories import make_episode, tone_mp3

LARGE_BYTES = 64 << 20
"""More than the buffers between two sockets of one machine hold."""


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One engine is enough: connections are the same whatever the store."""
    return sqlite_url


@pytest.fixture
def large(processes: Processes, engine: Engine) -> str:
    """A public episode of 64 MiB."""
    sha256 = "ab" * 32
    path = processes.home / "audio" / sha256[:2] / sha256
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.write(tone_mp3(3.0))
        file.truncate(LARGE_BYTES)
    with Session(engine) as session:
        episode = session.get(Episode, make_episode(session).id)
        episode.audio_sha256, episode.audio_bytes, episode.audio_type = sha256, LARGE_BYTES, "audio/mpeg"
        session.commit()
        return str(episode.uuid)


def ask(url: str, episode: str, headers: str = "", method: str = "GET") -> socket.socket:
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port))
    connection.sendall(f"{method} /media/{episode}.mp3 HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
    return connection


def read(connection: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        block = connection.recv(size - len(received))
        if not block:
            break
        received += block
    return bytes(received)


def read_until(connection: socket.socket, end: bytes) -> bytes:
    received = b""
    while not received.endswith(end):
        block = connection.recv(1)
        assert block, f"the connection ended after {received!r}"
        received += block
    return received


@pytest.fixture
def hits(processes: Processes) -> Callable[[int], list[Hit]]:
    """Waits for a number of hits in the log of the running server."""

    def wait(count: int) -> list[Hit]:
        log = open_log(f"sqlite:///{processes.home / 'events.db'}")
        try:
            wait_until(lambda: log.end(0) >= count, f"{count} hits")
            return [unpack(record.payload) for record in log.read(0, 0, 100)]
        finally:
            log.close()

    return wait


def test_a_listener_who_hangs_up_counts_for_what_went_out(
    processes: Processes, large: str, hits: Callable[[int], list[Hit]]
) -> None:
    url, _ = processes.serve()
    with ask(url, large) as connection:
        received = len(read(connection, 1 << 20))
    (hit,) = hits(1)
    assert hit.status == 200
    assert received - 1000 < hit.sent_bytes < LARGE_BYTES // 2  # the answer's head was received too


def test_one_who_hangs_up_during_a_range_counts_too(
    processes: Processes, large: str, hits: Callable[[int], list[Hit]]
) -> None:
    url, _ = processes.serve()
    with ask(url, large, "Range: bytes=1000-\r\n") as connection:
        assert read(connection, 200_000).startswith(b"HTTP/1.1 206 ")
    (hit,) = hits(1)
    assert (hit.status, hit.range) == (206, "bytes=1000-")
    assert 199_000 < hit.sent_bytes < LARGE_BYTES // 2


def test_a_connection_that_asks_several_times_leaves_one_hit_each(
    processes: Processes, large: str, hits: Callable[[int], list[Hit]]
) -> None:
    url, _ = processes.serve()
    with ask(url, large, "Range: bytes=0-9\r\n") as connection:
        assert read_until(connection, tone_mp3(3.0)[:10]).startswith(b"HTTP/1.1 206 ")
        connection.sendall(f"HEAD /media/{large}.mp3 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert read_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    assert [(hit.method, hit.status, hit.sent_bytes) for hit in hits(2)] == [("GET", 206, 10), ("HEAD", 200, 0)]


def test_the_address_comes_from_the_proxy_in_front_and_is_only_hashed(
    processes: Processes, large: str, hits: Callable[[int], list[Hit]]
) -> None:
    url, _ = processes.serve()
    for number, address in enumerate(("203.0.113.7", "203.0.113.8", "203.0.113.7"), start=1):
        with ask(url, large, f"X-Forwarded-For: {address}\r\nRange: bytes=0-9\r\n") as connection:
            read_until(connection, tone_mp3(3.0)[:10])
        hits(number)
    first, second, third = (hit.consumer for hit in hits(3))
    assert (first == third, first == second) == (True, False)
    assert b"203.0.113" not in (processes.home / "events.db-wal").read_bytes()


def test_audio_goes_out_while_the_log_cannot_be_written(processes: Processes, large: str) -> None:
    url, _ = processes.serve()
    for path in Path(processes.home).glob("events.db*"):
        path.unlink()
    (processes.home / "events.db").mkdir()
    try:
        for _ in range(3):
            with ask(url, large, "Range: bytes=0-9\r\nConnection: close\r\n") as connection:
                assert read(connection, 10_000).endswith(tone_mp3(3.0)[:10])
    finally:
        shutil.rmtree(processes.home / "events.db")
