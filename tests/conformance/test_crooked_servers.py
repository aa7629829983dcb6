"""Servers that are wrong in one thing fail in that, by name, and in nothing else."""

import gzip
import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
import zstandard

from conformance.server import open_server
from conformance.suite import Report, all_requirements, run
from conformance.trial import Trial
from tests.conformance.conftest import Running
from tests.conformance.crooked import Crooked, Reply, Request, reply, serving


class ReceiptOfWhatTravelled(Crooked):
    """Hashes the body as it came instead of unpacked."""

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        if request.is_batch and found.status == 202:
            return found.altered(receipt=hashlib.sha256(request.body).hexdigest())
        return found


class AllOrNothing(Crooked):
    """Refuses a batch for one bad event."""

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        if request.is_batch and found.status == 202 and found.json["rejected"]:
            return reply(400, {"error": "bad_event", "message": "One event is bad."})
        return found


class CountsRepeats(Crooked):
    """Knows no duplicates."""

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        if request.is_receipt and found.status == 200 and found.json["duplicate"]:
            return found.altered(counted=found.json["counted"] + found.json["duplicate"], duplicate=0)
        return found


class SaysSlowDown(Crooked):
    """Asks the second sender to wait with a 429, as most services do."""

    batches = 0

    def answer(self, request: Request) -> Reply:
        self.batches += request.is_batch
        if request.is_batch and self.batches == 2:
            return reply(429, {"error": "slow_down", "message": "Slow down."}, **{"Retry-After": "1"})
        return self.forward(request)


class BusyAtTimes(Crooked):
    """Answers every third batch with 503, as the protocol wants it."""

    batches = 0
    retry_after: dict[str, str] = {"Retry-After": "0"}  # noqa: RUF012 - never changed

    def answer(self, request: Request) -> Reply:
        self.batches += request.is_batch
        if request.is_batch and self.batches % 3 == 1:
            return reply(503, {"error": "unavailable", "message": "Later."}, **self.retry_after)
        return self.forward(request)


class BusyWithoutSayingHowLong(BusyAtTimes):
    """Forgets `Retry-After`."""

    retry_after: dict[str, str] = {"Retry-After": "soon"}  # noqa: RUF012 - never changed


class SwallowsBombs(Crooked):
    """Unpacks whatever comes."""

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        if not (request.is_batch and found.status == 413 and request.encoding):
            return found
        text = gzip.decompress(request.body) if request.encoding == "gzip" else _unzstd(request.body)
        headers = {name: value for name, value in request.headers.items() if name != "content-encoding"}
        return self.forward(Request("POST", "/v1/sync", headers, text.strip()))


