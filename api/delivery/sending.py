"""A response that sends a stretch of a file and knows in the end how much of it went out."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api.delivery.ranges import Span

CHUNK_BYTES = 64 * 1024
"""What the server buffers for a connection before it makes us wait; so the count is at most this far ahead."""

OnEnd = Callable[[int, int], None]
"""Told once: the status, and how many bytes of the file were sent."""


class FileSpan(Response):
    """Status and headers, then the span's bytes, if there is one. Closes the file and tells `on_end` in any case."""

    def __init__(
        self, status: int, headers: Mapping[str, str], on_end: OnEnd, file: BinaryIO, span: Span | None = None
    ) -> None:
        super().__init__(status_code=status)
        self.raw_headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        self._file, self._span, self._on_end = file, span, on_end
        self._sent = 0
        self._is_gone = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it all, or until the client hangs up."""
        watch = asyncio.create_task(self._watch(receive))
        try:
            # Servers of ASGI 2.4 on raise OSError when the client is gone; uvicorn drops what is sent instead. When it
            # stops, it cancels what has not ended within seconds, and that ends here in any case.
            with suppress(OSError, asyncio.CancelledError):
                await self._send_all(send)
        finally:
            watch.cancel()
            self._file.close()
            self._on_end(self.status_code, self._sent)

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if self._span is not None:
            await run_in_threadpool(self._file.seek, self._span.start)
            await self._send_span(send, self._span.length)
        if not self._is_gone:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_span(self, send: Send, left: int) -> None:
        while left > 0 and not self._is_gone:
            chunk = await run_in_threadpool(self._file.read, min(CHUNK_BYTES, left))
            if not chunk:
                raise EOFError("the audio file became shorter while it was sent")
            message: Message = {"type": "http.response.body", "body": chunk, "more_body": True}
            await send(message)
            # A send that waited for a client which then hung up returns as if all were well.
            if not self._is_gone:
                self._sent += len(chunk)
            left -= len(chunk)
