"""A load generator in a process of its own: `python -m bench.load` takes orders on stdin, one JSON object a line.

It builds every request before its clock starts and then only writes prepared bytes and reads statuses, so that it costs
a fraction of what the server costs. Each connection waits for its answer before it sends its next request.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from typing import cast

import msgspec
import uvloop

from bench.traffic import Device, Expected, Traffic, make_traffic

HOST = "127.0.0.1"
CONNECT_SECONDS = 10
ANSWER_SECONDS = 60
"""How long after its end a run waits for answers that are still out."""


class Order(msgspec.Struct, frozen=True):
    """Traffic to build and how to send it."""

    port: int
    devices: tuple[Device, ...]
    episodes: tuple[str, ...]
    episode_ms: int
    now_ms: int
    events: int
    """How many to build."""
    batch_size: int = 20
    connections: int = 8
    seconds: float | None = None
    """Send for so long, from the start again when all is sent; None sends all of it exactly once."""
    warm_up_seconds: float = 0.0
    """Sent at first and not measured; only with `seconds`."""
    seed: int = 1


class Result(msgspec.Struct):
    """What came of it. Only answers with 201 or 202 are counted as events."""

    events: int
    seconds: float
    all_events: int
    """Acknowledged in all, with those of the warm-up and those that were late."""
    p50_ms: float
    p99_ms: float
    failures: dict[str, int]
    """Status -> answers; `cut` for a connection that was closed on us, `refused` for one we could not open again."""
    cpu_seconds: float
    """What the load generator itself used."""
    expected: Expected
    """What all of the traffic, sent once, must be counted as."""

    @property
    def events_per_second(self) -> float:
        """Acknowledged events per second of wall time."""
        return self.events / self.seconds


class Run:
    """Shared by the connections of one order."""

    measure_from = stop_at = last_answer = 0.0

    def __init__(self, port: int) -> None:
        self.port = port
        self.latencies: list[float] = []
        self.in_time = self.in_all = 0
        self.failures: Counter[str] = Counter()

    def begin(self, warm_up_seconds: float, seconds: float | None) -> None:
        """The clock starts now."""
        self.measure_from = time.perf_counter() + (warm_up_seconds if seconds else 0)
        self.stop_at = self.measure_from + seconds if seconds else float("inf")
        self.last_answer = self.measure_from

    def note(self, now: float, latency: float, status: bytes) -> None:
        """An answer came."""
        if status not in {b"202", b"201"}:
            self.failures[status.decode()] += 1
            return
        self.in_all += 1
        if now < self.measure_from:
            return
        # Answers after the end are late enough to belong into the percentiles, but not into the rate: what was on its
        # way at the start of the window was counted, what is on its way at its end must not be.
        self.latencies.append(latency)
        self.last_answer = now
        self.in_time += now < self.stop_at


class Connection(asyncio.Protocol):
    """One keep-alive connection that plays its lane of requests."""

    def __init__(self, run: Run, lane: Iterator[bytes]) -> None:
        self._run = run
        self._lane = lane
        self._answer = b""
        self._is_finished = False
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its class

    def start(self) -> None:
        """Send the first request."""
        self._next(time.perf_counter())

    def _next(self, now: float) -> None:
        request = next(self._lane, None) if now < self._run.stop_at else None
        if request is None:
            self._is_finished = True
            self._transport.close()
            return
        self._sent = now
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """When the answer is whole, note it and send the next request."""
        self._answer = self._answer + data if self._answer else data
        if not is_whole(self._answer):
            return
        now = time.perf_counter()
        self._run.note(now, now - self._sent, self._answer[9:12])
        self._answer = b""
        self._next(now)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Finished, or cut off by the server: then on with the next request over a new connection."""
        if self._is_finished:
            self.done.set_result(None)
            return
        self._run.failures["cut"] += 1
        self._answer = b""
        self._reconnecting = asyncio.ensure_future(self._reconnect())

    async def _reconnect(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().create_connection(lambda: self, HOST, self._run.port)
        except OSError:  # the server is gone; a timeout is an OSError, too
            self._run.failures["refused"] += 1
            self.done.set_result(None)
        else:
            self.start()


def is_whole(answer: bytes) -> bool:
    """Whether an answer has arrived to the last byte of its body; servers here always state Content-Length."""
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    start = answer[:head].lower().find(b"content-length:") + 15
    if start < 15:
        return True
    length = answer[start:head].split(b"\r\n", 1)[0]
    return len(answer) >= head + 4 + int(length)


async def send(order: Order, traffic: Traffic) -> Result:
    """Carry out one order."""
    lanes: list[Iterator[bytes]] = [iter(traffic.requests[n :: order.connections]) for n in range(order.connections)]
    if order.seconds:
        lanes = [cycle(lane) for lane in lanes]
    loop = asyncio.get_running_loop()
    run = Run(order.port)
    async with asyncio.timeout(CONNECT_SECONDS):
        pairs = [
            await loop.create_connection(lambda lane=lane: Connection(run, lane), HOST, order.port) for lane in lanes
        ]
    cpu = time.process_time()
    run.begin(order.warm_up_seconds, order.seconds)
    for _, connection in pairs:
        connection.start()
    limit = (order.seconds or 600) + order.warm_up_seconds + ANSWER_SECONDS
    await asyncio.wait_for(asyncio.gather(*(connection.done for _, connection in pairs)), limit)
    return _result(run, traffic, time.process_time() - cpu)


def _result(run: Run, traffic: Traffic, cpu_seconds: float) -> Result:
    latencies = sorted(run.latencies) or [0.0]
    end = run.last_answer if run.stop_at == float("inf") else run.stop_at
    return Result(
        events=run.in_time * traffic.batch_size,
        seconds=max(end - run.measure_from, 1e-9),
        all_events=run.in_all * traffic.batch_size,
        p50_ms=latencies[len(latencies) // 2] * 1000,
        p99_ms=latencies[int(len(latencies) * 0.99)] * 1000,
        failures=dict(run.failures),
        cpu_seconds=cpu_seconds,
        expected=traffic.expected,
    )


def build(order: Order) -> Traffic:
    """The traffic of an order."""
    return make_traffic(
        order.devices,
        order.episodes,
        events=order.events,
        batch_size=order.batch_size,
        seed=order.seed,
        now_ms=order.now_ms,
        episode_ms=order.episode_ms,
    )


def main() -> None:
    """Carry out orders until stdin ends. The last few traffics are kept: the same one is often sent again."""
    kept: dict[tuple[object, ...], Traffic] = {}
    for line in sys.stdin.buffer:
        order = msgspec.json.decode(line, type=Order)
        key = (order.devices[0].device_id, len(order.devices), order.events, order.batch_size, order.seed)
        if key not in kept:
            if len(kept) >= 4:
                kept.pop(next(iter(kept)))
            kept[key] = build(order)
        result = uvloop.run(send(order, kept[key]))
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
