"""Holds of devices that are erased."""

from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select, update

from models.advertising import HeldPlayback, Hold, HoldDecision, HoldState

_HOLD = Hold.__table__  # type: ignore[attr-defined]
_HELD = HeldPlayback.__table__  # type: ignore[attr-defined]
_DECISION = HoldDecision.__table__  # type: ignore[attr-defined]


class Held(NamedTuple):
    """A flag on one playback."""

    day: int
    episode_id: int
    hold_id: int
    is_of_device: bool
    """Whether the hold is of one device alone."""


def list_held(connection: Connection, day: int, episode_id: int, device: bytes) -> list[Held]:
    """The flags on a device's playback."""
    statement = (
        select(_HELD.c.hold_id, _HOLD.c.subject)
        .join(_HOLD, _HOLD.c.id == _HELD.c.hold_id)
        .where(_HELD.c.day == day, _HELD.c.episode_id == episode_id, _HELD.c.device == device)
    )
    rows = connection.execute(statement).all()
    return [Held(day, episode_id, int(hold_id), subject.startswith("device:")) for hold_id, subject in rows]


def copy_hold(connection: Connection, hold_id: int, subject: str, evidence: str) -> int:
    """A hold like another, with all that was decided of it; its number."""
    row = dict(connection.execute(select(_HOLD).where(_HOLD.c.id == hold_id)).mappings().one())
    del row["id"]
    row |= {"uuid": uuid4(), "subject": subject, "evidence": evidence}
    made = int(connection.execute(insert(_HOLD).values(row).returning(_HOLD.c.id)).scalar_one())
    decisions = connection.execute(select(_DECISION).where(_DECISION.c.hold_id == hold_id).order_by(_DECISION.c.id))
    for decision in decisions.mappings().all():
        values = {name: value for name, value in decision.items() if name != "id"} | {"hold_id": made}
        connection.execute(insert(_DECISION).values(values))
    return made


def move_playback(connection: Connection, held: Held, device: bytes, stand_in: bytes, hold_id: int) -> None:
    """Put the stand-in's playback in the place of the device's, under this hold."""
    same = (
        *(_HELD.c.day == held.day, _HELD.c.episode_id == held.episode_id),
        *(_HELD.c.device == device, _HELD.c.hold_id == held.hold_id),
    )
    connection.execute(update(_HELD).where(*same).values(device=stand_in, hold_id=hold_id))


def forget_evidence(connection: Connection, subject: str, evidence: str) -> None:
    """Let holds of a subject that flag nothing any more say nothing of it; those that nobody decided go."""
    of_subject = (_HOLD.c.subject == subject) | _HOLD.c.subject.startswith(f"{subject}/", autoescape=True)
    connection.execute(delete(_HOLD).where(of_subject, _HOLD.c.state == HoldState.OPEN))
    connection.execute(update(_HOLD).where(of_subject).values(evidence=evidence))
