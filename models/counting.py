"""What the worker writes: playbacks, rollups, receipts, and where it stands in the log.

Everything here can be rebuilt from the event log. Keys start with a day wherever the table grows with traffic, so that
live writes touch the last few days' pages, however long the history.
"""

from datetime import date

from sqlalchemy import BigInteger, Column, Index, LargeBinary, column, literal_column, or_
from sqlmodel import Field, SQLModel

from models.columns import UtcDay

CLUSTERED = {"sqlite_with_rowid": False}
"""Rows live in key order in the one tree, instead of in arrival order beside an index."""


class Playback(SQLModel, table=True):
    """All that one device heard of one episode on one UTC day: the unit of counting."""

    __tablename__ = "playback"
    __table_args__ = CLUSTERED

    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    """UTC day of the events' `at_ms`."""
    device: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    event_ids: bytes
    """First 8 bytes of each event's SHA-256, in order of arrival: what makes a repeated event a duplicate."""
    coverage: bytes
    """Whole seconds heard, as sorted disjoint `[from, to)` pairs of little-endian uint32; not cut at the duration,
    so that a replaced recording can be counted again from the same row."""
    repeats: bytes
    """Seconds that more than one span covered, packed as `coverage`: what was played again."""
    wall_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Time on the device's monotonic clock that the spans took, summed over distinct events."""
    first_at_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_at_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    is_start: bool
    """Any event but `download` was seen."""
    is_offline: bool
    """Any span was heard without a connection."""


class EpisodeDay(SQLModel, table=True):
    """Rollup: sum of `contribution(playback)` over an episode's playbacks of a UTC day."""

    __tablename__ = "episode_day"
    __table_args__ = CLUSTERED

    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    starts: int = Field(sa_column=Column(BigInteger, nullable=False))
    listens: int = Field(sa_column=Column(BigInteger, nullable=False))
    offline_listens: int = Field(sa_column=Column(BigInteger, nullable=False))
    completions: int = Field(sa_column=Column(BigInteger, nullable=False))
    heard_seconds: int = Field(sa_column=Column(BigInteger, nullable=False))


class ArrivalDay(SQLModel, table=True):
    """Rollup: what each received day added to each day, the raw matter of lag and of the live strip."""

    __tablename__ = "arrival_day"
    __table_args__ = CLUSTERED

    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    received_day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    events: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Events counted (duplicates and those set aside are not)."""
    starts: int = Field(sa_column=Column(BigInteger, nullable=False))
    listens: int = Field(sa_column=Column(BigInteger, nullable=False))
    heard_seconds: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_received_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Receipt of the newest counted event."""


class ShowArrival(SQLModel, table=True):
    """Rollup: how long after a day began what it is made of had arrived; what completeness is estimated from."""

    __tablename__ = "show_arrival"
    __table_args__ = CLUSTERED

    show_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    lag_hours: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    """Whole hours from the day's first instant to the receipt; from 72 on cut to whole days (72, 96, 120, ...)."""
    starts: int = Field(sa_column=Column(BigInteger, nullable=False))
    listens: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Added by what arrived then. Net: a replaced recording can take some back."""
    heard_seconds: int = Field(sa_column=Column(BigInteger, nullable=False))


class EpisodeHeard(SQLModel, table=True):
    """Rollup: how many playbacks of all days heard each second, as differences from one second to the next.

    A row holds `HEARD_CHUNK_SECONDS` seconds. Each blob is that many little-endian int32; the running sum over an
    episode's rows, in order of `chunk`, is the number of playbacks. Rows merge by addition.
    """

    __tablename__ = "episode_heard"
    __table_args__ = CLUSTERED

    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    chunk: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    """Seconds from `chunk * HEARD_CHUNK_SECONDS` on."""
    heard: bytes
    """Playbacks that heard the second."""
    spanned: bytes
    """Playbacks whose first heard second is not after this one and whose last is not before it: less `heard`, those
    that skipped it."""
    repeated: bytes
    """Playbacks that heard the second more than once."""


HEARD_CHUNK_SECONDS = 256
"""Seconds in a row of `episode_heard`: blobs of 1 KiB, so a step writes little and PostgreSQL keeps them in the row."""


class EpisodeCounted(SQLModel, table=True):
    """The duration that an episode's rollups were computed with; when the catalogue says another, they are redone."""

    __tablename__ = "episode_counted"

    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    duration_seconds: int


class PipelineDay(SQLModel, table=True):
    """Conservation: per received day, what became of every event. Received = sum over the outcomes."""

    __tablename__ = "pipeline_day"
    __table_args__ = CLUSTERED

    received_day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    kind: str = Field(primary_key=True)
    """`event` (a device's) or `hit`."""
    outcome: str = Field(primary_key=True)
    """`counted`, `duplicate`, or the cause it was set aside for."""
    events: int = Field(sa_column=Column(BigInteger, nullable=False))


class SetAside(SQLModel, table=True):
    """An event that could not be counted, kept whole and once, with its cause. A repetition of it is a duplicate."""

    __tablename__ = "set_aside"
    __table_args__ = (Index("ix_set_aside_cause", "cause", "received_at_ms"),)

    event_id: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    cause: str
    device: bytes
    received_at_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    payload: str
    """The event as JSON, fields as in the sync protocol."""


class Receipt(SQLModel, table=True):
    """What became of one body that a device sent; deliveries of the same body add up."""

    __tablename__ = "receipt"
    __table_args__ = CLUSTERED

    received_day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    device: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    receipt: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    """SHA-256 of the body, unpacked."""
    counted: int
    duplicate: int
    set_aside: str
    """JSON object, cause -> number of events."""
    chain: str
    """`intact`, `broken`, `gap` or `fork`: the worst that this body showed."""


_TROUBLED = or_(column("is_broken"), column("is_forked"), column("missing") != literal_column("'[]'"))
"""In the words of `queries/pipeline.py`, or the index is not used."""


class DeviceLog(SQLModel, table=True):
    """Where a device's hash chain stands."""

    __tablename__ = "device_log"
    __table_args__ = (
        Index("ix_device_log_troubled", "last_received_ms", sqlite_where=_TROUBLED, postgresql_where=_TROUBLED),
        CLUSTERED,
    )

    device: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    last_seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    """The highest seq seen."""
    last_id: bytes
    """The full id of that event."""
    missing: str
    """JSON list of stretches not seen yet, `[first_seq, last_seq, id before it in hex, "after" of what follows]`."""
    is_broken: bool
    is_forked: bool
    last_received_ms: int = Field(sa_column=Column(BigInteger, nullable=False))


class Erasure(SQLModel, table=True):
    """A device whose data is being erased. Gone when nothing of the device is left anywhere."""

    __tablename__ = "erasure"

    device: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    partition: int
    log_offset: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Where the request stands in the log; what the device sent before it is erased, what comes later is refused."""
    kept: bytes | None = None
    """What stays without the device, as a packed record, once the store's own rows have been replaced by it."""


class ErasedDevice(SQLModel, table=True):
    """A device that was erased, so that what it still sends is not counted a second time."""

    __tablename__ = "erased_device"

    device_hash: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    """SHA-256 of the id: it says of a known id that it was erased, and cannot be turned back."""


class ConsumerOffset(SQLModel, table=True):
    """How far a consumer has folded a partition. Checked and set in the transaction of the effects."""

    __tablename__ = "consumer_offset"

    consumer: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    next_offset: int = Field(sa_column=Column(BigInteger, nullable=False))
    updated_at_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
