"""Devices that registered."""

from sqlmodel import Session

from models.tables import Device


def append_device(session: Session, device: Device) -> None:
    """Keep a new device."""
    session.add(device)
