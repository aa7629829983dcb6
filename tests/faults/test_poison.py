"""Input made to break something: it is refused or set aside, and everybody else's is counted."""

import asyncio
import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
import zstandard
from sqlalchemy import Engine

from api.events import Record
from api.events.opening import open_log
from tests.device import Phone, encode
from tests.faults.fleet import ON_SQLITE, Fleet
from tests.faults.invariants import check_all
from tests.faults.traffic import LISTENS, Traffic, connect

pytestmark = pytest.mark.faults

MOST_MEMORY_KIB = 64 << 10
"""Far below what the bombs would take, unpacked."""


def with_last(change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    """A body whose last event was changed, as text."""

    def spoil(body: bytes) -> bytes:
        head, brace, last = body.decode().rpartition('{"seq"')
        return (head + change(brace + last)).encode()

    return spoil


def field(name: str, value: str) -> Callable[[bytes], bytes]:
    """A body whose last event has another value there."""
    return with_last(lambda event: re.sub(rf'"{name}": [^,}}]+', lambda _: f'"{name}": {value}', event))


EVENTS = {
    "bad UTF-8": lambda body: re.sub(rb'"session": "s1"(?!.*"session")', b'"session": "\xff\xfe"', body),
    "half a character": field("session", r'"\ud800"'),
    "NaN": field("at_ms", "NaN"),
    "infinity": field("wall_ms", "Infinity"),
    "2 to the 63": field("at_ms", str(2**63)),
    "2 to the 63 of wall time": field("wall_ms", str(2**63)),
    "a thousand digits": field("to_ms", "9" * 1000),
    "deep JSON": field("session", "[" * 5000 + "]" * 5000),
    "an unknown kind": field("kind", '"teleport"'),
    "a field of a later version": field("offline", 'true, "v": 2'),
    "a NUL": field("session", r'"\u0000"'),
    "no object": with_last(lambda _event: "7]}"),
}
"""What spoils one event, the last of a batch."""


@ON_SQLITE
def test_poison_is_refused_and_what_stood_beside_it_is_counted(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path
) -> None:
    url, api = fleet.serve()
    worker = fleet.worker()
    with connect(url) as client, traffic.audience(url):
        for name, spoil in EVENTS.items():
            phone = traffic.phone(client, 2)
            body = spoil(encode(phone.batch()))
            answer = client.post("/v1/sync", content=body, headers=phone.headers)
            assert answer.status_code in {202, 422}, (name, answer.text)
            if answer.status_code == 202:
                traffic.note(phone, 1, len(phone.log), {item["seq"] for item in answer.json()["rejected"]})
        send_bombs(client, traffic.phone(client), api.pid)
        append_unknown(home)
        assert all(traffic.send_each(client, traffic.phone(client)))
    assert api.poll() is None
    fleet.fold_all()
    fleet.stop_cleanly(worker)
    check_all(engine, traffic, home, unreadable=len(UNKNOWN))
    assert len(traffic.acknowledged) > 2 * LISTENS + len(EVENTS)


def send_bombs(client: httpx2.Client, phone: Phone, pid: int) -> None:
    """Bodies that are small and unpack to a hundred megabytes; the API must not hold them."""
    before = peak_memory_kib(pid)
    zeros = bytes(100 << 20)
    bombs = {"gzip": gzip.compress(zeros, 1), "zstd": zstandard.compress(zeros, 1)}
    nested = gzip.compress(bombs["gzip"])
    for encoding, body in [*bombs.items(), ("gzip", nested), ("zstd", bombs["zstd"][:-5])]:
        headers = {**phone.headers, "Content-Encoding": encoding}
        answer = client.post("/v1/sync", content=body, headers=headers)
        assert answer.status_code in {413, 422}, answer.text
    assert peak_memory_kib(pid) - before < MOST_MEMORY_KIB


def peak_memory_kib(pid: int) -> int:
    """The most that a process has held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1])  # type: ignore[index]


UNKNOWN: list[Any] = [
    [99, "a record of a later version"],
    {"a": "map"},
    [1],
    "text",
    None,
    [1, b"x" * 16, -1, b"", "", "", 0, 0, [[0] * 9]],
]
"""What a log may hold that this version cannot read."""


def append_unknown(home: Path) -> None:
    """Put records into the log that no worker of this version knows."""
    log = open_log(f"sqlite:///{home / 'events.db'}")

    async def append_all() -> None:
        for number, value in enumerate(UNKNOWN):
            await log.append(Record(b"%d" % number, msgspec.msgpack.encode(value)))

    asyncio.run(append_all())
    log.close()


def test_the_poison_is_what_it_says() -> None:
    body = json.dumps({"events": [{"seq": 1, "session": "s1"}, {"seq": 2, "session": "s1", "at_ms": 5}]}).encode()
    assert EVENTS["bad UTF-8"](body).count(b"\xff\xfe") == 1
    assert field("at_ms", "NaN")(body).endswith(b'"at_ms": NaN}]}')
