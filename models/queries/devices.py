"""Devices that registered."""

from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import Session

from models.tables import Device


def append_device(session: Session, device: Device) -> None:
    """Keep a new device."""
    session.add(device)


def get_registration(connection: Connection, device: bytes) -> dict[str, Any] | None:
    """What a device said of itself, None when it never registered."""
    table = Device.__table__  # type: ignore[attr-defined]
    columns = table.c.app, table.c.app_version, table.c.platform, table.c.created_at
    found = connection.execute(select(*columns).where(table.c.device == device)).mappings().one_or_none()
    return None if found is None else {**found, "created_at": found["created_at"].isoformat()}
