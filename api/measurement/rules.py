"""The rules that a hit goes through before it can be part of a download: in order, each with its clause.

Of IAB Tech Lab's Podcast Technical Measurement Guidelines v2.3; docs/counting.md explains each. A hit is kept with the
first cause that applies; what passes all of these is put together with its like in `windows.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.hits.traits import Trait
from models.downloads import DOWNLOAD
from models.queries.audio_versions import Version

GET = 0
"""Place of GET in `api.events.columns.METHODS`."""
MINUTE_SECONDS = 60
"""How much audio makes a download."""

Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason not to count a hit."""

    cause: str
    clause: str
    """Where the guidelines ask for it."""
    title: str
    """What a hit that passes has to be, as a page says it."""
    applies: Callable[[Any, Any, Any], Any] | None = None
    """Of arrays or numbers: method (its place in `METHODS`), status, traits. None: needs to know other hits."""


def _has(trait: Trait) -> Callable[[Any, Any, Any], Any]:
    return lambda _method, _status, traits: (traits & int(trait)) != 0


def _is_redirected(_method: Any, status: Any, traits: Any) -> Any:
    return (status == 302) & ((traits & int(Trait.REDIRECT)) == 0)


def _is_no_delivery(_method: Any, status: Any, traits: Any) -> Any:
    counts = (
        (status == 200) | (status == 206) | (status == 0) | ((status == 302) & ((traits & int(Trait.REDIRECT)) != 0))
    )
    return ~counts


RULES = (
    Rule("not_get", "5.5.2, step 1.3 (1)", "The request is a GET", lambda method, _status, _traits: method != GET),
    Rule("redirected", "5.2", "The bytes come from here, not from a CDN whose own log counts", _is_redirected),
    Rule("status", "5.5.2, step 1.3 (2, 3)", "The answer is 200 or 206", _is_no_delivery),
    Rule("not_audio", "5.1", "The answer is audio", _has(Trait.NOT_AUDIO)),
    Rule("bot", "5.5.2, step 1.2 (4, 5)", "The user agent is no bot's", _has(Trait.BOT)),
    Rule("datacenter", "5.5.2, step 1.2 (2)", "The address is in no data centre", _has(Trait.DATACENTER)),
    Rule("watch", "5.5.2, step 1.2 (7)", "It is no watch fetching what its phone has", _has(Trait.WATCH)),
    Rule("probe", "5.5.2, step 1.2 (6)", "It asks for more than the first two bytes", _has(Trait.PROBE)),
    Rule("referrer", "5.5.2, step 1.1", "No page that loads audio unasked sent it", _has(Trait.PRELOAD)),
    Rule("excess", "5.5.2, step 1.2 (1)", "The address keeps within the day's cap"),
    Rule("short", "5.5.3", "With others of its window it brings the header and a minute"),
    Rule("duplicate", "5.5.1", "It is the first hit of its window"),
)
"""In the order in which they are asked."""

OUTCOMES = (DOWNLOAD, *(rule.cause for rule in RULES))
"""What can become of a hit; an outcome's place here is its code."""
CODE = {outcome: code for code, outcome in enumerate(OUTCOMES)}
ELIGIBLE = 0
"""Code of a hit that no rule has a cause against; judged with others it may be a download."""


def judge_alone(method: NDArray[Any], status: NDArray[Any], traits: NDArray[Any]) -> Codes:
    """The code of the first cause that applies to each hit by itself, or `ELIGIBLE`."""
    codes = np.zeros(len(method), np.int8)
    for code, rule in reversed(list(enumerate(RULES, start=1))):
        if rule.applies is not None:
            codes[rule.applies(method, status, traits)] = code
    return codes


def threshold_bytes(version: Version) -> int:
    """How many bytes of a file must have been sent for a download: its header and a minute of audio.

    By the measured bitrate, or for a file known from a feed by its length and duration. The whole file when it is
    shorter than a minute, or neither is known; 0 when the size is unknown, so that nothing can be said.
    """
    size = version.audio_bytes
    if version.duration_ms is None or version.duration_ms < MINUTE_SECONDS * 1000:
        return size
    if version.bitrate_bps:
        return min(size, version.header_bytes + MINUTE_SECONDS * version.bitrate_bps // 8)
    return min(size, MINUTE_SECONDS * 1000 * size // version.duration_ms)
