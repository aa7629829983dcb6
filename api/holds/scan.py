"""Looks for fraud, and keeps what it finds as holds. Looking twice changes nothing; what people decided stands.

A hold is told apart by rule, day and subject. What comes in later for the same subject joins its open hold, or shares
the fate of a void one. Of a released one nothing is flagged again; what comes later gets a hold of its own, which is
`subject/2`.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection
from sqlmodel import Session

from api import audit_trail, webhooks
from api.holds import held_days, rules
from api.holds.finding import base_of, find
from api.holds.rules import Finding
from models.advertising import Hold, HoldState
from models.columns import day_from_number, day_number
from models.queries import holds
from models.queries.holds import Found

MOST_DAYS = 400
"""In one look."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scan did."""

    new_holds: int = 0
    playbacks: int = 0
    """Flagged now and not before."""
    downloads: int = 0
    ended: int = 0
    """Open holds that were taken back, since their cause is gone."""

    def plus(self, other: "Outcome") -> "Outcome":
        """Both."""
        return Outcome(
            self.new_holds + other.new_holds,
            self.playbacks + other.playbacks,
            self.downloads + other.downloads,
            self.ended + other.ended,
        )


def scan(connection: Connection, days: Iterable[date | int], now: datetime) -> Outcome:
    """Look at these UTC days, keep what is found, and work out anew what is held of them; in the caller's transaction.

    Its cost grows with the playbacks and downloads of these days, and not with those before them.
    """
    holds.lock_holds(connection)
    numbers = sorted({day if isinstance(day, int) else day_number(day) for day in days})
    done = Outcome()
    for group in _groups(numbers):
        for day, findings in find(connection, group, day_number(now.date())):
            done = done.plus(keep(connection, day, findings, now))
            held_days.recount_days(connection, [day])
    return done


def _groups(days: Sequence[int]) -> list[list[int]]:
    """Days that lie near each other, together: what a look reads besides them it then reads once."""
    found: list[list[int]] = []
    for day in days:
        if found and day - found[-1][-1] <= rules.LOOK_BACK_DAYS and day - found[-1][0] < MOST_DAYS:
            found[-1].append(day)
        else:
            found.append([day])
    return found


def keep(connection: Connection, day: int, findings: Sequence[Finding], now: datetime) -> Outcome:
    """Make holds of what was found of a day."""
    done = Outcome()
    for name in rules.BY_NAME:
        of_rule = [found for found in findings if found.rule.name == name]
        known = holds.list_found(connection, name, day)
        for finding in of_rule:
            family = [hold for hold in known if base_of(hold.subject) == finding.subject]
            done = done.plus(_keep_one(connection, day, finding, family, now))
        if name == rules.LOG_GAP.name:
            done = done.plus(_end_gaps(connection, day, known, {found.subject for found in of_rule}))
    return done


def _keep_one(connection: Connection, day: int, finding: Finding, family: Sequence[Found], now: datetime) -> Outcome:
    """`family`: the holds of the same rule, day and subject, the last one last."""
    ids = [hold.id for hold in family]
    playbacks = _not_held(connection, day, finding, ids)
    downloads = finding.downloads - holds.list_held_downloads(connection, day, ids)
    last = family[-1] if family else None
    is_new = last is None or last.state == HoldState.RELEASED
    if not playbacks and not downloads:
        if last is not None and last.state == HoldState.OPEN:
            _put_evidence(connection, last, finding)
        return Outcome()
    if last is None or is_new:
        subject = finding.subject if last is None else f"{finding.subject}/{len(family) + 1}"
        hold_id = _append(connection, day, replace(finding, subject=subject), now)
    else:
        hold_id = last.id
        if last.state == HoldState.OPEN:
            _put_evidence(connection, last, finding)
    holds.append_held_playbacks(connection, hold_id, day, playbacks, now)
    holds.append_held_downloads(connection, hold_id, day, downloads, now)
    return Outcome(int(is_new), len(playbacks), len(downloads))


def _not_held(connection: Connection, day: int, finding: Finding, family: Sequence[int]) -> list[tuple[int, bytes]]:
    """The playbacks of a finding that no hold of the family flags yet, as many as may be."""
    held = holds.list_held_playbacks(connection, day, family)
    existing = holds.list_existing(connection, day, finding.playbacks)
    found = [playback for playback in finding.playbacks if playback in existing and playback not in held]
    return found if finding.most is None else found[: max(0, finding.most - len(held))]


def _append(connection: Connection, day: int, finding: Finding, now: datetime) -> int:
    hold = Hold(
        rule=finding.rule.name,
        day=day_from_number(day),
        subject=finding.subject,
        show_id=finding.show_id,
        evidence=_text(finding),
        found_at=now,
    )
    hold_id = holds.append_hold(connection, hold)
    if finding.rule.name in rules.SPIKES and finding.show_id is not None:
        _tell(connection, hold, finding, finding.show_id)
    return hold_id


def _tell(connection: Connection, hold: Hold, finding: Finding, show_id: int) -> None:
    """Whoever wants to know of spikes hears of it, if and when this transaction commits."""
    found = holds.get_audience(connection, show_id)
    if found is None:
        return
    show, owner_id = found
    payload: dict[str, Any] = {"show_id": show, "day": hold.day, "rule": hold.rule, "measured": finding.measured}
    with Session(connection) as session:  # takes part in the caller's transaction, and never ends it
        webhooks.append_event(
            session, "spike.found", show, f"{hold.rule} {hold.day} {hold.subject}", payload, [owner_id]
        )
        session.flush()


def _put_evidence(connection: Connection, hold: Found, finding: Finding) -> None:
    if (evidence := _text(finding)) != hold.evidence:
        holds.put_evidence(connection, hold.id, evidence)


def _text(finding: Finding) -> str:
    return json.dumps(finding.evidence, sort_keys=True)


def _end_gaps(connection: Connection, day: int, known: Sequence[Found], subjects: set[str]) -> Outcome:
    """Take back what was held for a gap that is there no more, as long as nobody has decided."""
    ended = [hold for hold in known if hold.state == HoldState.OPEN and base_of(hold.subject) not in subjects]
    if ended:
        with Session(connection) as session:
            for hold in ended:
                detail = {"rule": rules.LOG_GAP.name, "day": day_from_number(day), "reason": "the stretch arrived"}
                audit_trail.append(session, None, "hold.ended", "hold", hold.uuid, detail)
            session.flush()
        holds.delete_holds(connection, [(hold.id, day) for hold in ended])
    return Outcome(ended=len(ended))
