"""Downloads: what the worker keeps of audio requests, and the rollups that pages read.

`consumer_day` is the state, all else is derived from it. Every table can be rebuilt from the event log.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.columns import UtcDateTime, UtcDay
from models.counting import CLUSTERED

DOWNLOAD = "download"
"""The outcome of a hit that counts; every other outcome is the cause why it does not."""
HOUR_MS = 3_600_000


class AudioVersion(SQLModel, table=True):
    """One version of an episode's file: what the threshold of a download of it is worked out from."""

    __tablename__ = "audio_version"
    __table_args__ = (UniqueConstraint("episode_id", "sha256"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    episode_id: int = Field(foreign_key="episode.id")
    sha256: str
    """Of the file; for an episode hosted elsewhere, of its address, length and duration as the feed says them."""
    audio_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    """0 when unknown."""
    header_bytes: int = 0
    """Before the first audio frame (ID3v2)."""
    bitrate_bps: int | None = None
    """As measured in the file; absent for a file hosted elsewhere."""
    duration_ms: int | None = Field(default=None, sa_column=Column(BigInteger))
    since_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    """From when it was the episode's file; the first version also stands for all time before."""


class ConsumerDay(SQLModel, table=True):
    """All hits of one consumer (address and user agent) on one episode and one UTC day."""

    __tablename__ = "consumer_day"
    __table_args__ = CLUSTERED

    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    address: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    """64 bits of a keyed hash of the address (IPv6 cut to /64), signed; the key rotates."""
    agent: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    """64 bits of a keyed hash of address and user agent, signed."""
    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hits: bytes
    """Sorted entries, one a hit; see `api/measurement/entries.py`."""
    is_eligible: bool
    """Whether any hit got past the rules that look at one hit alone; what an address's excess is measured by."""
    app: str
    """Empty when unknown, as the others."""
    device_class: str
    country: str
    """ISO 3166 alpha-2."""
    earlier: int = Field(sa_column=Column(BigInteger, nullable=False))
    """`agent` under the key before this one, for the first days after a rotation; otherwise 0."""
    downloads: int
    """Windows that began on this day and reached their threshold."""


class HitOutcome(SQLModel, table=True):
    """Rollup: every hit of a day, by what became of it. Hits = downloads + causes, always."""

    __tablename__ = "hit_outcome"
    __table_args__ = CLUSTERED

    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    outcome: str = Field(primary_key=True)
    """`download`, or the cause."""
    hits: int = Field(sa_column=Column(BigInteger, nullable=False))
    sent_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))


class DownloadHour(SQLModel, table=True):
    """Rollup: downloads by the hour of the first hit of their window."""

    __tablename__ = "download_hour"
    __table_args__ = CLUSTERED

    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hour: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    """Whole hours since 1970-01-01T00:00Z."""
    downloads: int = Field(sa_column=Column(BigInteger, nullable=False))


class DownloadSplit(SQLModel, table=True):
    """Rollup: downloads by app, device class and country. The values of one kind add up to the day's downloads."""

    __tablename__ = "download_split"
    __table_args__ = CLUSTERED

    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    kind: str = Field(primary_key=True)
    """`app`, `device` or `country`."""
    value: str = Field(primary_key=True)
    """Empty for unknown."""
    downloads: int = Field(sa_column=Column(BigInteger, nullable=False))


class ShowHitOutcome(SQLModel, table=True):
    """Rollup: `hit_outcome` over all episodes of a show, so that a page of years reads no row per episode."""

    __tablename__ = "show_hit_outcome"
    __table_args__ = CLUSTERED

    show_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    outcome: str = Field(primary_key=True)
    hits: int = Field(sa_column=Column(BigInteger, nullable=False))
    sent_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))


class ShowDownloadSplit(SQLModel, table=True):
    """Rollup: `download_split` over all episodes of a show."""

    __tablename__ = "show_download_split"
    __table_args__ = CLUSTERED

    show_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    kind: str = Field(primary_key=True)
    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    value: str = Field(primary_key=True)
    downloads: int = Field(sa_column=Column(BigInteger, nullable=False))


class DownloadConsumers(SQLModel, table=True):
    """Rollup: the distinct consumers with a download, as sketches that can be united over days, episodes and shows."""

    __tablename__ = "download_consumers"
    __table_args__ = CLUSTERED

    show_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    day: date = Field(sa_column=Column(UtcDay, primary_key=True, autoincrement=False))
    episode_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    """0: the whole show."""
    consumers: bytes
    """A compact theta sketch of Apache DataSketches; see `models/sketches.py`."""
    earlier: bytes
    """The same consumers under the key before this one; empty when the day is not in the days after a rotation."""


class CountingRule(SQLModel, table=True):
    """The rules that the rollups of this store were made with; other settings take effect with a recount."""

    __tablename__ = "counting_rule"

    name: str = Field(primary_key=True)
    """`download_window` or `excess_cap`."""
    value: str


class LogImport(SQLModel, table=True):
    """An access log that is, or was, imported."""

    __tablename__ = "log_import"

    source: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    name: str
    """The file's name, without folders."""
    format: str
    has_ranges: bool
    """Whether the log has the Range header, so that parts can be told apart; without it, bytes are added up."""
    lines: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Lines read and counted so far: where an interrupted import goes on."""
    unpacked_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Where in the unpacked file that is."""
    digest: bytes
    """BLAKE2b of the unpacked file up to there: the same file, packed or grown, is recognised by it."""
    started_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class ImportOutcome(SQLModel, table=True):
    """What an import changed: hits by what became of them. Hits that were known from elsewhere are `known`."""

    __tablename__ = "import_outcome"

    source: bytes = Field(sa_column=Column(LargeBinary(16), ForeignKey("log_import.source"), primary_key=True))
    outcome: str = Field(primary_key=True)
    """As in `hit_outcome`; and `known`, `unreadable`, and the causes of lines that belong to no episode."""
    hits: int = Field(sa_column=Column(BigInteger, nullable=False))
    """May be negative: a hit can turn an earlier `short` into a `duplicate`."""
