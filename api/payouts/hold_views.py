"""Holds as the API and the command line show them."""

import json
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session

from api.holds.rules import BY_NAME
from api.payouts.hold_schemas import (
    DecisionOut,
    EpisodeFlags,
    HoldDetail,
    HoldOut,
    ShowHold,
    ShowHoldDay,
    ShowHolds,
)
from models.advertising import Hold
from models.queries import hold_decisions
from models.queries.hold_decisions import Flagged


def holds_out(session: Session, holds: Sequence[Hold]) -> list[HoldOut]:
    """A page of holds."""
    return [HoldOut.model_validate(fields) for fields in _fields(session, holds, None)]


def hold_detail(session: Session, hold: Hold) -> HoldDetail:
    """One hold, with what it flags by episode and what was decided."""
    flagged = hold_decisions.list_flagged(session, [hold])
    names = hold_decisions.list_episode_names(session, {row.episode_id for row in flagged})
    episodes: dict[int, EpisodeFlags] = {}
    for row in flagged:
        uuid, title, show = names[row.episode_id]
        about = EpisodeFlags(episode_id=uuid, title=title, show_id=show, playbacks=0, devices=0, downloads=0)
        found = episodes.setdefault(row.episode_id, about)
        found.playbacks += row.playbacks
        found.devices += row.devices
        found.downloads += row.downloads
    decisions = [
        DecisionOut(state=made.state, reason=made.reason, by=email, at=made.decided_at)
        for made, email in hold_decisions.list_decisions(session, hold.id or 0)
    ]
    fields = _fields(session, [hold], None)[0]
    return HoldDetail.model_validate({**fields, "episodes": list(episodes.values()), "decisions": decisions})


def show_holds(session: Session, holds: Sequence[Hold], total: int, show_id: int) -> ShowHolds:
    """A page of a show's holds, in numbers of that show alone."""
    sums = hold_decisions.list_held_sums(session, show_id, sorted({hold.day for hold in holds}))
    none = {"listens": 0, "confirmed": 0, "delivered": 0}
    days = [
        ShowHoldDay.model_validate({"day": day, "rule": rule, "state": state, **none, **numbers})
        for (day, rule, state), numbers in sorted(sums.items())
    ]
    items = [ShowHold.model_validate(fields) for fields in _fields(session, holds, show_id)]
    return ShowHolds(items=items, total=total, days=days)


def _fields(session: Session, holds: Sequence[Hold], show_id: int | None) -> list[dict[str, object]]:
    flagged: dict[int, list[Flagged]] = defaultdict(list)
    for row in hold_decisions.list_flagged(session, holds, show_id):
        flagged[row.hold_id].append(row)
    reasons = hold_decisions.list_reasons(session, [hold.id or 0 for hold in holds])
    shows = hold_decisions.list_show_uuids(session, {hold.show_id for hold in holds if hold.show_id})
    return [_field(hold, flagged[hold.id or 0], reasons.get(hold.id or 0), shows) for hold in holds]


def _field(hold: Hold, flagged: Sequence[Flagged], reason: str | None, shows: dict[int, UUID]) -> dict[str, object]:
    rule = BY_NAME.get(hold.rule)
    return {
        "id": hold.uuid,
        "rule": hold.rule,
        "title": rule.title if rule else hold.rule,
        "source": rule.source if rule else "docs/fraud.md",
        "day": hold.day,
        "subject": hold.subject,
        "show_id": shows.get(hold.show_id or 0),
        "state": hold.state,
        "reason": reason,
        "found_at": hold.found_at,
        "decided_at": hold.decided_at,
        "playbacks": sum(row.playbacks for row in flagged),
        "devices": sum(row.devices for row in flagged),
        "downloads": sum(row.downloads for row in flagged),
        "evidence": json.loads(hold.evidence),
    }
