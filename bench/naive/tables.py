"""The baseline's tables, all in one SQLite file with the settings SQLite has by itself."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel, UniqueConstraint


class Event(SQLModel, table=True):
    """One event as received."""

    id: int | None = Field(default=None, primary_key=True)
    event_id: str = Field(unique=True, index=True)
    device_id: str = Field(index=True)
    seq: int
    kind: str
    episode: str
    session: str
    at_ms: int
    from_ms: int
    to_ms: int
    wall_ms: int
    offline: bool
    received_at: datetime


class Playback(SQLModel, table=True):
    """What one device heard of one episode on one day."""

    __table_args__ = (UniqueConstraint("device_id", "episode", "day"),)

    id: int | None = Field(default=None, primary_key=True)
    device_id: str
    episode: str
    day: date
    seconds: str = "[]"
    """JSON list of the whole seconds heard."""
    is_start: bool = False
    is_listen: bool = False


class DailyStats(SQLModel, table=True):
    """The rollup a creator sees."""

    __table_args__ = (UniqueConstraint("episode", "day"),)

    id: int | None = Field(default=None, primary_key=True)
    episode: str
    day: date
    starts: int = 0
    listens: int = 0
    heard_seconds: int = 0
