"""What address, user agent, referrer and Range of a hit said about it, found when it was received.

None of these texts is kept, so what they mean is decided once, with the lists of that day. Whether a trait keeps a hit
from counting is for the rules to say, `api/measurement/rules.py`.
"""

from enum import IntFlag


class Trait(IntFlag):
    """Bits of `Hit.traits`."""

    NONE = 0
    BOT = 1
    """The user agent is a bot's."""
    DATACENTER = 2
    """The address is in the operator's list of data centres."""
    WATCH = 4
    """An Apple Watch that fetches what its phone has fetched already."""
    PROBE = 8
    """The Range is exactly bytes 0 to 1."""
    PRELOAD = 16
    """The referrer is a page known to load audio that nobody asked to hear."""
    INCLUDED = 32
    """The address is on the operator's inclusion list, looked into at most 90 days ago."""
    REDIRECT = 64
    """A redirect to a CDN whose logs are not imported: it counts for what was asked for."""
    BYTES_ONLY = 128
    """Which part of the file was sent is not known, only how much."""
    NOT_AUDIO = 256
    """The answer was no audio."""


TOLD_BY_THE_LINE = Trait.PROBE | Trait.PRELOAD | Trait.BYTES_ONLY
"""Traits by which two lines of one consumer differ; the others are what lists said of the consumer."""
