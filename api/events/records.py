"""What a record in the log says, packed with msgpack as arrays.

The first element tells the type; new fields go to the end with a default, so that old records stay readable.
"""

import msgspec

from models.columns import DAY_MS

EventTuple = tuple[int, str, str, str, int, int, int, int, bool]
"""seq, kind, episode, session, at_ms, from_ms, to_ms, wall_ms, is_offline: an accepted event, exactly as sent."""


class SyncBatch(msgspec.Struct, array_like=True, tag=1, frozen=True, gc=False):
    """A batch that a device sent: only events that were accepted."""

    device: bytes
    """The device id's sixteen bytes, proved by its token."""
    received_ms: int
    receipt: bytes
    """SHA-256 of the body, unpacked."""
    after: str
    """The id before the first event, hex, as sent."""
    head: str
    """The id of the last event, hex, as sent; not checked yet."""
    first_seq: int
    """The seq of the first event sent, accepted or not."""
    last_seq: int
    events: list[EventTuple]
    country: str = ""
    """ISO 3166 alpha-2, empty when unknown."""


class Hit(msgspec.Struct, array_like=True, tag=2, frozen=True, gc=False):
    """One HTTP request for audio."""

    at_ms: int
    """When the request came; the record is appended when the answer has ended."""
    episode: str
    """UUID."""
    consumer: bytes
    """Keyed hash of the address (IPv6 cut to /64), eight bytes, and of address and user agent, eight bytes. The address
    itself is never stored."""
    method: str
    status: int
    range: str
    """The Range header, empty when there was none."""
    sent_bytes: int
    user_agent: str
    referrer: str
    audio_sha256: str
    """The file version that was served."""
    country: str = ""
    traits: int = 0
    """What address, user agent and referrer said about it, as bits of `api.hits.traits.Trait`."""
    app: str = ""
    device_class: str = ""
    earlier: int = 0
    """The consumer under the key before this one, in the first days after a rotation; 64 bits."""


ActionTuple = tuple[bytes, int, int, int, str, str, str, str]
"""id (32 bytes), at_ms, from_ms, to_ms, episode (UUID, empty when not known yet), podcast URL, enclosure URL, GUID."""


class Actions(msgspec.Struct, array_like=True, tag=3, frozen=True, gc=False):
    """Plays that a podcast app told over the gpodder API. A span without a wall time, in no hash chain."""

    device: bytes
    """Sixteen bytes that stand for one listener's device, made from both names with the installation's secret."""
    received_ms: int
    actions: list[ActionTuple]
    """`from_ms == to_ms` when the app told no position: a start."""
    country: str = ""


class Replay(msgspec.Struct, array_like=True, tag=4, frozen=True, gc=False):
    """An event that was set aside, to be judged once more: as of its first receipt, with the catalogue of now."""

    device: bytes
    received_ms: int
    """Of the first receipt."""
    event_id: bytes
    event: EventTuple


class Erase(msgspec.Struct, array_like=True, tag=5, frozen=True, gc=False):
    """A device's wish to be forgotten: all it sent before goes, what it sends later is not counted."""

    device: bytes


KeptPlayback = tuple[int, bytes, str, bytes, bytes, int, bool, bool]
"""day, a device id that stands for this playback alone, episode UUID, coverage, repeats, wall_ms, is_start, is_offline:
as in the table `playback`."""


class Kept(msgspec.Struct, array_like=True, tag=6, frozen=True, gc=False):
    """What stays of an erased device, in the place of its wish: sums, and playbacks under stand-ins."""

    device_hash: bytes
    playbacks: list[KeptPlayback]
    arrivals: list[tuple[str, int, int, int, int, int, int, int]]
    """episode UUID, received day, day, events, starts, listens, heard_seconds, newest receipt."""
    show_arrivals: list[tuple[str, int, int, int, int, int]]
    """UUID of any of the show's episodes, day, lag_hours, starts, listens, heard_seconds."""
    outcomes: list[tuple[int, str, int]]
    """received day, outcome, events."""


class Gone(msgspec.Struct, array_like=True, tag=7, frozen=True, gc=False):
    """Stands where a record of an erased device was, so that offsets stay as they are."""

    received_ms: int = 0
    events: int = 0
    """How many were sent after the device was erased; what came before is told by `Kept`."""


class HitChunk(msgspec.Struct, array_like=True, tag=8, frozen=True, gc=False):
    """Consecutive lines of an access log, as hits in columns."""

    received_ms: int
    source: bytes
    """Sixteen bytes that stand for the file."""
    name: str
    """The file's name, without folders."""
    format: str
    has_ranges: bool
    first_line: int
    """Lines of the file before these, from 0."""
    lines: int
    """How many lines of the file these were, of every kind."""
    unpacked_bytes: int
    """Where in the unpacked file the last of them ends."""
    digest: bytes
    """BLAKE2b of the unpacked file up to there."""
    aside: dict[str, int]
    """Lines that belong to no episode, by cause; `unreadable` ones too."""
    files: list[tuple[str, str]]
    """Episode UUID and the sha256 of the audio version; what the column `file` points into."""
    agents: list[tuple[str, str]]
    """App and device class; what the column `agents` points into."""
    countries: list[str]
    hits: int
    columns: bytes
    """See `columns.py`."""


AnyRecord = SyncBatch | Hit | Actions | Replay | Erase | Kept | Gone | HitChunk

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(AnyRecord)


_FIX_ARRAY = 0x90
_ARRAY16 = 0xDC
_REPLAY = 4
_CONTROLS = {5, 6}


def is_control(payload: bytes) -> bool:
    """Whether the record changes what those after it mean, so that it is folded alone. Looks at two bytes."""
    return len(payload) > 1 and payload[0] & 0xF0 == _FIX_ARRAY and payload[1] in _CONTROLS


_CHUNK = 8


def is_chunk(payload: bytes) -> bool:
    """Whether the record is a `HitChunk`. Looks at five bytes at most."""
    if len(payload) > 3 and payload[0] == _ARRAY16:
        return payload[3] == _CHUNK
    return len(payload) > 1 and payload[0] & 0xF0 == _FIX_ARRAY and payload[1] == _CHUNK


def group_of(payload: bytes) -> bytes:
    """What a `HitChunk` may be counted together with: its file and its UTC day of receipt, as bytes; empty for every
    other record, and for one that cannot be read."""
    if not is_chunk(payload):
        return b""
    try:
        record = unpack(payload)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return b""
    return b"%b/%d" % (record.source, record.received_ms // DAY_MS) if isinstance(record, HitChunk) else b""


def is_replay(payload: bytes) -> bool:
    """Whether the record is a `Replay`. Looks at two bytes."""
    return len(payload) > 1 and payload[0] & 0xF0 == _FIX_ARRAY and payload[1] == _REPLAY


def pack(record: AnyRecord) -> bytes:
    """The bytes for the log."""
    return _encoder.encode(record)


def unpack(payload: bytes) -> AnyRecord:
    """The record in these bytes; raises msgspec.DecodeError when they are none of ours."""
    record: AnyRecord = _decoder.decode(payload)
    return record
