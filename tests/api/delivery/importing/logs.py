"""Logs in the memory, and their rows as dictionaries."""

import io
from dataclasses import dataclass, field
from typing import Any

from api.delivery.importing.blocks import LineBlock, Texts
from api.delivery.importing.formats import Choice
from api.delivery.importing.reader import BLOCK_BYTES, LogReader

NGINX = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
    '"$http_user_agent" "$http_range"'
)


@dataclass
class Read:
    """All that was read."""

    format: str = ""
    has_ranges: bool = False
    damage: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    unreadable: list[tuple[int, str, str]] = field(default_factory=list)
    blocks: list[LineBlock] = field(default_factory=list)

    def reasons(self) -> dict[int, str]:
        """Why, by line."""
        return {line: reason for line, reason, _ in self.unreadable}


def read(data: bytes, choice: Choice | str = "auto", block_bytes: int = BLOCK_BYTES) -> Read:
    """Read a log to its end."""
    choice = Choice(choice) if isinstance(choice, str) else choice
    return drain(open_in_memory(data, choice, block_bytes))


class Trickle(io.BytesIO):
    """Gives few bytes at a time: blocks end where a line does that such a portion ends."""

    def __init__(self, data: bytes, portion: int) -> None:
        super().__init__(data)
        self._portion = portion

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._portion)


def open_in_memory(data: bytes, choice: Choice, block_bytes: int = BLOCK_BYTES) -> LogReader:
    """A reader whose blocks are as small as asked for."""
    return LogReader(Trickle(data, block_bytes), choice, block_bytes)


def drain(reader: LogReader) -> Read:
    """Read what is left."""
    result = Read(reader.format, reader.has_ranges)
    for block in reader:
        result.blocks.append(block)
        result.rows += rows_of(block)
        result.unreadable += map(tuple, block.unreadable)
    result.damage = reader.damage
    return result


def rows_of(block: LineBlock) -> list[dict[str, Any]]:
    """One dictionary a row."""
    columns = {name: plain(column) for name, column in block.rows._asdict().items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def plain(column: Any) -> list[Any]:
    """The values, one a row."""
    if isinstance(column, Texts):
        assert len(set(column.values)) == len(column.values)
        return [column.values[code] for code in column.codes]
    return column.tolist()


def row(**told: Any) -> dict[str, Any]:
    """A row that says nothing but this."""
    texts = ("ip", "method", "path", "host", "range", "user_agent", "referrer", "country")
    return {"line": 0, "at_ms": 0, "status": 200, "sent_bytes": 0} | dict.fromkeys(texts, "") | told
