"""What Earshot holds of one device or listener, and how it is erased; docs/operations.md."""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Engine
from sqlmodel import Session

from api.errors import NotFoundError
from api.events import EventLog
from api.events.archive import Archive
from api.events.log import Record, partition_of
from api.events.records import Erase, pack
from api.measurement import erasing
from api.measurement.archiving import try_unpack
from api.measurement.conclude import EVENT_FIELDS
from api.measurement.worker import Worker
from api.pseudonyms import listener_devices
from api.secret import load_secret
from api.settings import Settings
from models.columns import day_from_number
from models.engine import read_only
from models.queries import devices, erasures, listeners


def devices_of_listener(session: Session, settings: Settings, name: str) -> tuple[int, list[bytes]]:
    """A listener's row id, and what stands in the log for each device. Raises NotFoundError."""
    listener = listeners.get_listener_by_name(session, name)
    if listener is None or listener.id is None:
        raise NotFoundError(f"There is no listener named {name}. `earshot listeners list` shows all.")
    secret = load_secret(settings.secret, settings.home)
    return listener.id, listener_devices(secret, listener.uuid, listeners.list_device_names(session, listener.id))


def export_devices(engine: Engine, log: EventLog, archive: Archive, wanted: Iterable[bytes]) -> list[dict[str, Any]]:
    """All that store, log and archive hold of devices, as JSON values."""
    return [_export_device(engine, log, archive, device) for device in wanted]


def _export_device(engine: Engine, log: EventLog, archive: Archive, device: bytes) -> dict[str, Any]:
    partition = partition_of(device, log.partitions)
    found = erasing.records_of(log, archive, partition, [device])[device]
    records = [record for stored in found if (record := try_unpack(stored)) is not None]
    with read_only(engine).connect() as connection:
        rows = erasures.list_playbacks_of_device(connection, device)
        uuids = erasures.list_uuids(connection, {row[2] for row in rows})
        registered = devices.get_registration(connection, device)
    return {
        "device_id": str(UUID(bytes=device)),
        "registration": registered,
        "playbacks": [_playback(row, uuids) for row in rows],
        "received": [_received(record) for record in records],
    }


def _playback(row: tuple[Any, ...], uuids: dict[int, str]) -> dict[str, Any]:
    day, _, episode_id, _, coverage, _, wall_ms, first_at_ms, last_at_ms, is_start, is_offline = row
    seconds = memoryview(bytes(coverage)).cast("I").tolist()
    return {
        "day": day_from_number(day).isoformat(),
        "episode_id": uuids.get(episode_id),
        "heard_seconds": [list(pair) for pair in zip(seconds[::2], seconds[1::2], strict=True)],
        "wall_ms": wall_ms,
        "first_at_ms": first_at_ms,
        "last_at_ms": last_at_ms,
        "is_start": bool(is_start),
        "is_offline": bool(is_offline),
    }


def _received(record: Any) -> dict[str, Any]:
    """A record of the log in words: what type it is, and its fields; ids and hashes in hex."""
    fields = msgspec.structs.asdict(record)
    if "events" in fields:
        fields["events"] = [dict(zip(EVENT_FIELDS, event, strict=True)) for event in fields["events"]]
    return {"type": type(record).__name__, **{name: _plain(value) for name, value in fields.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def erase_devices(worker: Worker, engine: Engine, log: EventLog, archive: Archive, wanted: Iterable[bytes]) -> None:
    """Erase devices from store, log and archive; returns when nothing of them is left. Totals stay as they are."""
    for device in wanted:
        asyncio.run(log.append(Record(device, pack(Erase(device)))))
    worker.drain()
    with archive.lock():
        erasing.erase_pending(engine, log, archive)
