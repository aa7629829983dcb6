"""Values that podcast apps keep for a listener, and the favourites among them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlmodel import Session, col, delete, select

from models.bulk import BulkTable, chunks, put_rows
from models.listeners import ListenerSetting

LISTENER_SETTING = BulkTable(
    "listener_setting",
    {"listener_id": "int", "scope_hash": "bytea", "name": "text"},
    dict.fromkeys(("scope", "device", "podcast", "episode", "value"), "text"),
)
FAVORITE = "is_favorite"
"""The setting of an episode that makes it a favourite."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What settings are attached to: the account itself, or one of its devices, podcasts or episodes."""

    scope: str
    device: str = ""
    podcast: str = ""
    episode: str = ""

    @property
    def hash(self) -> bytes:
        """What the subject's settings are looked up by."""
        return sha256(json.dumps([self.scope, self.device, self.podcast, self.episode]).encode()).digest()


def get_settings(session: Session, listener_id: int, subject: Subject) -> dict[str, Any]:
    """All values attached to a subject, by name."""
    statement = select(ListenerSetting).where(
        ListenerSetting.listener_id == listener_id, ListenerSetting.scope_hash == subject.hash
    )
    return {row.name: json.loads(row.value) for row in session.exec(statement.order_by(ListenerSetting.name))}


def put_settings(session: Session, listener_id: int, subject: Subject, values: Mapping[str, Any]) -> None:
    """Set values by name; the others stay."""
    rows = [
        (
            listener_id,
            subject.hash,
            name,
            subject.scope,
            subject.device,
            subject.podcast,
            subject.episode,
            json.dumps(value),
        )
        for name, value in values.items()
    ]
    put_rows(session.connection(), LISTENER_SETTING, rows)


def delete_settings(session: Session, listener_id: int, subject: Subject, names: Iterable[str]) -> None:
    """Forget values by name."""
    for chunk in chunks(names):
        session.exec(
            delete(ListenerSetting).where(
                col(ListenerSetting.listener_id) == listener_id,
                col(ListenerSetting.scope_hash) == subject.hash,
                col(ListenerSetting.name).in_(chunk),
            )
        )


def list_favorites(session: Session, listener_id: int) -> list[tuple[str, str]]:
    """Podcast and episode of each favourite, in order."""
    statement = (
        select(ListenerSetting.podcast, ListenerSetting.episode)
        .where(
            ListenerSetting.listener_id == listener_id,
            ListenerSetting.scope == "episode",
            ListenerSetting.name == FAVORITE,
            ListenerSetting.value == "true",
        )
        .order_by(ListenerSetting.podcast, ListenerSetting.episode)
    )
    return list(session.exec(statement).all())
