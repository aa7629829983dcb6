"""Devices that are being erased, and those that were."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection, select, text

from models.bulk import BulkTable, Row, chunks, delete_by_keys, keep_rows, put_rows, select_by_keys
from models.queries.folding import PLAYBACK
from models.tables import Episode

ERASURE = BulkTable("erasure", {"device": "bytea"}, {"partition": "int", "log_offset": "bigint"})
ERASED_DEVICE = BulkTable("erased_device", {"device_hash": "bytea"}, {})


class PendingErasure(NamedTuple):
    """A device that is being erased."""

    device: bytes
    partition: int
    offset: int
    """Where the wish stands in the log."""
    kept: bytes | None
    """What stays, once the store has it in the device's place."""


def hash_device(device: bytes) -> bytes:
    """What an erased device is recognised by: says of a known id that it was erased, and cannot be turned back."""
    return sha256(b"earshot/erased\n" + device).digest()


def append_erasure(connection: Connection, device: bytes, partition: int, offset: int) -> None:
    """Note that a device is to be erased, and that it counts no more from here on. Once is enough."""
    is_known = next(select_by_keys(connection, ERASED_DEVICE, [(hash_device(device),)]), None) is not None
    # A store restored from before the erasing has rows of the device again, beside those that stand in for it.
    if not is_known or list_playbacks_of_device(connection, device):
        keep_rows(connection, ERASURE, [(device, partition, offset)])
    append_erased(connection, hash_device(device))


def append_erased(connection: Connection, device_hash: bytes) -> None:
    """Note that nothing this device sends is counted any more."""
    keep_rows(connection, ERASED_DEVICE, [(device_hash,)])


def list_hashes(connection: Connection) -> frozenset[bytes]:
    """What all erased devices are recognised by."""
    return frozenset(bytes(row[0]) for row in connection.execute(text("SELECT device_hash FROM erased_device")))


def list_erasures(connection: Connection) -> list[PendingErasure]:
    """Devices of which something may still be left."""
    statement = text("SELECT device, partition, log_offset, kept FROM erasure ORDER BY partition, log_offset")
    return [
        PendingErasure(bytes(device), int(partition), int(offset), kept if kept is None else bytes(kept))
        for device, partition, offset, kept in connection.execute(statement)
    ]


def list_playbacks_of_device(connection: Connection, device: bytes) -> list[Row]:
    """Its rows of `PLAYBACK`, asked for day by day, since a device's rows lie apart."""
    first, last = connection.execute(text("SELECT min(day), max(day) FROM playback")).one()
    days = range(int(first), int(last) + 1) if first is not None else range(0)
    columns = ", ".join(PLAYBACK.columns)
    statement = text(f"SELECT {columns} FROM playback WHERE day = :day AND device = :device")
    return [tuple(row) for day in days for row in connection.execute(statement, {"day": day, "device": device})]


def list_uuids(connection: Connection, episodes: Iterable[int]) -> dict[int, str]:
    """The UUIDs of episodes, by their small keys."""
    table = Episode.__table__  # type: ignore[attr-defined]
    found: dict[int, str] = {}
    for chunk in chunks(episodes):
        statement = select(table.c.id, table.c.uuid).where(table.c.id.in_(chunk))
        found |= {number: str(uuid) for number, uuid in connection.execute(statement)}
    return found


def replace_device(connection: Connection, device: bytes, old: Sequence[Row], new: Sequence[Row], kept: bytes) -> None:
    """Put playbacks without a device in the place of a device's, and forget all else that the store has of it."""
    delete_by_keys(connection, PLAYBACK, [row[:3] for row in old])
    put_rows(connection, PLAYBACK, new)
    for table in ("device_log", "receipt", "set_aside", "device"):
        connection.execute(text(f"DELETE FROM {table} WHERE device = :device"), {"device": device})
    connection.execute(text("UPDATE erasure SET kept = :kept WHERE device = :device"), {"kept": kept, "device": device})


def delete_erasure(connection: Connection, device: bytes) -> None:
    """Nothing of the device is left anywhere."""
    connection.execute(text("DELETE FROM erasure WHERE device = :device"), {"device": device})


def list_erased(connection: Connection, devices: Iterable[bytes]) -> set[bytes]:
    """Those of the devices that were erased, or are being erased."""
    if not connection.execute(text("SELECT EXISTS (SELECT 1 FROM erased_device)")).scalar_one():
        return set()
    hashes = {hash_device(device): device for device in devices}
    found = select_by_keys(connection, ERASED_DEVICE, [(digest,) for digest in sorted(hashes)])
    return {hashes[bytes(row[0])] for row in found}
