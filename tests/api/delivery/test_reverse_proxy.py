"""Earshot behind Debian's nginx, as docs/cdn/reverse-proxy.conf has it."""

import getpass
import socket
import time
from urllib.parse import urlsplit

import pytest

from api.delivery.hits import DAY_MS
from api.hits.identity import identify
from tests.api.delivery.conftest import LARGE_BYTES, Hits
from tests.api.delivery.nginx import CONFIGURATION, Nginx, temporary_folders
from tests.conftest import Processes

SECRET = "one secret"
LISTENER = "127.0.0.2"
"""This machine too, but not the address that the proxy asks from."""


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One engine is enough: the proxy knows of no store."""
    return sqlite_url


@pytest.fixture
def proxy(processes: Processes, nginx: Nginx) -> Nginx:
    """Running, before a running Earshot that trusts it."""
    origin, _ = processes.serve(EARSHOT_TRUSTED_PROXIES="127.0.0.1", EARSHOT_SECRET=SECRET)
    frame = f"""
user {getpass.getuser()};
pid {nginx.folder}/pid;
events {{}}
http {{
    access_log off;
    {temporary_folders(nginx.folder)}
    include {nginx.folder}/proxy.conf;
}}
"""
    part = (CONFIGURATION / "reverse-proxy.conf").read_text()
    for old, new in {
        "127.0.0.1:8000": urlsplit(origin).netloc,
        "listen 80;": f"listen 127.0.0.1:{nginx.port};",
    }.items():
        assert old in part
        part = part.replace(old, new)
    (nginx.folder / "proxy.conf").write_text(part)
    nginx.start(frame, {})
    return nginx


def ask(proxy: Nginx, episode: str, headers: str = "") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", proxy.port), source_address=(LISTENER, 0))
    request = f"GET /media/{episode}.mp3 HTTP/1.1\r\nHost: x\r\nUser-Agent: App/1\r\n{headers}\r\n"
    connection.sendall(request.encode())
    return connection


def test_a_listener_behind_the_proxy_who_hangs_up_counts_for_what_went_out(
    proxy: Nginx, large: str, hits: Hits
) -> None:
    with ask(proxy, large) as connection:
        received = 0
        while received < 1 << 20:
            received += len(connection.recv(1 << 16))
        time.sleep(5)  # a proxy that takes more than the listener does would have all of it by now
    (hit,) = hits(1)
    assert received - 1000 < hit.sent_bytes < LARGE_BYTES // 2


def test_the_listeners_address_is_the_one_that_the_proxy_saw(proxy: Nginx, large: str, hits: Hits) -> None:
    with ask(proxy, large, "X-Forwarded-For: 203.0.113.7\r\nRange: bytes=0-9\r\n") as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 206 ")
        (hit,) = hits(1)
    address, consumer, _ = identify(SECRET, LISTENER, "App/1", hit.at_ms // DAY_MS)
    assert hit.consumer == address.to_bytes(8) + consumer.to_bytes(8)
