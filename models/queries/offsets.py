"""How far consumers are in the log."""

from sqlalchemy import Connection, text
from sqlmodel import Session

from models.counting import ConsumerOffset


def get_offset(session: Session, consumer: str, partition: int) -> int:
    """The next offset this consumer will fold."""
    row = session.get(ConsumerOffset, (consumer, partition))
    return row.next_offset if row else 0


def append_consumer(connection: Connection, consumer: str, partition: int) -> None:
    """Make the row of a new consumer, standing at the start of the log."""
    connection.execute(
        text(
            "INSERT INTO consumer_offset (consumer, partition, next_offset, updated_at_ms) "
            "VALUES (:consumer, :partition, 0, 0) ON CONFLICT DO NOTHING"
        ),
        {"consumer": consumer, "partition": partition},
    )


def get_next_offset(connection: Connection, consumer: str, partition: int) -> int:
    """The next offset that a known consumer will fold."""
    found = connection.execute(
        text("SELECT next_offset FROM consumer_offset WHERE consumer = :consumer AND partition = :partition"),
        {"consumer": consumer, "partition": partition},
    )
    return int(found.scalar_one())


def list_offsets(connection: Connection, consumer: str) -> dict[int, int]:
    """Partition -> the next offset that the consumer will fold."""
    found = connection.execute(
        text("SELECT partition, next_offset FROM consumer_offset WHERE consumer = :consumer"), {"consumer": consumer}
    )
    return {int(partition): int(offset) for partition, offset in found}


def touch_offsets(connection: Connection, consumer: str, now_ms: int) -> dict[int, int]:
    """Note that the consumer was here; partition -> next offset. It writes, so its commit reaches the disk."""
    connection.execute(
        text("UPDATE consumer_offset SET updated_at_ms = :now_ms WHERE consumer = :consumer"),
        {"consumer": consumer, "now_ms": now_ms},
    )
    return list_offsets(connection, consumer)


def claim_offset(connection: Connection, consumer: str, partition: int, old: int, new: int, now_ms: int) -> bool:
    """Move from `old` to `new`; False when another worker moved it first, and then nothing may be committed.

    On PostgreSQL this waits for the other's transaction and holds the row until ours ends.
    """
    moved = connection.execute(
        text(
            "UPDATE consumer_offset SET next_offset = :new, updated_at_ms = :now_ms "
            "WHERE consumer = :consumer AND partition = :partition AND next_offset = :old"
        ),
        {"consumer": consumer, "partition": partition, "old": old, "new": new, "now_ms": now_ms},
    )
    return moved.rowcount == 1
