"""Telling others what happened: an event is written in the transaction in which it happened, and sent afterwards.

Who gets it, how and how often is in docs/webhooks.md.
"""

import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import Session

from api import clock
from models.queries import webhooks
from models.tables import Role
from models.webhooks import WebhookEvent


class EventKind(StrEnum):
    """What can be told."""

    STATEMENT_APPROVED = "statement.approved"
    CAMPAIGN_EXHAUSTED = "campaign.exhausted"
    SPIKE_FOUND = "spike.found"


KINDS_OF = {
    Role.CREATOR: frozenset({EventKind.STATEMENT_APPROVED, EventKind.SPIKE_FOUND}),
    Role.ADVERTISER: frozenset({EventKind.CAMPAIGN_EXHAUSTED}),
    Role.ADMIN: frozenset(EventKind),
}
"""What each role may be told; admins of everything, the others of what is theirs."""


def append_event(
    session: Session,
    kind: EventKind | str,
    subject_uuid: UUID,
    occasion: str,
    payload: dict[str, Any],
    audience: Iterable[int],
) -> bool:
    """Note an event in the caller's transaction; False when this occasion of this subject was noted before.

    `occasion` tells apart what may happen to a subject more than once: a statement's revision, a spike's day.
    `payload` becomes the `data` of what is sent; days, instants and ids in it become text. `audience` has the ids of
    the users who may be told besides admins: the creator of a statement, the members of an advertiser.
    """
    return webhooks.append_event(
        session,
        WebhookEvent(
            kind=EventKind(kind),
            subject_uuid=subject_uuid,
            occasion=occasion,
            payload=json.dumps(payload, sort_keys=True, default=str, ensure_ascii=False),
            created_at=clock.now(),
            audience=json.dumps(sorted(set(audience))),
        ),
    )
