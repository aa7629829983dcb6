"""Fetching from elsewhere, with real servers of this machine in the part of the Internet."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address

import anyio
import pytest

from api import outgoing
from api.outgoing import Bounds, Fetched, OutgoingError, OversizeError, PrivateAddressError
from tests.elsewhere import Elsewhere, document, elsewhere, redirect

PUBLIC, PRIVATE = "127.0.0.1", "127.0.0.2"
"""Both are this machine; the tests take one for the Internet and the other for a network of our own."""
BOUNDS = Bounds(max_bytes=10_000, seconds=20)
INSIDE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2002:a01:203::1",
    "2001:0:7f00:1::",
]


@pytest.fixture
def site() -> Iterator[Elsewhere]:
    """Somebody's server on the Internet."""
    with elsewhere(PUBLIC) as site:
        yield site


@pytest.fixture
def inside() -> Iterator[Elsewhere]:
    """A server of our own, with something that is nobody's business."""
    with elsewhere(PRIVATE) as inside:
        inside.answers["/"] = document(b"secret")
        yield inside


def is_on_the_internet(address: outgoing.Address) -> bool:
    return str(address) == PUBLIC


def fetch(url: str, bounds: Bounds = BOUNDS) -> Fetched:
    return outgoing.fetch_blocking(url, bounds, is_allowed=is_on_the_internet)


