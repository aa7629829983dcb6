"""Listeners, their sessions and devices; how all of a listener's data is given out and erased."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, case, col, delete, func, select, update

from models.listeners import EpisodeAction, Listener, ListenerDevice, ListenerSession, ListenerSetting, Subscription

# -- accounts ------------------------------------------------------------------------------------------------------


def append_listener(session: Session, listener: Listener) -> None:
    """Add a listener; raises IntegrityError when the name is taken."""
    session.add(listener)
    session.flush()


def get_listener_by_name(session: Session, name: str) -> Listener | None:
    """The listener of this name, in any case of letters."""
    return session.exec(select(Listener).where(Listener.name == name.lower())).first()


def list_listeners(session: Session) -> list[tuple[Listener, int]]:
    """Everyone, in order of name, with the number of their devices."""
    devices = select(func.count()).where(ListenerDevice.listener_id == Listener.id).scalar_subquery()
    return [(row[0], row[1]) for row in session.exec(select(Listener, devices).order_by(Listener.name))]


def raise_sequence(session: Session, listener_id: int, now_seconds: int) -> int | None:
    """The number of the change that this transaction is going to write, or None when there is no such listener.

    Other writers of the same listener wait here until the transaction ends, so a number that can be seen is never
    followed by a lower one. It is at least the clock's: a store that was restored from a backup gives out none that an
    app has seen already.
    """
    following = col(Listener.last_sequence) + 1
    statement = (
        update(Listener)
        .where(col(Listener.id) == listener_id)
        .values(last_sequence=case((following > now_seconds, following), else_=now_seconds))
        .returning(col(Listener.last_sequence))
        .execution_options(synchronize_session=False)
    )
    return session.exec(statement).scalar_one_or_none()


def get_sequence(session: Session, listener_id: int) -> int:
    """The number of the newest change. Read it before the changes: what comes in between is for the next time."""
    return session.exec(select(Listener.last_sequence).where(Listener.id == listener_id)).first() or 0


# -- sessions ------------------------------------------------------------------------------------------------------


def lock_listener(session: Session, listener_id: int) -> Listener | None:
    """The listener as it is now; nobody changes it before this transaction ends."""
    statement = select(Listener).where(Listener.id == listener_id).with_for_update()
    return session.exec(statement.execution_options(populate_existing=True)).first()


def append_session(session: Session, row: ListenerSession) -> None:
    """Keep an app signed in."""
    session.add(row)


def get_listener_by_token(session: Session, token_hash: bytes, now: datetime) -> Listener | None:
    """The listener whose unexpired session has this SHA-256."""
    statement = (
        select(Listener)
        .join(ListenerSession, col(ListenerSession.listener_id) == Listener.id)
        .where(ListenerSession.token_hash == token_hash, ListenerSession.expires_at > now)
    )
    return session.exec(statement).first()


def delete_session(session: Session, token_hash: bytes, listener_id: int) -> None:
    """Sign one of the listener's apps out."""
    session.exec(
        delete(ListenerSession).where(
            col(ListenerSession.token_hash) == token_hash, col(ListenerSession.listener_id) == listener_id
        )
    )


def delete_sessions_of(session: Session, listener_id: int) -> None:
    """Sign all of the listener's apps out."""
    session.exec(delete(ListenerSession).where(col(ListenerSession.listener_id) == listener_id))


def delete_expired_sessions(session: Session, now: datetime) -> None:
    """Forget sessions that are over."""
    session.exec(delete(ListenerSession).where(col(ListenerSession.expires_at) <= now))


# -- devices -------------------------------------------------------------------------------------------------------


def append_devices(session: Session, devices: Iterable[ListenerDevice]) -> None:
    """Add devices; raises IntegrityError when the listener has one of that name."""
    session.add_all(devices)
    session.flush()


def get_device(session: Session, listener_id: int, name: str) -> ListenerDevice | None:
    """A listener's device."""
    statement = select(ListenerDevice).where(ListenerDevice.listener_id == listener_id, ListenerDevice.name == name)
    return session.exec(statement).first()


def list_devices(session: Session, listener_id: int) -> list[ListenerDevice]:
    """A listener's devices, in order of name."""
    statement = select(ListenerDevice).where(ListenerDevice.listener_id == listener_id)
    return list(session.exec(statement.order_by(ListenerDevice.name)))


# -- all of it -----------------------------------------------------------------------------------------------------


def list_device_names(session: Session, listener_id: int) -> list[str]:
    """Every name that the listener's actions and devices go by. The empty one, for actions without a device, always:
    such plays can be in the log when the store did not take the action."""
    named = select(EpisodeAction.device).where(EpisodeAction.listener_id == listener_id)
    known = select(ListenerDevice.name).where(ListenerDevice.listener_id == listener_id)
    names = {*session.exec(named.distinct()), *session.exec(known)} - {""}
    return [*sorted(names), ""]


def export_listener(session: Session, listener_id: int) -> dict[str, Any]:
    """All that is kept about a listener, as plain JSON values; the hashes of password and sessions are left out."""
    listener = session.exec(select(Listener).where(Listener.id == listener_id)).one()
    devices = list_devices(session, listener_id)
    return {
        "name": listener.name,
        "id": str(listener.uuid),
        "created_at": listener.created_at.isoformat(),
        "devices": [
            {"id": device.name, "caption": device.caption, "type": device.kind, **_subscriptions(session, device)}
            for device in devices
        ],
        "actions": _dump(
            session.exec(
                select(EpisodeAction)
                .where(EpisodeAction.listener_id == listener_id)
                .order_by(col(EpisodeAction.at_ms), col(EpisodeAction.action_id))
            ).all(),
            {"listener_id", "action_id", "sequence"},
        ),
        "settings": _dump(
            session.exec(
                select(ListenerSetting)
                .where(ListenerSetting.listener_id == listener_id)
                .order_by(ListenerSetting.scope, ListenerSetting.name)
            ).all(),
            {"listener_id", "scope_hash"},
        ),
        "sessions": [
            {"created_at": row.created_at.isoformat(), "expires_at": row.expires_at.isoformat()}
            for row in session.exec(select(ListenerSession).where(ListenerSession.listener_id == listener_id))
        ],
    }


def _subscriptions(session: Session, device: ListenerDevice) -> dict[str, list[str]]:
    rows = session.exec(
        select(Subscription).where(Subscription.device_id == device.id).order_by(Subscription.url)
    ).all()
    return {
        "subscriptions": [row.url for row in rows if row.is_subscribed],
        "former_subscriptions": [row.url for row in rows if not row.is_subscribed],
    }


def _dump(rows: Sequence[EpisodeAction | ListenerSetting], internal: set[str]) -> list[dict[str, Any]]:
    return [row.model_dump(exclude=internal) for row in rows]


def delete_listener(session: Session, listener_id: int) -> None:
    """Leave nothing of a listener here. What was counted stays: it knows the devices' pseudonyms only."""
    # Locked first, so that a request that is writing for this listener ends before, or finds nobody after.
    lock_listener(session, listener_id)
    devices = select(ListenerDevice.id).where(ListenerDevice.listener_id == listener_id)
    session.exec(delete(Subscription).where(col(Subscription.device_id).in_(devices)))
    for table in (ListenerDevice, EpisodeAction, ListenerSetting, ListenerSession):
        session.exec(delete(table).where(col(table.listener_id) == listener_id))
    session.exec(delete(Listener).where(col(Listener.id) == listener_id))
