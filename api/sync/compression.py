"""Unpacks request bodies without trusting what they say about their size."""

import zlib

import zstandard

from api.errors import InvalidError, TooLargeError

MAX_BODY_BYTES = 1 << 20
"""A batch, unpacked; also the most that is read of a packed one."""
MAX_WINDOW_BYTES = 8 << 20
"""The largest zstd window that is allocated for a sender."""
MAX_GZIP_MEMBERS = 16
"""What follows a member is copied for the next one, so thousands of empty ones would cost quadratic time."""
_GZIP = 31
"""zlib's name for "gzip, largest window"."""


def too_large() -> TooLargeError:
    """The refusal of a body over the limit."""
    return TooLargeError(f"A batch is at most {MAX_BODY_BYTES} bytes unpacked and 500 events. Send fewer events.")


def unpack_body(body: bytes, encoding: str) -> bytes:
    """The JSON text of a body. Raises TooLargeError, or InvalidError for what cannot be unpacked."""
    match encoding:
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _unpack_gzip(body)
        case "zstd":
            return _unpack_zstd(body)
        case _:
            raise InvalidError(f"Content-Encoding {encoding[:40]!r} is not known here; use gzip, zstd or none.")


def _unpack_gzip(body: bytes) -> bytes:
    parts: list[bytes] = []
    room = MAX_BODY_BYTES
    try:
        while body:
            if len(parts) == MAX_GZIP_MEMBERS:
                raise InvalidError(f"A gzip body has at most {MAX_GZIP_MEMBERS} members. Pack it in one.")
            unpacker = zlib.decompressobj(_GZIP)
            part = unpacker.decompress(body, room + 1)
            room -= len(part)
            if room < 0:
                raise too_large()
            if not unpacker.eof:
                raise InvalidError("The gzip body ends too early. Send it again, whole.")
            parts.append(part)
            body = unpacker.unused_data
    except zlib.error as error:
        raise InvalidError(f"The body is not gzip: {error}.") from error
    return b"".join(parts)


def _unpack_zstd(body: bytes) -> bytes:
    # decompress(max_output_size=) does not bound a frame that states its size; reading a stream does.
    unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
    try:
        frame = zstandard.get_frame_parameters(body)
        with unpacker.stream_reader(body, read_across_frames=True) as reader:
            text = reader.read(MAX_BODY_BYTES + 1)
    except zstandard.ZstdError as error:
        raise InvalidError(f"The body is not zstd, or needs too large a window: {error}.") from error
    if len(text) > MAX_BODY_BYTES:
        raise too_large()
    if frame.content_size not in {zstandard.CONTENTSIZE_UNKNOWN, zstandard.CONTENTSIZE_ERROR} and (
        len(text) < frame.content_size
    ):
        raise InvalidError("The zstd body ends too early. Send it again, whole.")
    return text
