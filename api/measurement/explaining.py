"""Why each hit of an episode on a day counted or not: the rules it went through, by the code that counts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection

from api.events.columns import METHODS
from api.hits.traits import Trait
from api.measurement.download_step import Rules, list_excess, load_state, load_versions
from api.measurement.downloads import State, judged
from api.measurement.incoming import Incoming
from api.measurement.rules import CODE, OUTCOMES, RULES
from api.measurement.windows import CALENDAR, Judgement
from models.columns import DAY_MS, day_number
from models.downloads import DOWNLOAD
from models.queries import download_folding as store

PASSED, STOPPED, NOT_ASKED = "passed", "stopped", "not asked"
CONSUMER_CHARACTERS = 12
"""Of a consumer's number, hex: enough to tell those of a day apart on a page."""


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that a hit went through, or did not get to."""

    rule: str
    """What a hit that passes has to be."""
    cause: str
    clause: str
    verdict: str
    """`passed`, `stopped` or `not asked`."""
    detail: str = ""
    """With numbers, where there are any."""


@dataclass(frozen=True, slots=True)
class ExplainedHit:
    """One hit and what became of it."""

    id: str
    """To ask for it again: consumer, milliseconds of the day, and its number among the consumer's hits of the day."""
    at: datetime
    consumer: str
    app: str
    device_class: str
    country: str
    method: str
    status: int
    first_byte: int | None
    """None when it is not known which part was sent."""
    end_byte: int | None
    """Behind the last byte sent."""
    sent_bytes: int
    source: str
    """`live` or `log`."""
    outcome: str
    path: list[Step]


@dataclass(frozen=True, slots=True)
class Explanation:
    """An episode's hits of a day."""

    rules: Rules
    outcomes: dict[str, int]
    """Outcome -> hits; they add up to all hits."""
    hits: list[ExplainedHit]

    @property
    def total(self) -> int:
        """All hits of the day."""
        return sum(self.outcomes.values())


def explain(connection: Connection, episode_id: int, day: date) -> Explanation:
    """All hits of an episode on a UTC day, in order of time, with the path that each took through the rules."""
    rules = Rules.from_texts(store.list_counting_rules(connection))
    keys = store.list_keys_of_episode(connection, day_number(day), episode_id)
    state = load_state(connection, keys, rules, Incoming.none(), np.zeros(0, np.int64))
    found = judged(
        state, list_excess(connection, state, rules.excess_cap), rules.window, load_versions(connection, state)[0]
    )
    hits = sorted(_hits(state, found, rules, len(keys)), key=lambda hit: (hit.at, hit.id))
    counts = Counter(hit.outcome for hit in hits)
    return Explanation(rules, {outcome: counts[outcome] for outcome in OUTCOMES if counts[outcome]}, hits)


def _hits(state: State, found: Judgement, rules: Rules, rows: int) -> Iterator[ExplainedHit]:
    number: Counter[int] = Counter()
    for place in np.flatnonzero(state.rows < rows).tolist():
        row, entry = int(state.rows[place]), state.entries[place]
        app, device_class, country = state.attributes[row]
        consumer = f"{int(state.agent[row]) & (1 << 64) - 1:016x}"
        is_placed = not int(entry["traits"]) & Trait.BYTES_ONLY
        first, end = int(entry["first"]), int(entry["end"])
        at_ms = int(state.day[row]) * DAY_MS + int(entry["at"])
        code = int(found.codes[place])
        yield ExplainedHit(
            id=f"{consumer}-{int(entry['at'])}-{number[row]}",
            at=datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at_ms),
            consumer=consumer[:CONSUMER_CHARACTERS],
            app=app,
            device_class=device_class,
            country=country,
            method=METHODS[int(entry["method"])],
            status=int(entry["status"]),
            first_byte=first if is_placed else None,
            end_byte=end if is_placed else None,
            sent_bytes=end - first,
            source="live" if entry["is_live"] else "log",
            outcome=OUTCOMES[code],
            path=_path(code, rules, int(found.reached[place]), int(found.needed[place]), entry),
        )
        number[row] += 1


def _path(code: int, rules: Rules, reached: int, needed: int, entry: Any) -> list[Step]:
    """Every rule in order; behind the one that stopped the hit, none was asked."""
    details = {
        "status": f"{int(entry['status']):03d}",
        "not_get": METHODS[int(entry["method"])],
        "excess": f"at most {rules.excess_cap:,} user agents times episodes a day" if rules.excess_cap else "no cap",
        "short": f"{reached:,} bytes; {needed:,} are needed" if needed else "the size of the file is not known",
        "duplicate": "the same UTC day" if rules.window == CALENDAR else f"{rules.window.replace('_', ' ')}, 24 hours",
    }
    steps = []
    is_stopped = False
    for rule in RULES:
        is_cause = code != CODE[DOWNLOAD] and CODE[rule.cause] == code
        verdict = NOT_ASKED if is_stopped else STOPPED if is_cause else PASSED
        detail = "" if is_stopped else details.get(rule.cause, "")
        steps.append(Step(rule.title, rule.cause, rule.clause, verdict, detail))
        is_stopped |= is_cause
    return steps