def fetch_with(names: dict[str, list[str]], url: str) -> Fetched:
    """Fetch with a name server that has these answers, and gives each only once."""

    async def resolve(host: str, _port: int) -> list[outgoing.Address]:
        return [ip_address(text) for text in names.pop(host)]

    async def run() -> Fetched:
        return await outgoing.fetch(url, BOUNDS, is_allowed=is_on_the_internet, resolve=resolve)

    return anyio.run(run)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not outgoing.is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert outgoing.is_public(ip_address(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_our_own_machine_is_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(PrivateAddressError, match="not on the public Internet"):
        outgoing.fetch_blocking(f"http://{host}:1/", BOUNDS)


def test_an_operator_may_allow_any_address(inside: Elsewhere) -> None:
    assert outgoing.fetch_blocking(inside.url, BOUNDS, is_allowed=outgoing.anywhere).body == b"secret"


@pytest.mark.parametrize("url", ["ftp://example.com/", "file:///etc/passwd", "nonsense", "http://", ""])
def test_only_the_web_is_fetched(url: str) -> None:
    with pytest.raises(OutgoingError, match="Give one with http"):
        fetch(url)


def test_redirects_are_followed_to_the_end(site: Elsewhere) -> None:
    site.answers |= {"/1": redirect("/2"), "/2": redirect(f"{site.url}/3"), "/3": document(b"here")}
    assert fetch(f"{site.url}/1") == Fetched(f"{site.url}/3", b"here")


def test_a_redirect_to_the_inside_is_refused(site: Elsewhere, inside: Elsewhere) -> None:
    site.answers["/"] = redirect(f"{inside.url}/")
    with pytest.raises(PrivateAddressError):
        fetch(f"{site.url}/")
    assert inside.asked == []


def test_a_redirect_to_a_file_is_refused(site: Elsewhere) -> None:
    site.answers["/"] = redirect("file:///etc/passwd")
    with pytest.raises(OutgoingError, match="no address on the web"):
        fetch(f"{site.url}/")


def test_redirects_in_a_circle_end(site: Elsewhere) -> None:
    site.answers["/"] = redirect("/")
    with pytest.raises(OutgoingError, match="more than 5 redirects"):
        fetch(f"{site.url}/")
    assert len(site.asked) == 6


def test_a_name_is_asked_for_once_and_its_first_answer_is_where_the_request_goes(
    site: Elsewhere, inside: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that answers with a public address first and with one of ours afterwards."""
    answers = iter([PUBLIC, PRIVATE, PRIVATE])
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda _host, port, *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))],
    )
    site.answers["/"] = document(b"theirs")
    assert fetch(f"http://rebinding.example:{site.port}/").body == b"theirs"
    assert next(answers) == PRIVATE
    assert (site.asked, inside.asked) == ([("/", f"rebinding.example:{site.port}")], [])


def test_a_name_with_one_address_inside_is_refused_whole(site: Elsewhere) -> None:
    site.answers["/"] = document(b"theirs")
    with pytest.raises(PrivateAddressError):
        fetch_with({"both.example": [PUBLIC, PRIVATE]}, f"http://both.example:{site.port}/")
    assert site.asked == []


def test_each_hop_is_looked_up_and_judged_anew(site: Elsewhere) -> None:
    site.answers["/"] = redirect(f"http://second.example:{site.port}/2")
    with pytest.raises(PrivateAddressError):
        fetch_with({"first.example": [PUBLIC], "second.example": [PRIVATE]}, f"http://first.example:{site.port}/")
    assert site.asked == [("/", f"first.example:{site.port}")]


def test_the_next_address_of_a_name_is_tried_when_one_is_down(site: Elsewhere) -> None:
    async def resolve(_host: str, _port: int) -> list[outgoing.Address]:
        return [ip_address("127.0.0.3"), ip_address(PUBLIC)]

    async def run() -> Fetched:
        url = f"http://two.example:{site.port}/"
        return await outgoing.fetch(url, BOUNDS, is_allowed=outgoing.anywhere, resolve=resolve)

    site.answers["/"] = document(b"here")
    assert anyio.run(run).body == b"here"


def test_a_document_of_the_largest_size_is_taken_and_one_byte_more_is_not(site: Elsewhere) -> None:
    site.answers["/"] = document(b"x" * BOUNDS.max_bytes)
    assert len(fetch(site.url).body) == BOUNDS.max_bytes
    site.answers["/"] = document(b"x" * (BOUNDS.max_bytes + 1))
    with pytest.raises(OversizeError, match="more than 10,000 bytes"):
        fetch(site.url)


def test_a_document_without_end_is_left_when_it_is_too_large(site: Elsewhere) -> None:
    left = threading.Event()

    def pour(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(b"x" * 65_536)
        except OSError:
            left.set()

    site.answers["/"] = pour
    with pytest.raises(OversizeError):
        fetch(site.url)
    assert left.wait(60)


def test_packed_documents_are_unpacked_and_bombs_are_not(site: Elsewhere) -> None:
    site.answers["/"] = document(gzip.compress(b"here"), content_encoding="gzip")
    assert fetch(site.url).body == b"here"
    bomb = gzip.compress(b"\0" * (BOUNDS.max_bytes + 1))
    assert len(bomb) < 100
    site.answers["/"] = document(bomb, content_encoding="gzip")
    with pytest.raises(OversizeError):
        fetch(site.url)


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"here")[:-6]], ids=["nonsense", "cut off"])
def test_damaged_gzip_is_said_to_be_so(site: Elsewhere, body: bytes) -> None:
    site.answers["/"] = document(body, content_encoding="gzip")
    with pytest.raises(OutgoingError, match="damaged gzip"):
        fetch(site.url)


def drip(request: BaseHTTPRequestHandler) -> None:
    """A byte now and then: never idle for long, never done."""
    try:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            request.wfile.write(b"x")
            time.sleep(0.02)
    except OSError:
        return


def test_a_server_that_drips_is_left_when_the_time_is_over(site: Elsewhere) -> None:
    site.answers["/"] = drip
    with pytest.raises(OutgoingError, match=r"took longer than 0\.3 seconds"):
        fetch(site.url, Bounds(10_000, seconds=0.3))


def test_a_refusal_is_told_with_its_status(site: Elsewhere) -> None:
    site.answers["/"] = document(b"", 404)
    with pytest.raises(OutgoingError, match="404 Not Found"):
        fetch(site.url)


def test_a_connection_that_breaks_off_is_told(site: Elsewhere) -> None:
    site.answers["/"] = document(b"half", content_length="8")
    with pytest.raises(OutgoingError, match="broke off"):
        fetch(site.url)


def test_a_host_that_does_not_exist_and_one_that_is_down_are_told() -> None:
    with pytest.raises(OutgoingError, match="no host"):
        fetch("http://nobody.invalid/")
    with pytest.raises(OutgoingError, match="does not answer"):
        fetch(f"http://{PUBLIC}:1/")


def test_a_password_goes_to_its_host_and_into_no_message(site: Elsewhere) -> None:
    site.answers["/"] = document(b"", 403)
    with pytest.raises(OutgoingError) as refused:
        fetch(f"http://ada:hunter2@{PUBLIC}:{site.port}/")
    assert "hunter2" not in str(refused.value)
    with pytest.raises(OutgoingError) as refused:
        fetch("http://ada:hunter2@10.0.0.1/")
    assert "hunter2" not in str(refused.value)
