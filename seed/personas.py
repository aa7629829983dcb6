"""Who listens. Each persona is a habit, an appetite, a way of syncing, and sometimes a fault."""

from collections.abc import Callable
from dataclasses import dataclass

from seed import habits
from seed.catalogue import DAY_MS, Episode
from seed.player import Phone

Habit = Callable[[Phone, Episode, int], None]


@dataclass(frozen=True, slots=True)
class Persona:
    """A kind of listener. The defaults are those of most people."""

    name: str
    weight: float
    """How many of them there are, relative to the others."""
    habit: Habit
    appetite: float = 0.6
    """Share of the new episodes that are played."""
    archive_appetite: float = 0.15
    """The same, for what came out before the subscription."""
    patience_days: float = 1.8
    """Mean wait from release to play."""
    marathon: int = 1
    """Episodes of the archive that are heard in one go."""
    encore: float = 0.02
    """Chance that an episode is heard again on another day."""
    sync_days: tuple[float, float] = (0.5, 4.0)
    """Least and most days between two syncs."""
    lost_answers: float = 0.004
    """Chance that the server's answer never reaches the phone, which then sends again."""
    clock_error_ms: int = 0
    """What its clock is off by, when it is off."""
    faulty_days: int = 0
    """Length of the spell for which the clock is off; 0 is always."""
    stays: str = "window"
    """`window`: listens now. `drawer`: listened three months ago, and syncs now. `elsewhere`: to other people's
    episodes."""


CLOCK_AHEAD = Persona(
    "clock ahead", 0.7, habits.listen_at_home, clock_error_ms=90 * DAY_MS, faulty_days=10, appetite=0.9
)
"""For some days its clock is a season ahead, so whenever the log arrives, those days are still to come."""
CLOCK_BEHIND = Persona(
    "clock behind", 0.7, habits.listen_at_home, clock_error_ms=-4 * DAY_MS, appetite=0.9, patience_days=1.0
)
"""Hears new episodes before they came out, it says; older ones are counted, on the wrong day."""
DRAWER = Persona("found in a drawer", 0.2, habits.listen_offline, archive_appetite=0.9, stays="drawer")
STRANGER = Persona("from another server", 0.2, habits.listen_at_home, appetite=0.3, stays="elsewhere")
RUSHER = Persona("faster than possible", 0.3, habits.rush, appetite=0.8)

PERSONAS = (
    Persona("regular", 34, habits.listen_at_home),
    Persona("commuter", 20, habits.commute, appetite=0.75, patience_days=1.4, sync_days=(0.4, 1.2)),
    Persona("binge listener", 8, habits.listen_at_home, archive_appetite=0.8, marathon=4, patience_days=4.0),
    Persona("dropper", 14, habits.drop_out, appetite=0.5, archive_appetite=0.25),
    Persona("re-listener", 6, habits.listen_again, encore=0.4),
    Persona("ad skipper", 9, habits.skip_breaks),
    Persona("traveller", 5, habits.listen_offline, appetite=0.8, patience_days=5.0, sync_days=(5.0, 16.0)),
    Persona("retries everything", 3, habits.listen_at_home, appetite=0.8, sync_days=(0.2, 1.0), lost_answers=0.55),
    Persona("always on the edge", 0.5, habits.stop_at_an_edge, appetite=0.9, archive_appetite=0.9),
    CLOCK_AHEAD,
    CLOCK_BEHIND,
    DRAWER,
    STRANGER,
    RUSHER,
)
