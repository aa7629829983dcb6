"""Looks for fraud now and then, beside counting: only at days that changed since the last look."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Engine

from api import clock
from api.holds.rules import LOOK_BACK_DAYS
from api.holds.scan import Outcome, scan
from models.columns import day_number
from models.engine import read_only
from models.queries import devices, hold_findings

RECEIVED_DAYS = 2
"""Days of receipt whose events are watched: counting may be so far behind. A close looks at what came later."""
HIT_DAYS = 90
"""Days whose downloads are watched; logs of older days that are imported wait for a close, or `earshot holds scan`."""

_logger = structlog.get_logger(__name__)


@dataclass
class Lookout:
    """What the last look saw."""

    signs: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Day -> what changes with it."""

    def look(self, engine: Engine) -> Outcome:
        """Look at what changed, each day in a transaction of its own; what was found."""
        now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
        today = day_number(now.date())
        with engine.begin() as connection:
            devices.forget_networks(connection, now - timedelta(days=LOOK_BACK_DAYS))
        with read_only(engine).connect() as connection:
            signs = hold_findings.sign_days(connection, today - RECEIVED_DAYS, today - HIT_DAYS)
        found = Outcome()
        for day in [day for day, sign in signs.items() if self.signs.get(day) != sign]:
            with engine.begin() as connection:
                found = found.plus(scan(connection, [day], now))
            self.signs[day] = signs[day]
        self.signs = {day: sign for day, sign in self.signs.items() if day in signs}
        if found.new_holds:
            _logger.warning("holds", new=found.new_holds, playbacks=found.playbacks, downloads=found.downloads)
        return found
