"""What happens when a device registers or asks after a batch."""

import json
from collections import Counter
from typing import Any
from uuid import UUID

from limits import RateLimitItemPerMinute
from sqlmodel import Session

from api import clock
from api.consumers import MEASUREMENT
from api.errors import UnavailableError
from api.events import EventLog
from api.events.log import Record, partition_of
from api.events.records import Erase, SyncBatch, pack, unpack
from api.sync.schemas import DeviceIn, ReceiptOut
from models.chain_state import worst
from models.queries import devices, offsets, receipts
from models.tables import Device

BACKLOG_READ = 20_000
"""Records looked through for a batch that is not counted yet; in a longer backlog, what is not found may be there."""
PAGE = 1000


def check_registration_rate(state: Any, address: str) -> None:
    """Slow down whoever makes devices by the thousand. 503 and not 429: clients delete their queue on a 4xx."""
    limit = RateLimitItemPerMinute(state.settings.registrations_per_minute)
    if not state.registration_limiter.hit(limit, address):
        raise UnavailableError("Too many new devices from this address. Try again in a minute.", 10)


def register(session: Session, device_id: UUID, body: DeviceIn, network: int | None) -> None:
    """Keep a new device; `network` is remembered for some weeks, to tell a crowd of new devices of one network."""
    devices.append_device(
        session,
        Device(
            device=device_id.bytes,
            app=body.app,
            app_version=body.app_version,
            platform=body.platform,
            created_at=clock.now(),
            network=network,
        ),
    )


async def request_erasure(log: EventLog, device: bytes) -> None:
    """Append the wish to be forgotten; behind all that the device sent before, so that nothing is missed."""
    await log.append(Record(device, pack(Erase(device))))


def find_receipt(session: Session, log: EventLog, device: bytes, receipt: bytes) -> ReceiptOut | None:
    """Pending while any delivery of the body waits to be counted, then done; None when there was no such body."""
    partition = partition_of(device, log.partitions)
    waiting = _is_waiting(log, partition, offsets.get_offset(session, MEASUREMENT, partition), device, receipt)
    if waiting:
        return ReceiptOut(state="pending")
    rows = receipts.list_receipts(session, device, receipt, clock.now().date())
    if not rows:
        return None if waiting is False else ReceiptOut(state="pending")
    set_aside: Counter[str] = Counter()
    for row in rows:
        set_aside.update(json.loads(row.set_aside))
    return ReceiptOut(
        state="done",
        counted=sum(row.counted for row in rows),
        duplicate=sum(row.duplicate for row in rows),
        set_aside=dict(set_aside),
        chain=worst(row.chain for row in rows),
    )


def _is_waiting(log: EventLog, partition: int, offset: int, device: bytes, receipt: bytes) -> bool | None:
    """Whether the body is in the log behind `offset`; None when the backlog is too long to say."""
    looked = 0
    while records := log.read(partition, offset, PAGE):
        for record in records:
            if record.key == device and _has_receipt(record.payload, receipt):
                return True
        looked += len(records)
        if looked >= BACKLOG_READ:
            return None
        offset = records[-1].offset + 1
    return False


def _has_receipt(payload: bytes, receipt: bytes) -> bool:
    # The receipt stands in the packed record as it is; unpacking only what has it keeps a long backlog cheap.
    if receipt not in payload:
        return False
    record = unpack(payload)
    return isinstance(record, SyncBatch) and record.receipt == receipt
