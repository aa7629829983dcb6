"""Devices that are being erased, and those that were."""

from collections.abc import Iterable
from hashlib import sha256

from sqlalchemy import Connection, text

from models.bulk import BulkTable, keep_rows, select_by_keys

ERASURE = BulkTable("erasure", {"device": "bytea"}, {"partition": "int", "log_offset": "bigint"})
ERASED_DEVICE = BulkTable("erased_device", {"device_hash": "bytea"}, {})


def hash_device(device: bytes) -> bytes:
    """What an erased device is recognised by: says of a known id that it was erased, and cannot be turned back."""
    return sha256(b"earshot/erased\n" + device).digest()


def append_erasure(connection: Connection, device: bytes, partition: int, offset: int) -> None:
    """Note that a device is to be erased, and that it counts no more from here on. Once is enough."""
    if next(select_by_keys(connection, ERASED_DEVICE, [(hash_device(device),)]), None) is None:
        keep_rows(connection, ERASURE, [(device, partition, offset)])
    append_erased(connection, hash_device(device))


def append_erased(connection: Connection, device_hash: bytes) -> None:
    """Note that nothing this device sends is counted any more."""
    keep_rows(connection, ERASED_DEVICE, [(device_hash,)])


def list_erased(connection: Connection, devices: Iterable[bytes]) -> set[bytes]:
    """Those of the devices that were erased, or are being erased."""
    if not connection.execute(text("SELECT EXISTS (SELECT 1 FROM erased_device)")).scalar_one():
        return set()
    hashes = {hash_device(device): device for device in devices}
    found = select_by_keys(connection, ERASED_DEVICE, [(digest,) for digest in sorted(hashes)])
    return {hashes[bytes(row[0])] for row in found}
