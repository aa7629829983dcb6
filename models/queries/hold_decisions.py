"""Holds as people see and decide them."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, literal, or_, select, text
from sqlmodel import Session, col, func

from models.advertising import HeldDownload, HeldPlayback, Hold, HoldDecision
from models.bulk import chunks
from models.columns import day_from_number, day_number
from models.tables import Episode, Show, User


def get_hold(session: Session, uuid: UUID) -> Hold | None:
    """A hold by the id that the API uses."""
    return session.scalars(select(Hold).where(col(Hold.uuid) == uuid).execution_options(populate_existing=True)).first()


def append_decision(session: Session, decision: HoldDecision) -> None:
    """Keep what was decided."""
    session.add(decision)
    session.flush()


def list_decisions(session: Session, hold_id: int) -> list[tuple[HoldDecision, str]]:
    """What was decided of a hold, the last last, and by whom (e-mail address)."""
    statement = select(HoldDecision, col(User.email)).join(User, col(User.id) == col(HoldDecision.decided_by))
    rows = session.execute(statement.where(col(HoldDecision.hold_id) == hold_id).order_by(col(HoldDecision.id)))
    return [(decision, email) for decision, email in rows]


def list_reasons(session: Session, holds: Sequence[int]) -> dict[int, str]:
    """The reasons of the last decisions of these holds."""
    statement = select(col(HoldDecision.hold_id), col(HoldDecision.reason)).where(col(HoldDecision.hold_id).in_(holds))
    return {row[0]: row[1] for row in session.execute(statement.order_by(col(HoldDecision.id)))}


def list_holds(
    session: Session, *, state: str | None, rule: str | None, show_id: int | None, limit: int, offset: int
) -> list[Hold]:
    """Holds, the latest day first; of a show: those that flag anything of it."""
    statement = select(Hold).where(*_matching(state, rule, show_id))
    ordered = statement.order_by(col(Hold.day).desc(), col(Hold.id).desc()).limit(limit).offset(offset)
    return list(session.execute(ordered).scalars())


def count_holds(session: Session, *, state: str | None, rule: str | None, show_id: int | None) -> int:
    """How many holds `list_holds` has to give."""
    statement = select(func.count()).select_from(Hold).where(*_matching(state, rule, show_id))
    return int(session.execute(statement).scalar_one())


def _matching(state: str | None, rule: str | None, show_id: int | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if state is not None:
        found.append(col(Hold.state) == state)
    if rule is not None:
        found.append(col(Hold.rule) == rule)
    if show_id is not None:
        flagged = [
            select(1)
            .where(col(table.day) == col(Hold.day), col(table.hold_id) == col(Hold.id))
            .where(col(table.episode_id).in_(_episodes_of(show_id)))
            .exists()
            for table in (HeldPlayback, HeldDownload)
        ]
        found.append(or_(*flagged))
    return found


class Flagged(NamedTuple):
    """How much a hold flags of an episode."""

    hold_id: int
    episode_id: int
    playbacks: int
    devices: int
    downloads: int


def list_flagged(session: Session, holds: Sequence[Hold], show_id: int | None = None) -> list[Flagged]:
    """What these holds flag, by episode; of one show, or of all."""
    if not holds:
        return []
    ids, days = [hold.id for hold in holds], sorted({hold.day for hold in holds})
    none, all_of_them, devices = literal(0), func.count(), func.count(func.distinct(col(HeldPlayback.device)))
    found: list[Flagged] = []
    for table, numbers in (
        (HeldPlayback, (all_of_them, devices, none)),
        (HeldDownload, (none, none, all_of_them)),
    ):
        keys = col(table.hold_id), col(table.episode_id)
        chosen = select(*keys, *numbers).where(col(table.day).in_(days), col(table.hold_id).in_(ids))
        if show_id is not None:
            chosen = chosen.where(col(table.episode_id).in_(_episodes_of(show_id)))
        rows = session.execute(chosen.group_by(*keys))
        found += [Flagged(*(int(number) for number in row)) for row in rows]
    return found


def _episodes_of(show_id: int) -> Any:
    return select(col(Episode.id)).where(col(Episode.show_id) == show_id)


def is_of_owner(session: Session, hold: Hold, user_id: int) -> bool:
    """Whether a hold flags anything of a show of this user's."""
    theirs = (
        select(col(Episode.id)).join(Show, col(Show.id) == col(Episode.show_id)).where(col(Show.owner_id) == user_id)
    )
    flagged = [
        select(1)
        .where(col(table.day) == hold.day, col(table.hold_id) == hold.id, col(table.episode_id).in_(theirs))
        .exists()
        for table in (HeldPlayback, HeldDownload)
    ]
    return bool(session.execute(select(or_(*flagged))).scalar_one())


def list_held_sums(session: Session, show_id: int, days: Sequence[date]) -> dict[tuple[date, str, str], dict[str, int]]:
    """(day, rule, state) -> what is kept back of a show, by kind."""
    statement = text(
        "SELECT h.day, h.rule, h.state, h.kind, sum(h.number) FROM episode e JOIN held_day h ON h.episode_id = e.id "
        "WHERE e.show_id = :show AND h.day IN :days GROUP BY h.day, h.rule, h.state, h.kind"
    ).bindparams(bindparam("days", expanding=True))
    values = {"show": show_id, "days": [day_number(day) for day in days]}
    found: dict[tuple[date, str, str], dict[str, int]] = {}
    for day, rule, state, kind, number in session.execute(statement, values) if days else ():
        found.setdefault((day_from_number(day), rule, state), {})[kind] = int(number)
    return found


def list_episode_names(session: Session, episodes: Iterable[int]) -> dict[int, tuple[UUID, str, UUID]]:
    """The id in the API and the title of episodes, and the id of their show."""
    statement = select(col(Episode.id), col(Episode.uuid), col(Episode.title), col(Show.uuid)).join(
        Show, col(Show.id) == col(Episode.show_id)
    )
    return {
        number: (uuid, title, show)
        for chunk in chunks(episodes)
        for number, uuid, title, show in session.execute(statement.where(col(Episode.id).in_(chunk)))
    }


def list_show_uuids(session: Session, shows: Iterable[int]) -> dict[int, UUID]:
    """The ids of shows in the API."""
    statement = select(col(Show.id), col(Show.uuid)).where(col(Show.id).in_(list(shows)))
    return {row[0]: row[1] for row in session.execute(statement)}
