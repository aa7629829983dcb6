"""Why an event is set aside instead of counted; docs/metrics.md."""

from enum import StrEnum

from api.events.records import EventTuple
from models.queries.folding import CatalogueEpisode

HOUR_MS = 3_600_000
EARLY_MS = 24 * HOUR_MS
"""Before publication by more than this: creators and testers hear episodes a little early, nobody else does."""
AHEAD_MS = 600_000
"""After its receipt by more than this: the device's clock is wrong."""
LATE_MS = 90 * 24 * HOUR_MS
"""Before its receipt by more than this: the day is closed for good."""
FASTEST = 4
"""Media seconds per second of the device's monotonic clock; no player plays faster."""
FASTEST_SLACK_MS = 2000
"""Short spans are measured roughly."""


ACTION = "action"
"""Kind of a gpodder play, whose wall time nobody knows."""


class Cause(StrEnum):
    """Stored, counted and shown with every event that is set aside."""

    UNKNOWN_EPISODE = "unknown_episode"
    BEFORE_PUBLICATION = "before_publication"
    CLOCK_AHEAD = "clock_ahead"
    TOO_LATE = "too_late"
    FASTER_THAN_POSSIBLE = "faster_than_possible"
    UNDECODABLE = "undecodable"
    ERASED = "erased"
    """Sent by a device after it was erased: told in numbers, not kept."""


MAY_PASS = (Cause.UNKNOWN_EPISODE, Cause.BEFORE_PUBLICATION)
"""Causes that lie in the catalogue, which changes. The others lie in the event itself and its receipt."""


def cause_of(
    episode: CatalogueEpisode | None, at_ms: int, span_ms: int, wall_ms: int, received_ms: int
) -> Cause | None:
    """The first cause that applies, or None when the event counts."""
    if episode is None:
        return Cause.UNKNOWN_EPISODE
    if episode.published_ms is None or at_ms < episode.published_ms - EARLY_MS:
        return Cause.BEFORE_PUBLICATION
    if at_ms > received_ms + AHEAD_MS:
        return Cause.CLOCK_AHEAD
    if at_ms < received_ms - LATE_MS:
        return Cause.TOO_LATE
    if span_ms > FASTEST * wall_ms + FASTEST_SLACK_MS:
        return Cause.FASTER_THAN_POSSIBLE
    return None


def cause_of_event(episode: CatalogueEpisode | None, event: EventTuple, received_ms: int) -> Cause | None:
    """`cause_of` for an event as it stands in a record; a podcast app's play has no wall time to be too fast for."""
    _, kind, _, _, at_ms, from_ms, to_ms, wall_ms, _ = event
    return cause_of(episode, at_ms, 0 if kind == ACTION else to_ms - from_ms, wall_ms, received_ms)


def countable_ms(episode: CatalogueEpisode | None, received_ms: int) -> tuple[int, int]:
    """First and last `at_ms` that `cause_of` finds nothing wrong with; first > last when none may count."""
    if episode is None or episode.published_ms is None:
        return 1, 0
    return max(episode.published_ms - EARLY_MS, received_ms - LATE_MS), received_ms + AHEAD_MS
