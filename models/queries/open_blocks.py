"""Which blocks of an episode's days may have something that waits for a close; `models.payouts.OpenBlock` says why."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, text

from models.columns import day_number
from models.queries.payable import BLOCK_DAYS, Scope, list_day_counts
from models.statements import DayCount

Block = tuple[int, int]
"""An episode, and the number of the block."""


def close_blocks(connection: Connection, last: date) -> int:
    """Take away the blocks up to that day in which nothing is open any more; how many they were.

    The caller keeps folds, holds and closes out: what they would open meanwhile must not be missed.
    """
    ended = f"SELECT episode_id, block FROM open_block WHERE (block + 1) * {BLOCK_DAYS} - 1 <= :last"
    known = {(row[0], row[1]) for row in connection.execute(text(ended), {"last": day_number(last)})}
    known -= {_block_of(count) for count in list_day_counts(connection, Scope(last=last), is_open_only=True)}
    if known:
        statement = text("DELETE FROM open_block WHERE episode_id = :episode AND block = :block")
        connection.execute(statement, [{"episode": episode, "block": block} for episode, block in sorted(known)])
    return len(known)


def list_unmarked_days(connection: Connection) -> list[DayCount]:
    """Open days that no block holds. There are none, or what is pending would be told too small."""
    counts = list_day_counts(connection, Scope(), is_open_only=True, trusts_blocks=False)
    # After the counts: what is opened in between must not look as if it had been forgotten.
    marked = {(row[0], row[1]) for row in connection.execute(text("SELECT episode_id, block FROM open_block"))}
    return [count for count in counts if _block_of(count) not in marked]


def open_blocks(connection: Connection, counts: Iterable[DayCount]) -> None:
    """Open the blocks of these days, which are in none."""
    blocks = sorted({_block_of(count) for count in counts})
    if blocks:
        statement = text("INSERT INTO open_block VALUES (:episode, :block) ON CONFLICT DO NOTHING")
        connection.execute(statement, [{"episode": episode, "block": block} for episode, block in blocks])


def count_blocks(connection: Connection) -> int:
    """How many are open."""
    return int(connection.execute(text("SELECT count(*) FROM open_block")).scalar_one())


def _block_of(count: DayCount) -> Block:
    return count.episode_id, day_number(count.day) // BLOCK_DAYS
