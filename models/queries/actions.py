"""What listeners did with episodes, kept for their other apps."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from models.bulk import BulkTable, Row, keep_rows
from models.listeners import EpisodeAction

EPISODE_ACTION = BulkTable(
    "episode_action",
    {"listener_id": "int", "action_id": "bytea"},
    {
        "sequence": "bigint",
        "device": "text",
        "podcast": "text",
        "episode": "text",
        "guid": "text",
        "action": "text",
        "at_ms": "bigint",
        "started": "int",
        "position": "int",
        "total": "int",
    },
)


def append_actions(session: Session, rows: Sequence[Row]) -> None:
    """Keep actions, rows of `EPISODE_ACTION`; one that is known already stays as it is, with its older number."""
    keep_rows(session.connection(), EPISODE_ACTION, rows)


def list_actions(
    session: Session, listener_id: int, since: int, until: int, *, podcast: str | None = None, device: str | None = None
) -> list[EpisodeAction]:
    """A listener's actions told after one number and up to another, in the order they were done within each number."""
    statement = select(EpisodeAction).where(
        EpisodeAction.listener_id == listener_id, EpisodeAction.sequence > since, EpisodeAction.sequence <= until
    )
    if podcast is not None:
        statement = statement.where(EpisodeAction.podcast == podcast)
    if device is not None:
        statement = statement.where(EpisodeAction.device == device)
    order = (col(EpisodeAction.sequence), col(EpisodeAction.at_ms), col(EpisodeAction.action_id))
    return list(session.exec(statement.order_by(*order)))
