"""Devices that registered."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlmodel import Session

from models.tables import Device


def append_device(session: Session, device: Device) -> None:
    """Keep a new device."""
    session.add(device)


def get_registration(connection: Connection, device: bytes) -> dict[str, Any] | None:
    """What a device said of itself, None when it never registered."""
    table = Device.__table__  # type: ignore[attr-defined]
    columns = table.c.app, table.c.app_version, table.c.platform, table.c.created_at, table.c.network
    found = connection.execute(select(*columns).where(table.c.device == device)).mappings().one_or_none()
    return None if found is None else {**found, "created_at": found["created_at"].isoformat()}


def forget_networks(connection: Connection, before: datetime) -> int:
    """Forget the networks of devices that registered before then; how many there were."""
    table = Device.__table__  # type: ignore[attr-defined]
    old = table.c.network.is_not(None), table.c.created_at < before
    return connection.execute(update(table).where(*old).values(network=None)).rowcount
