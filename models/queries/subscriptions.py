"""The feeds that listeners' devices follow."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from sqlmodel import Session, col, func, select, update

from models.bulk import BulkTable, chunks, put_rows
from models.listeners import ListenerDevice, Subscription

SUBSCRIPTION = BulkTable(
    "subscription",
    {"device_id": "int", "url_hash": "bytea"},
    {"url": "text", "is_subscribed": "bool", "sequence": "bigint"},
)


def list_subscriptions(session: Session, device_ids: Iterable[int]) -> list[str]:
    """The feeds that any of these devices follows, each once, in order."""
    urls: set[str] = set()
    for chunk in chunks(device_ids):
        statement = select(Subscription.url).where(
            col(Subscription.device_id).in_(chunk), col(Subscription.is_subscribed)
        )
        urls.update(session.exec(statement.distinct()))
    return sorted(urls)


def list_changes(session: Session, device_id: int, since: int, until: int) -> tuple[list[str], list[str]]:
    """Feeds subscribed to and given up after one number and up to another, in order. From 0 on nothing is told as given
    up: an app that starts afresh has nothing to forget."""
    statement = (
        select(Subscription)
        .where(Subscription.device_id == device_id, Subscription.sequence > since, Subscription.sequence <= until)
        .order_by(Subscription.url)
    )
    rows = session.exec(statement).all()
    added = [row.url for row in rows if row.is_subscribed]
    return added, [row.url for row in rows if not row.is_subscribed and since > 0]


def count_subscriptions(session: Session, listener_id: int) -> dict[int, int]:
    """How many feeds each of a listener's devices follows, by the device's key; none is left out."""
    statement = (
        select(Subscription.device_id, func.count())
        .join(ListenerDevice, col(ListenerDevice.id) == Subscription.device_id)
        .where(ListenerDevice.listener_id == listener_id, col(Subscription.is_subscribed))
        .group_by(col(Subscription.device_id))
    )
    return dict(session.exec(statement).all())


def put_subscriptions(
    session: Session, device_ids: Sequence[int], urls: Iterable[str], sequence: int, *, is_subscribed: bool
) -> None:
    """Subscribe these devices to feeds, or end it. A device for which it is so already keeps its older number."""
    hashes = {sha256(url.encode()).digest(): url for url in urls}
    same: set[tuple[int, bytes]] = set()
    for chunk in chunks(device_ids):
        statement = select(Subscription.device_id, Subscription.url_hash).where(
            col(Subscription.device_id).in_(chunk), col(Subscription.is_subscribed) == is_subscribed
        )
        same |= {(device_id, bytes(digest)) for device_id, digest in session.exec(statement)}
    rows = [
        (device_id, digest, url, is_subscribed, sequence)
        for device_id in device_ids
        for digest, url in hashes.items()
        if (device_id, digest) not in same
    ]
    put_rows(session.connection(), SUBSCRIPTION, rows)


def put_sync_group(session: Session, device_ids: Iterable[int], sync_group: int | None) -> None:
    """Let these devices share their subscriptions from here on, or stop sharing."""
    for chunk in chunks(device_ids):
        session.exec(update(ListenerDevice).where(col(ListenerDevice.id).in_(chunk)).values(sync_group=sync_group))
