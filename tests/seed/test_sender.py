"""What goes over the wire: repetitions, encodings, retries, and the books that are kept of it."""

import asyncio
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx2
import pytest
import zstandard

from seed import calls
from seed.audience import Listener
from seed.calls import SeedError, ask
from seed.catalogue import make_catalogue
from seed.sender import Sender, Sending, wait_until_counted

TODAY = date(2026, 11, 22)
Handler = Callable[[httpx2.Request], httpx2.Response]


class Server:
    """Remembers what it is sent, and answers as the API does."""

    def __init__(self) -> None:
        self.batches: dict[str, list[dict[str, Any]]] = {}
        self.bodies: list[bytes] = []
        self.encodings: Counter[str] = Counter()
        self.failures: list[httpx2.Response | Exception] = []
        """What to do instead, once each, first come first served."""

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/v1/devices":
            token = f"t{len(self.batches)}"
            self.batches[token] = []
            return httpx2.Response(201, json={"device_id": f"d-{token}", "token": token, "listen_seconds": 30})
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return failure
        body = self._unpack(request)
        batch = json.loads(body)
        self.bodies.append(body)
        self.batches[request.headers["authorization"].removeprefix("Bearer ")].append(batch)
        receipt = hashlib.sha256(body).hexdigest()
        return httpx2.Response(202, json={"receipt": receipt, "accepted": len(batch["events"]), "rejected": []})

    def _unpack(self, request: httpx2.Request) -> bytes:
        encoding = request.headers.get("content-encoding", "")
        self.encodings[encoding] += 1
        if encoding == "gzip":
            return gzip.decompress(request.content)
        if encoding == "zstd":
            return zstandard.decompress(request.content)
        return request.content


def send(
    server: Handler, numbers: range, *, should_stop: Callable[[], bool] = lambda: False, connections: int = 3
) -> Sending:
    async def run() -> Sending:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(server), base_url="http://api") as http:
            shows = make_catalogue(1, TODAY)
            sender = Sender(http, shows, TODAY, should_stop=should_stop, on_progress=lambda _: None)
            return await sender.run((Listener(1, number) for number in numbers), connections)

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "FIRST_WAIT_SECONDS", 0.0)


def test_the_books_agree_with_what_the_server_got() -> None:
    server = Server()
    sending = send(server, range(60))
    events = [(token, e["seq"]) for token, batches in server.batches.items() for b in batches for e in b["events"]]
    expectation = sending.expectation
    assert (expectation.sent, expectation.distinct, expectation.devices) == (len(events), len(set(events)), 60)
    assert expectation.counted + sum(expectation.set_aside.values()) == expectation.distinct
    assert expectation.duplicate > 0


def test_every_log_arrives_whole_and_chained() -> None:
    server = Server()
    send(server, range(60))
    for batches in server.batches.values():
        ids = {0: "0" * 64}
        for batch in batches:
            first, last = batch["events"][0]["seq"], batch["events"][-1]["seq"]
            assert [e["seq"] for e in batch["events"]] == list(range(first, last + 1))
            assert batch["after"] == ids[first - 1]
            assert ids.setdefault(last, batch["head"]) == batch["head"]


def test_lost_answers_repeat_bodies_and_make_overlapping_batches() -> None:
    server = Server()
    send(server, range(60))
    assert max(Counter(server.bodies).values()) > 1, "the same bytes twice"
    stretches = {(t, b["events"][0]["seq"], b["events"][-1]["seq"]) for t, bs in server.batches.items() for b in bs}
    firsts = Counter((token, first) for token, first, _ in stretches)
    assert max(firsts.values()) > 1, "the same start, another end"


def test_all_encodings_are_used() -> None:
    server = Server()
    send(server, range(30))
    assert set(server.encodings) == {"", "gzip", "zstd"}


def test_transient_failures_are_sent_again_and_counted_once() -> None:
    untroubled, troubled = Server(), Server()
    troubled.failures = [
        httpx2.Response(503, headers={"Retry-After": "0"}),
        httpx2.ConnectError("refused"),
        httpx2.Response(500),
    ]
    expected = send(untroubled, range(20)).expectation.to_json()
    assert send(troubled, range(20)).expectation.to_json() == expected
    assert not troubled.failures


def test_a_refusal_ends_seeding_with_the_servers_words() -> None:
    server = Server()
    server.failures = [httpx2.Response(401, json={"message": "The token is no good."})] * 20
    with pytest.raises(SeedError, match=r"401.*The token is no good"):
        send(server, range(20))


def test_rejected_events_end_seeding() -> None:
    def reject(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/v1/devices":
            return httpx2.Response(201, json={"device_id": "d", "token": "t", "listen_seconds": 30})
        return httpx2.Response(202, json={"receipt": "r", "accepted": 0, "rejected": [{"seq": 1, "cause": "bad_kind"}]})

    with pytest.raises(SeedError, match="bad_kind"):
        send(reject, range(20))


def test_stopping_halfway_keeps_the_books_of_what_was_sent() -> None:
    server = Server()
    sending = send(server, range(60), should_stop=lambda: len(server.bodies) >= 40, connections=4)
    sent = sum(len(batch["events"]) for batches in server.batches.values() for batch in batches)
    assert 40 <= len(server.bodies) <= 40 + 4
    assert sending.expectation.sent == sent == sending.events


def test_a_server_that_stays_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MOST_TRIES", 3)

    async def run() -> None:
        def refuse(_request: httpx2.Request) -> httpx2.Response:
            raise httpx2.ConnectError("nobody there")

        async with httpx2.AsyncClient(transport=httpx2.MockTransport(refuse), base_url="http://api") as http:
            await ask(http, "GET", "/v1/shows")

    with pytest.raises(SeedError, match=r"nobody there.*earshot serve"):
        asyncio.run(run())


def test_waiting_ends_when_the_newest_receipts_are_done() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return httpx2.Response(200, json={"state": "done" if len(asked) > 2 else "pending"})

    async def run(should_stop: Callable[[], bool]) -> bool:
        sending = send_nothing()
        sending.receipts.extend([("t", "first"), ("t", "last")])
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer), base_url="http://api") as http:
            return await wait_until_counted(http, sending, should_stop=should_stop, on_wait=lambda _: None)

    assert asyncio.run(run(lambda: False))
    assert asked == ["/v1/sync/last"] * 3 + ["/v1/sync/first"]
    asked.clear()
    assert not asyncio.run(run(lambda: True))


def send_nothing() -> Sending:
    from seed.expected import Expectation

    return Sending(Expectation({}))