def _unzstd(body: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(body)


class FourHundredAndNinetyNine(Crooked):
    """Its limit is one event too low."""

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        if request.is_batch and found.status == 202 and found.json["accepted"] == 500:
            return reply(413, {"error": "too_large", "message": "Too many."})
        return found


class TrustsEveryChain(Crooked):
    """Never looks at a head."""

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        return found.altered(chain="intact") if request.is_receipt and found.status == 200 else found


class TellsStrangers(Crooked):
    """Shows a receipt to whoever asks."""

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        if request.is_receipt and found.status == 404:
            done = {"state": "done", "counted": 3, "duplicate": 0, "set_aside": {}, "chain": "intact"}
            return reply(200, done)
        return found


class NeverCounts(Crooked):
    """Has no worker."""

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        return found.altered(state="pending") if request.is_receipt and found.status == 200 else found


class ForgetsAField(Crooked):
    """Its receipts lack what was set aside."""

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        return found.altered(set_aside=None) if request.is_receipt and found.status == 200 else found


class GoneForGood(Crooked):
    """Has a status of its own for what an erased device sends."""

    has_erased = False

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        if self.has_erased and request.is_batch:
            return reply(410, {"error": "gone", "message": "This device was erased."})
        self.has_erased = self.has_erased or (request.method == "DELETE" and found.status == 202)
        return found


class TrustsEveryToken(Crooked):
    """Takes a batch from anybody."""

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        if request.is_batch and found.status == 401:
            return reply(202, {"receipt": "0" * 64, "accepted": 1, "rejected": []})
        return found


class SpeaksHtml(Crooked):
    """Refuses as a web server does."""

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        return Reply(found.status, b"<h1>No</h1>") if found.status >= 400 else found


class SecondsOfClock(Crooked):
    """Tells the time in seconds."""

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        if found.status == 202 and request.is_batch:
            return found.altered(server_time_ms=found.json["server_time_ms"] // 1000)
        return found


class HearsTooMuch(Crooked):
    """Calls every start a listen."""

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        if "/stats?" not in request.path:
            return found
        return found.altered(rows=[{**row, "listens": row["starts"]} for row in found.json["rows"]])


def tried(running: Running, crooked: Crooked, beginnings: Sequence[str], **lent: Any) -> Report:
    """The report on a crooked server, of the requirements whose ids begin so, and of what looks back at them."""
    chosen = (*beginnings, "conduct/")
    requirements = [each for each in all_requirements() if each.id.startswith(chosen)]
    wait_seconds = lent.pop("wait_seconds", 30.0)
    with serving(crooked, running.url) as url, open_server(url, wait_seconds) as server:
        return run(Trial(server, **lent), requirements, lambda _title: None)


def failed(report: Report) -> set[str]:
    """The ids of what failed."""
    return {outcome.requirement.id for outcome in report.outcomes if outcome.result == "failed"}


CASES: dict[type[Crooked], tuple[list[str], set[str]]] = {
    Crooked: (["register/", "sync/", "receipts/", "erasure/"], set()),
    BusyAtTimes: (["sync/", "bodies/gzip"], set()),
    ReceiptOfWhatTravelled: (["sync/", "bodies/plain", "bodies/gzip", "bodies/zstd"], {"bodies/gzip", "bodies/zstd"}),
    AllOrNothing: (
        ["events/kinds", "events/bad_range", "events/bad_time"],
        {"events/bad_range", "events/bad_time", "conduct/statuses"},
    ),
    CountsRepeats: (
        ["receipts/", "logs/sent-again", "logs/a-gap"],
        {"logs/sent-again-byte-for-byte"},
    ),
    SaysSlowDown: (["sync/fields", "sync/clock", "sync/pieces"], {"sync/clock", "conduct/statuses"}),
    BusyWithoutSayingHowLong: (["sync/fields", "sync/clock"], {"conduct/busy"}),
    SwallowsBombs: (["bodies/edges", "bodies/bombs", "bodies/too_large"], {"bodies/bombs", "bodies/too_large"}),
    FourHundredAndNinetyNine: (["bodies/edges", "bodies/too_large"], {"bodies/edges"}),
    TrustsEveryChain: (
        ["sync_chain/", "logs/a-gap"],
        {
            "sync_chain/an-event-altered-after-sealing-all-accepted-the-log-is-marked",
            "sync_chain/an-unknown-kind-it-alone-is-refused-the-log-is-marked",
            "logs/a-gap-that-is-filled-later",
        },
    ),
    GoneForGood: (["erasure/own"], {"erasure/own", "conduct/statuses"}),
    TellsStrangers: (["receipts/"], {"receipts/strangers"}),
    TrustsEveryToken: (["register/"], {"register/tokens"}),
    SpeaksHtml: (["register/", "bodies/not_contiguous"], {"conduct/refusals"}),
    SecondsOfClock: (["register/", "sync/"], {"sync/fields", "sync/clock"}),
}


@pytest.mark.parametrize("crooked", CASES, ids=lambda crooked: crooked.__name__)
def test_the_suite_names_what_a_server_breaks(running: Running, crooked: type[Crooked]) -> None:
    beginnings, broken = CASES[crooked]
    report = tried(running, crooked(), beginnings)
    seen = [f"{outcome.requirement.id}: {outcome.seen}" for outcome in report.outcomes if outcome.result == "failed"]
    assert failed(report) == broken, seen
    assert report.is_conformant == (not broken)


def test_a_server_that_never_counts_is_waited_for_once(running: Running) -> None:
    report = tried(running, NeverCounts(), ["receipts/at-once", "receipts/done", "receipts/unknown"], wait_seconds=0.8)
    seen = {each.requirement.id: each.seen for each in report.outcomes if each.result == "failed"}
    assert seen == {
        "receipts/done": "still pending after 0.8 s; is what counts running?",
        "receipts/unknown": "still pending after 0.5 s; is what counts running?",
    }


@pytest.mark.parametrize(
    ("crooked", "beginning", "broken"),
    [
        (HearsTooMuch, "playbacks/a-hair-under", {"playbacks/a-hair-under-thirty"}),
        (HearsTooMuch, "playbacks/exactly", set()),
        (CountsRepeats, "counting/a-batch-sent-twice", {"counting/a-batch-sent-twice-counts-once"}),
        (CountsRepeats, "counting/play-alone", set()),
        (ForgetsAField, "counting/play-alone", {"counting/play-alone-is-a-start"}),
    ],
)
def test_a_server_that_counts_wrongly_is_named(
    running: Running, crooked: type[Crooked], beginning: str, broken: set[str]
) -> None:
    assert failed(tried(running, crooked(), [beginning], api_key=running.api_key)) == broken
