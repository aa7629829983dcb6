"""What stands in the event log for a device of a listener who has an account."""

import hmac
from collections.abc import Iterable
from uuid import UUID


def listener_device(secret: str, listener: UUID, name: str) -> bytes:
    """Sixteen bytes that stand for one device of one listener: no name in them, and none to be guessed without the
    installation's secret. A name that is given up and taken by somebody else gives other bytes."""
    return hmac.digest(secret.encode(), f"earshot/gpodder\n{listener}\n{name}".encode(), "sha256")[:16]


def listener_devices(secret: str, listener: UUID, names: Iterable[str]) -> list[bytes]:
    """The same for several devices; `models.queries.listeners.list_device_names` has the names."""
    return [listener_device(secret, listener, name) for name in names]
