"""The load generator counts what was acknowledged, and only that."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bench.load import Order, Result, is_whole, send
from bench.traffic import Traffic

OK = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def run_against(handler: Handler, requests: list[bytes], *, connections: int, seconds: float | None = None) -> Result:
    """Send these four-byte requests to a server of the test's own."""

    async def run() -> Result:
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            order = Order(
                port=port, devices=(), episodes=(), episode_ms=0, now_ms=0, events=0, connections=connections,
                seconds=seconds,
            )  # fmt: skip
            return await send(order, Traffic(requests, batch_size=20))

    return asyncio.run(run())


async def one_by_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: dict[bytes, bytes]) -> None:
    while request := await reader.read(4):
        assert request in answers, "a connection must wait for its answer before it sends more"
        writer.write(answers[request][:20])
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(answers[request][20:])
    writer.close()


@pytest.mark.parametrize("connections", [1, 3])
def test_without_a_time_limit_all_is_sent_exactly_once(connections: int) -> None:
    seen: list[bytes] = []
    requests = [b"r%03d" % number for number in range(10)]

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(8):
            seen.append(request)
            writer.write(OK)
        writer.close()

    result = run_against(handle, requests, connections=connections)
    assert sorted(seen) == requests
    assert (result.events, result.all_events, result.failures) == (200, 200, {})
    assert 0 < result.p50_ms <= result.p99_ms


def test_answers_other_than_201_and_202_are_failures_and_no_events() -> None:
    answers = {b"good": OK, b"busy": BUSY}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await one_by_one(reader, writer, answers)

    result = run_against(handle, [b"good", b"busy", b"good", b"busy", b"busy"], connections=1)
    assert (result.events, result.failures) == (40, {"503": 3})


def test_a_cut_connection_is_a_failure_and_the_rest_goes_over_a_new_one() -> None:
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        if connections == 1:
            await reader.read(4)
            writer.close()
        else:
            await one_by_one(reader, writer, {b"good": OK})

    result = run_against(handle, [b"good"] * 3, connections=1)
    assert (result.events, result.failures, connections) == (40, {"cut": 1}, 2)


def test_with_a_time_limit_it_starts_again_and_then_stops() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await one_by_one(reader, writer, {b"good": OK})

    result = run_against(handle, [b"good"], connections=1, seconds=0.2)
    assert result.all_events > 20
    assert result.seconds == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (OK, True),
        (OK[:-1], False),
        (OK[:30], False),
        (b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\nx: y\r\n\r\n{}", True),
        (b"HTTP/1.1 202 Accepted\r\nx: y\r\ncontent-length: 3\r\n\r\n{}", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
    ],
)
def test_an_answer_is_whole_with_the_last_byte_of_its_body(answer: bytes, expected: bool) -> None:
    assert is_whole(answer) is expected
