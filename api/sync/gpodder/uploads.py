"""Reads uploaded episode actions: each on its own, so that a bad one never costs the others."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from api.errors import ApiError
from api.sync.gpodder.addresses import clean_reference, clean_text, clean_url, note_change

KINDS = frozenset({"download", "play", "delete", "new", "flattr"})
DEVICE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
MAX_SECONDS = 7 * 86_400
"""No recording is longer than a week."""
MOST_ACTIONS = 50_000
"""Of one body; twice what the longest has room for when its actions have addresses of a usual length. Those behind are
dropped: an app that is refused would only send all of them again."""
FIRST_SECOND, LAST_SECOND = 946_684_800, 4_102_444_800
"""2000 and 2100: a clock outside says nothing of when it was."""


_SPACE = re.compile(r"[ \t\r\n]*")


class UnreadableError(ApiError):
    """The body is not what this address takes. The message says what it is."""

    code = "unreadable"


@dataclass(frozen=True, slots=True)
class Action:
    """One action that is kept."""

    kind: str
    device: str
    """Empty when the app told none that can be kept."""
    podcast: str
    episode: str
    """Address or GUID, cleaned."""
    guid: str
    at_ms: int
    when: str
    """The instant as it goes into ids: Unix ms; the UTC day of receipt when the app told none; empty when what it told
    cannot be read, and then the action is not counted."""
    started: int | None
    position: int | None
    total: int | None

    def span_ms(self) -> tuple[int, int] | None:
        """What was heard, `[from, to)`; equal for a start without a known range; None when nothing is to be counted."""
        if self.kind != "play" or not self.when:
            return None
        if self.started is None or self.position is None:
            return 0, 0
        # Apps mark an episode as played with started == position, thousands at once when they first sync.
        return (self.started * 1000, self.position * 1000) if self.started < self.position else None

    def event_id(self, device: bytes) -> bytes:
        """What makes it the same play when it is sent again; docs/gpodder.md."""
        return _digest("earshot-gpodder/1", device.hex(), *self._lines())

    def action_id(self, device: bytes) -> bytes:
        """The same for an action of any kind."""
        return _digest("earshot-gpodder-action/1", self.kind, device.hex(), *self._lines(), self.podcast)

    def _lines(self) -> Iterator[str]:
        yield from (self.episode, self.when)
        yield from ("" if seconds is None else str(seconds) for seconds in (self.started, self.position))


@dataclass(slots=True)
class Upload:
    """What was read of a body."""

    actions: list[Action] = field(default_factory=list)
    changed: dict[str, str] = field(default_factory=dict)
    """Old address -> new one, where cleaning changed it."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Cause -> actions that can never be kept."""


class BadActionError(ValueError):
    """An action that can never be kept; its text is the cause."""


def parse_upload(body: bytes, received_ms: int) -> Upload:
    """Read a body. Raises UnreadableError when it is no JSON list; anything else costs only the action it is in."""
    upload = Upload()
    for number, value in enumerate(_each(body.decode("utf-8-sig", "replace"))):
        if number == MOST_ACTIONS:
            upload.dropped["too_many"] += 1
            break
        try:
            upload.actions.append(_parse_action(value, received_ms, upload.changed))
        except BadActionError as error:
            upload.dropped[str(error)] += 1
    return upload


def _each(text: str) -> Iterator[Any]:
    """The values of a JSON list one after the other: a body that is short can be long when it is unpacked."""
    at = _skip_space(text, 0)
    if text[at : at + 1] != "[":
        raise UnreadableError("Send a JSON list of episode actions.")
    at = _skip_space(text, at + 1)
    is_over = text[at : at + 1] == "]"
    while not is_over:
        try:
            value, at = _decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise UnreadableError(f"The body is not JSON: {error}.") from error
        yield value
        at = _skip_space(text, at)
        is_over = text[at : at + 1] == "]"
        if not is_over and text[at : at + 1] != ",":
            raise UnreadableError(f"The body is not JSON: there is no comma at character {at}.")
        at = at if is_over else _skip_space(text, at + 1)
    if _skip_space(text, at + 1) != len(text):
        raise UnreadableError("The body is not JSON: something follows the list.")


def _skip_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def parse_json(body: bytes) -> Any:
    """The JSON value of a body; raises UnreadableError."""
    try:
        return json.loads(body.decode("utf-8-sig", "replace"), parse_int=_parse_int)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"The body is not JSON: {error}.") from error


def _parse_int(digits: str) -> float:
    return int(digits) if len(digits) < 20 else math.inf


# Half a character, or a number with thousands of digits, is one action's fault and not the body's.
_decoder = json.JSONDecoder(parse_int=_parse_int)


def device_name(value: Any) -> str:
    """A device's name, empty when it is none."""
    return value if isinstance(value, str) and DEVICE_NAME.fullmatch(value) else ""


def _parse_action(value: Any, received_ms: int, changed: dict[str, str]) -> Action:
    if not isinstance(value, dict):
        raise BadActionError("not_an_object")
    kind = value.get("action")
    if not isinstance(kind, str) or (kind := kind.lower()) not in KINDS:
        raise BadActionError("bad_action")
    told = value.get("episode") or value.get("guid")
    podcast, episode = clean_url(value.get("podcast")), clean_reference(told)
    if not podcast or not episode:
        raise BadActionError("bad_address")
    started = position = total = None
    if kind == "play":
        started, position = _seconds(value.get("started")), _seconds(value.get("position"))
        total = _total(value.get("total"))
    at_ms, when = _instant(value.get("timestamp"), received_ms)
    for old, new in ((value["podcast"], podcast), (str(told), episode)):
        note_change(changed, old, new)
    guid = clean_text(value.get("guid"))
    return Action(kind, device_name(value.get("device")), podcast, episode, guid, at_ms, when, started, position, total)


def _seconds(value: Any) -> int | None:
    """Whole seconds, None for -1 and absent ones; raises BadActionError for what no recording has."""
    if value is None:
        return None
    seconds = _try_number(value)
    if seconds is None or not -1 <= seconds <= MAX_SECONDS:
        raise BadActionError("bad_position")
    return None if seconds < 0 else int(seconds)


def _total(value: Any) -> int | None:
    """The recording's length as the app believes it; nothing is counted by it, so a senseless one is left out."""
    seconds = _try_number(value)
    return int(seconds) if seconds is not None and 0 <= seconds <= MAX_SECONDS else None


def _try_number(value: Any) -> float | None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | str)
        or (isinstance(value, str) and len(value) > 20)
    ):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _instant(value: Any, received_ms: int) -> tuple[int, str]:
    """Unix ms, and how the instant goes into ids."""
    if value is None or value == "":
        return received_ms, datetime.fromtimestamp(received_ms / 1000, UTC).date().isoformat()
    told_ms = _try_instant(value)
    return (received_ms, "") if told_ms is None else (told_ms, str(told_ms))


def _try_instant(value: Any) -> int | None:
    """Unix ms of ISO 8601 text, UTC unless it has an offset, or of Unix seconds."""
    seconds: float | None
    if isinstance(value, str) and not value.strip().isdecimal():
        try:
            instant = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
        try:
            seconds = (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
        except (OverflowError, ValueError):
            return None
    else:
        seconds = _try_number(value)
    if seconds is None or not FIRST_SECOND <= seconds < LAST_SECOND:
        return None
    return round(seconds * 1000)


def _digest(*lines: str) -> bytes:
    return sha256("\n".join(lines).encode()).digest()
