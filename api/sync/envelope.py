"""Reads a batch: the envelope whole or not at all, every event on its own.

The quick way decodes everything at once. When that fails, for whatever reason, each event is decoded alone, so that a
bad one is refused with its cause and the others are kept.
"""

import re
from dataclasses import dataclass

import msgspec

from api.errors import InvalidError, TooLargeError
from api.events.records import EventTuple

MAX_EVENTS = 500
KINDS = frozenset({"download", "play", "progress", "pause", "seek", "complete", "short"})
POINT_KINDS = frozenset({"download", "play"})
"""Kinds that close no span: `from_ms == to_ms`, `wall_ms` 0."""
MIN_AT_MS = 946_684_800_000
"""2000-01-01: a device clock that never was set says 1970, and no listening can be dated by it."""
MAX_AT_MS = 4_102_444_800_000
"""2100-01-01."""
MAX_MEDIA_MS = 7 * 86_400_000
"""No recording, and no stretch of listening, is longer than a week; bounds what one event can make the worker hold."""
MAX_SEQ = 2**53
"""The largest integer that every JSON client keeps exact."""

_ID = re.compile(r"[0-9a-f]{64}")
_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_WORDS = 200_000
_ESCAPE = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""An escaped backslash, a surrogate pair, or (group 1) half of one."""


class SyncEvent(msgspec.Struct, gc=False):
    """One event as sent."""

    seq: int
    kind: str
    episode: str
    session: str
    at_ms: int
    from_ms: int
    to_ms: int
    wall_ms: int
    offline: bool


class Envelope(msgspec.Struct):
    """A batch as sent, all events well typed."""

    sent_at_ms: int
    after: str
    head: str
    events: list[SyncEvent]


class LooseEnvelope(msgspec.Struct):
    """A batch as sent, events not looked at yet."""

    sent_at_ms: int
    after: str
    head: str
    events: list[msgspec.Raw]


class _Seq(msgspec.Struct):
    seq: int


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that was read: what is kept and what is refused."""

    after: str
    head: str
    first_seq: int
    last_seq: int
    accepted: list[EventTuple]
    rejected: list[tuple[int, str]]
    """seq and cause."""


_decode_envelope = msgspec.json.Decoder(Envelope).decode
_decode_loosely = msgspec.json.Decoder(LooseEnvelope).decode
_decode_event = msgspec.json.Decoder(SyncEvent).decode
_decode_seq = msgspec.json.Decoder(_Seq).decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_words: set[str] = set()
"""Strings known to be words: the same episodes and sessions come again and again."""


def _is_word(text: str) -> bool:
    if _WORD.fullmatch(text) is None:
        return False
    if len(_words) >= _MOST_WORDS:
        _words.clear()
    _words.add(text)
    return True


def parse_batch(text: bytes) -> Batch:
    """Read a batch. Raises InvalidError when the envelope is unreadable, TooLargeError over 500 events."""
    events: list[SyncEvent | None]
    envelope: Envelope | LooseEnvelope
    try:
        envelope = _decode_envelope(text)
        events = list(envelope.events)
        seqs: list[int | None] = [event.seq for event in envelope.events]
    except _UNREADABLE:
        envelope, events, seqs = _read_loosely(text)
    _check_envelope(envelope, len(events))
    first_seq = _check_contiguous(seqs)
    accepted: list[EventTuple] = []
    rejected: list[tuple[int, str]] = []
    for seq, event in enumerate(events, first_seq):
        cause = "bad_field" if event is None else _cause(event)
        if cause is not None or event is None:
            rejected.append((seq, cause or "bad_field"))
            continue
        accepted.append(
            (
                seq,
                event.kind,
                event.episode,
                event.session,
                event.at_ms,
                event.from_ms,
                event.to_ms,
                event.wall_ms,
                event.offline,
            )
        )
    return Batch(envelope.after, envelope.head, first_seq, first_seq + len(events) - 1, accepted, rejected)


def _read_loosely(text: bytes) -> tuple[LooseEnvelope, list[SyncEvent | None], list[int | None]]:
    try:
        envelope = _decode_loosely(_without_lone_surrogates(text))
    except _UNREADABLE as error:
        raise InvalidError(f"The batch cannot be read: {error}. See the sync protocol's envelope.") from error
    _check_envelope(envelope, len(envelope.events))
    events: list[SyncEvent | None] = []
    seqs: list[int | None] = []
    for raw in envelope.events:
        try:
            event = _decode_event(raw)
            events.append(event)
            seqs.append(event.seq)
        except _UNREADABLE:
            events.append(None)
            seqs.append(_try_seq(raw))
    return envelope, events, seqs


def _without_lone_surrogates(text: bytes) -> bytes:
    """Halves of characters, which JavaScript's JSON lets through, as U+FFFD: they are one event's fault, not all's."""
    return _ESCAPE.sub(lambda match: rb"\ufffd" if match[1] else match[0], text)


def _try_seq(raw: msgspec.Raw) -> int | None:
    try:
        return _decode_seq(raw).seq
    except _UNREADABLE:
        return None


def _check_envelope(envelope: Envelope | LooseEnvelope, count: int) -> None:
    if count > MAX_EVENTS:
        raise TooLargeError(f"A batch has at most {MAX_EVENTS} events; this one has {count}. Send fewer events.")
    if count == 0:
        raise InvalidError("A batch has at least one event.")
    for name, value in (("after", envelope.after), ("head", envelope.head)):
        if _ID.fullmatch(value) is None:
            raise InvalidError(f"{name!r} must be an event id: 64 lowercase hexadecimal digits.")


def _check_contiguous(seqs: list[int | None]) -> int:
    """The first seq. An event whose own seq cannot be read stands where its neighbours leave room for it."""
    first = next((seq - place for place, seq in enumerate(seqs) if seq is not None), None)
    if first is None:
        raise InvalidError("No event of the batch has a readable seq.")
    if not 1 <= first <= MAX_SEQ - len(seqs) + 1:
        raise InvalidError("seq counts up from 1, to 2^53 at most.")
    if any(seq is not None and seq != first + place for place, seq in enumerate(seqs)):
        raise InvalidError("The events of a batch must have seq counting up by one. Send the stretches one by one.")
    return first


def _cause(event: SyncEvent) -> str | None:
    """Why an event can never be accepted, or None."""
    if (event.episode not in _words and not _is_word(event.episode)) or (
        event.session not in _words and not _is_word(event.session)
    ):
        return "bad_field"
    if event.kind not in KINDS:
        return "bad_kind"
    if not MIN_AT_MS <= event.at_ms <= MAX_AT_MS:
        return "bad_time"
    if not 0 <= event.from_ms <= event.to_ms <= MAX_MEDIA_MS or not 0 <= event.wall_ms <= MAX_MEDIA_MS:
        return "bad_range"
    if event.kind in POINT_KINDS and (event.from_ms != event.to_ms or event.wall_ms != 0):
        return "bad_range"
    return None
