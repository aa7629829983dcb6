"""Hits of connections that end early, counted by what really went out."""

import shutil
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api import clock
from tests.api.delivery.conftest import LARGE_BYTES, SHA256, SMALL_BYTES, Hits
from tests.conftest import Processes
from tests.factories import tone_mp3


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One engine is enough: connections are the same whatever the store."""
    return sqlite_url


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


def test_a_listener_who_hangs_up_counts_for_what_went_out(processes: Processes, large: str, hits: Hits) -> None:
    url, _ = processes.serve()
    with ask(url, large) as connection:
        received = len(read(connection, 1 << 20))
    (hit,) = hits(1)
    assert hit.status == 200
    assert received - 1000 < hit.sent_bytes < LARGE_BYTES // 2  # the answer's head was received too


def test_one_who_hangs_up_during_a_range_counts_too(processes: Processes, large: str, hits: Hits) -> None:
    url, _ = processes.serve()
    with ask(url, large, "Range: bytes=1000-\r\n") as connection:
        assert read(connection, 200_000).startswith(b"HTTP/1.1 206 ")
    (hit,) = hits(1)
    assert (hit.status, hit.range) == (206, "bytes=1000-")
    assert 199_000 < hit.sent_bytes < LARGE_BYTES // 2


def test_one_who_stalls_and_then_hangs_up_counts_for_what_went_out_and_for_when_he_asked(
    processes: Processes, large: str, hits: Hits
) -> None:
    url, _ = processes.serve()
    before_ms = clock.now_ms()
    with ask(url, large) as connection:
        read_until(connection, b"\r\n\r\n")
        asked_ms = clock.now_ms()
        time.sleep(0.5)  # what the connection holds is full, and the server waits
    (hit,) = hits(1)
    assert before_ms <= hit.at_ms <= asked_ms
    assert 0 < hit.sent_bytes < LARGE_BYTES // 2


def test_a_connection_that_asks_several_times_leaves_one_hit_each(processes: Processes, large: str, hits: Hits) -> None:
    url, _ = processes.serve()
    with ask(url, large, "Range: bytes=0-9\r\n") as connection:
        assert read_until(connection, tone_mp3(3.0)[:10]).startswith(b"HTTP/1.1 206 ")
        connection.sendall(f"HEAD /media/{large}.mp3 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert read_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    assert [(hit.method, hit.status, hit.sent_bytes) for hit in hits(2)] == [("GET", 206, 10), ("HEAD", 200, 0)]


def test_the_address_comes_from_the_proxy_in_front_and_is_only_hashed(
    processes: Processes, large: str, hits: Hits
) -> None:
    url, _ = processes.serve(EARSHOT_TRUSTED_PROXIES="127.0.0.1")
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


def test_whatever_the_answer_its_hit_says_what_was_asked_and_how_much_audio_was_sent(
    processes: Processes, small: str, hits: Hits
) -> None:
    url, _ = processes.serve()
    etag = f'"{SHA256}"'
    end = f"bytes={SMALL_BYTES - 10}-"
    asked = [
        ("HEAD", "", 200, 0),
        ("HEAD", "Range: bytes=0-9\r\n", 200, 0),
        ("GET", "Range: bytes=0-9\r\n", 206, 10),
        ("GET", f"Range: {end}\r\n", 206, 10),
        ("GET", f"Range: {end}\r\nIf-Range: {etag}\r\n", 206, 10),
        ("GET", f"If-None-Match: {etag}\r\n", 304, 0),
        ("GET", 'If-Match: "x"\r\n', 412, 0),
        ("GET", f"Range: bytes={SMALL_BYTES}-\r\n", 416, 0),
        ("GET", 'Range: bytes=0-9\r\nIf-Range: "x"\r\n', 200, SMALL_BYTES),
        ("GET", "Range: bytes=0-9,20-29\r\n", 200, SMALL_BYTES),
    ]
    for method, headers, status, sent_bytes in asked:
        with ask(url, small, f"{headers}Connection: close\r\n", method) as connection:
            head = read_until(connection, b"\r\n\r\n")
            assert head.startswith(f"HTTP/1.1 {status} ".encode()), headers
            assert len(read(connection, SMALL_BYTES + 1)) == sent_bytes, headers
    with ask(url, "0b6f6a0e-7c1d-4b57-9a53-000000000000") as connection:
        assert read(connection, 12) == b"HTTP/1.1 404"  # and no hit

    found = hits(len(asked))
    assert len(found) == len(asked)
    for (method, headers, status, sent_bytes), hit in zip(asked, found, strict=True):
        assert (hit.method, hit.status, hit.sent_bytes) == (method, status, sent_bytes), headers
        assert hit.range == next((line[7:] for line in headers.split("\r\n") if line.startswith("Range: ")), "")


def test_of_two_requests_at_once_the_one_that_was_cut_counts_for_what_went_out(
    processes: Processes, large: str, hits: Hits
) -> None:
    url, _ = processes.serve()
    with ask(url, large) as connection:
        connection.sendall(f"GET /media/{large}.mp3 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        read(connection, 1 << 20)
    (hit,) = hits(1)  # the second was never begun
    assert hit.sent_bytes < LARGE_BYTES // 2


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_stopped_leaves_the_hits_of_those_who_were_listening(
    processes: Processes, large: str, hits: Hits, signal_number: int
) -> None:
    url, server = processes.serve()
    with ask(url, large) as reading, ask(url, large, "Range: bytes=1000-\r\n") as stalled:
        read(reading, 1 << 20)
        read(stalled, 1000)
        server.send_signal(signal_number)
        server.wait(timeout=60)
    found = hits(2)
    assert sorted(hit.range for hit in found) == ["", "bytes=1000-"]
    assert all(0 < hit.sent_bytes < LARGE_BYTES // 2 for hit in found)
