"""Uploads on their way to the disk: bounded in size and memory, never visible before they are known to be good."""

import asyncio
import errno
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from starlette.concurrency import run_in_threadpool

from api.errors import ApiError, InvalidError, TooLargeError
from api.storage import LocalAudio

WRITE_BYTES = 1 << 20
"""An upload holds this much memory, whatever its size."""
IDLE_SECONDS = 60
"""A sender that says nothing for this long is gone; its connection may look alive for hours."""


class UnsupportedTypeError(ApiError):
    """The Content-Type is not `audio/*`, nor `application/octet-stream`."""

    status = 415
    code = "unsupported_type"


class IncompleteError(ApiError):
    """Fewer or more bytes came than the request announced."""

    code = "incomplete"


class StalledError(ApiError):
    """Nothing came for a minute."""

    status = 408
    code = "stalled"


class NoRoomError(ApiError):
    """The disk for audio is full."""

    status = 507
    code = "no_room"


class EmptyError(InvalidError):
    """No bytes came."""

    code = "empty"


@dataclass(frozen=True, slots=True)
class Upload:
    """A whole upload, on disk and synced, not visible yet."""

    path: Path
    bytes: int
    sha256: str


def check_type(content_type: str | None) -> None:
    """Raise UnsupportedTypeError; a missing type passes, since the file is looked into anyway."""
    media_type = (content_type or "application/octet-stream").partition(";")[0].strip().lower()
    if not media_type.startswith("audio/") and media_type != "application/octet-stream":
        raise UnsupportedTypeError(
            f"Content-Type is {media_type!r}; send the file itself with audio/mpeg or audio/mp4."
        )


@asynccontextmanager
async def receive(
    audio: LocalAudio, chunks: AsyncIterator[bytes], *, declared_bytes: int | None, max_bytes: int
) -> AsyncIterator[Upload]:
    """The upload in `chunks`, whole and synced. Afterwards its file is gone, unless `audio.keep` took it."""
    if declared_bytes is not None and declared_bytes > max_bytes:
        raise _too_large(max_bytes)
    path = audio.incoming(uuid4().hex)
    with _create_locked(path) as file:
        try:
            yield await _write_all(file, path, chunks, declared_bytes, max_bytes)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise NoRoomError("The server has no room for this file. Ask its operator for more.") from error
            raise
        finally:
            path.unlink(missing_ok=True)


def _create_locked(path: Path) -> BinaryIO:
    """A new file whose lock tells `clean` that somebody is writing; the kernel lets go of it however we end."""
    while True:
        file = path.open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file
        # `clean` came between the two calls and took the file for an abandoned one.
        file.close()


async def _write_all(
    file: BinaryIO, path: Path, chunks: AsyncIterator[bytes], declared_bytes: int | None, max_bytes: int
) -> Upload:
    digest, size, waiting = hashlib.sha256(), 0, bytearray()

    def write(block: bytes) -> None:
        digest.update(block)
        file.write(block)

    async for chunk in _without_stalls(chunks):
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes)
        waiting += chunk
        if len(waiting) >= WRITE_BYTES:
            await run_in_threadpool(write, bytes(waiting))
            waiting.clear()
    if declared_bytes is not None and size != declared_bytes:
        raise IncompleteError(f"{declared_bytes:,} bytes were announced and {size:,} came. Send the file again.")
    if size == 0:
        raise EmptyError("The request has no body. Send the audio file itself as the body.")
    await run_in_threadpool(write, bytes(waiting))
    await run_in_threadpool(_sync, file)
    return Upload(path, size, digest.hexdigest())


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


async def _without_stalls(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise StalledError(f"Nothing came for {IDLE_SECONDS} s. Send the file again.") from error
        yield chunk


def _too_large(max_bytes: int) -> TooLargeError:
    return TooLargeError(f"Audio files may have up to {max_bytes:,} bytes here. Export it with a lower bitrate.")


def clean(audio: LocalAudio) -> None:
    """Remove what processes that ended during an upload left behind; uploads that are running stay."""
    for path in (audio.folder / "incoming").iterdir():
        with suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            path.unlink(missing_ok=True)
