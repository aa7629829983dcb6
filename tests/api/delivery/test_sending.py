"""What a response counts as sent."""

import asyncio
from pathlib import Path

import pytest
from starlette.types import Message

from api.delivery.ranges import Span
from api.delivery.sending import CHUNK_BYTES, FileSpan

CHUNKS = 10


class Connection:
    """A client that takes `patience` chunks and hangs up while the next one waits to be sent."""

    def __init__(self, patience: int, *, raises: bool = False) -> None:
        self.patience, self.raises = patience, raises
        self.bodies = 0
        self.has_hung_up = asyncio.Event()

    async def receive(self) -> Message:
        await self.has_hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if not message.get("body"):
            return
        self.bodies += 1
        if self.bodies > self.patience:
            self.has_hung_up.set()
            await asyncio.sleep(0)  # woken together with the one who waits in `receive`, as uvicorn does it
            if self.raises:
                raise ConnectionResetError


def run(path: Path, connection_of, span: Span) -> tuple[Connection, list[tuple[int, int]]]:
    ends: list[tuple[int, int]] = []

    async def respond() -> Connection:
        connection = connection_of()
        file = path.open("rb", buffering=0)
        await FileSpan(206, {}, lambda *end: ends.append(end), file, span)({}, connection.receive, connection.send)
        assert file.closed
        return connection

    return asyncio.run(respond()), ends


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of ten chunks."""
    path = tmp_path / "audio"
    path.write_bytes(bytes(CHUNKS * CHUNK_BYTES))
    return path


def test_all_of_it(path: Path) -> None:
    connection, ends = run(path, lambda: Connection(99), Span(5, CHUNKS * CHUNK_BYTES))
    assert ends == [(206, CHUNKS * CHUNK_BYTES - 5)]
    assert connection.bodies == CHUNKS


@pytest.mark.parametrize("raises", [False, True], ids=["dropped in silence, as uvicorn does", "raised"])
def test_the_chunk_that_did_not_go_out_is_not_counted_and_no_more_are_read(path: Path, raises: bool) -> None:
    connection, ends = run(path, lambda: Connection(3, raises=raises), Span(0, CHUNKS * CHUNK_BYTES))
    assert ends == [(206, 3 * CHUNK_BYTES)]
    assert connection.bodies == 4


def test_a_server_that_stops_still_leaves_the_hit(path: Path) -> None:
    ends: list[tuple[int, int]] = []

    async def respond_and_cancel() -> None:
        connection, sending = Connection(99), asyncio.Event()

        async def send(message: Message) -> None:
            await connection.send(message)
            if connection.bodies == 2:
                sending.set()
                await asyncio.Event().wait()

        span = FileSpan(200, {}, lambda *end: ends.append(end), path.open("rb"), Span(0, CHUNKS * CHUNK_BYTES))
        task = asyncio.create_task(span({}, connection.receive, send))
        await sending.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(respond_and_cancel())
    assert ends == [(200, CHUNK_BYTES)]


def test_a_file_that_becomes_shorter_is_an_error_and_counts_what_there_was(path: Path) -> None:
    ends: list[tuple[int, int]] = []

    async def respond() -> None:
        connection = Connection(99)
        span = FileSpan(200, {}, lambda *end: ends.append(end), path.open("rb"), Span(0, CHUNKS * CHUNK_BYTES + 1))
        await span({}, connection.receive, connection.send)

    with pytest.raises(EOFError):
        asyncio.run(respond())
    assert ends == [(200, CHUNKS * CHUNK_BYTES)]
