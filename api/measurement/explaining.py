"""Why each hit of an episode on a day counted or not: the rules it went through, by the code that counts."""

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


class Explanation:
    """An episode's hits of a day. They are judged all at once, and described when they are asked for."""

    def __init__(self, rules: Rules, state: State, found: Judgement, rows: int) -> None:
        """`rows`: how many of the state's rows are of the day; those behind them lie around it."""
        self.rules = rules
        self._state, self._found = state, found
        places = np.flatnonzero(state.rows < rows)
        row = state.rows[places]
        self._number = places - np.searchsorted(state.rows, row)
        """Among the hits of the row."""
        order = np.lexsort((self._number, state.agent[row].view(np.uint64), state.entries["at"][places]))
        self._places, self._number = places[order], self._number[order]
        counts = np.bincount(found.codes[places], minlength=len(OUTCOMES)).tolist()
        self.outcomes = {outcome: hits for outcome, hits in zip(OUTCOMES, counts, strict=True) if hits}
        """Outcome -> hits; they add up to all hits."""

    @property
    def total(self) -> int:
        """All hits of the day."""
        return len(self._places)

    @property
    def hits(self) -> list[ExplainedHit]:
        """All of them, in order of time."""
        return self.some()

    def some(self, outcome: str = "", first: int = 0, most: int | None = None) -> list[ExplainedHit]:
        """Hits in order of time, with this outcome if one is given, from the `first` on, `most` of them."""
        chosen = np.arange(self.total)
        if outcome:
            chosen = chosen[self._found.codes[self._places] == CODE[outcome]]
        return [self._hit(place) for place in chosen[first : None if most is None else first + most].tolist()]

    def find(self, hit_id: str) -> ExplainedHit | None:
        """The hit with this id."""
        at = hit_id.split("-")[1:2]
        if not at or not at[0].isdecimal():
            return None
        same_time = np.flatnonzero(self._state.entries["at"][self._places] == int(at[0])).tolist()
        return next((hit for hit in map(self._hit, same_time) if hit.id == hit_id), None)

    def _hit(self, number: int) -> ExplainedHit:
        state, place = self._state, int(self._places[number])
        row, entry = int(state.rows[place]), state.entries[place]
        app, device_class, country = state.attributes[state.about[row]]
        consumer = f"{int(state.agent[row]) & (1 << 64) - 1:016x}"
        is_placed = not int(entry["traits"]) & Trait.BYTES_ONLY
        first, end, at = int(entry["first"]), int(entry["end"]), int(entry["at"])
        code = int(self._found.codes[place])
        reached, needed = int(self._found.reached[place]), int(self._found.needed[place])
        return ExplainedHit(
            id=f"{consumer}-{at}-{int(self._number[number])}",
            at=datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(state.day[row]) * DAY_MS + at),
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
            path=_path(code, self.rules, reached, needed, entry),
        )


def explain(connection: Connection, episode_id: int, day: date) -> Explanation:
    """All hits of an episode on a UTC day, in order of time, with the path that each took through the rules."""
    rules = Rules.from_texts(store.list_counting_rules(connection))
    keys = store.list_keys_of_episode(connection, day_number(day), episode_id)
    state = load_state(connection, keys, rules, Incoming.none(), np.zeros(0, np.int64))
    found = judged(
        state, list_excess(connection, state, rules.excess_cap), rules.window, load_versions(connection, state)[0]
    )
    return Explanation(rules, state, found, len(keys))


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
