"""People and catalogue: who publishes what. The counting tables are in `counting.py`."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Column, Index, column
from sqlmodel import Field, SQLModel

from models.columns import UtcDateTime


class Role(StrEnum):
    """What a signed-in person may do."""

    CREATOR = "creator"
    ADVERTISER = "advertiser"
    ADMIN = "admin"


class User(SQLModel, table=True):
    """A person who signs in."""

    __tablename__ = "account"  # "user" is a reserved word in PostgreSQL

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    email: str = Field(unique=True)
    """Lower case."""
    name: str = ""
    role: str
    """A value of `Role`."""
    password_hash: str
    """argon2id."""
    api_key_hash: bytes | None = Field(default=None, unique=True)
    """SHA-256 of the API key: the key is 256 random bits, so a slow hash would add nothing."""
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    disabled_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class WebSession(SQLModel, table=True):
    """A signed-in browser. Deleting the row signs it out everywhere at once."""

    __tablename__ = "web_session"

    token_hash: bytes = Field(primary_key=True)
    """SHA-256 of the cookie's value, so that a copy of the store signs nobody in."""
    user_id: int = Field(foreign_key="account.id", index=True)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class Show(SQLModel, table=True):
    """A podcast."""

    __tablename__ = "show"

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    owner_id: int = Field(foreign_key="account.id", index=True)
    slug: str = Field(unique=True)
    """The feed's address is `/feeds/{slug}.xml`; a deleted show keeps its slug, so nobody inherits its subscribers."""
    title: str
    description: str = ""
    language: str = "en"
    author: str = ""
    category: str = ""
    """An Apple Podcasts category, empty when not chosen."""
    is_explicit: bool = False
    feed_url: str | None = None
    """Where the feed is, for a show hosted elsewhere of which only logs are counted here."""
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    deleted_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class Episode(SQLModel, table=True):
    """One recording of a show. Deleting hides it from feed and media; its counts stay."""

    __tablename__ = "episode"
    __table_args__ = (
        Index("ix_episode_show_published", "show_id", "published_at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    """Small key for the counting tables; the API only ever says `uuid`."""
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    show_id: int = Field(foreign_key="show.id")
    guid: str = Field(unique=True)
    """The feed's `<guid>`, never changed: a new one makes every app download the episode again."""
    title: str
    description: str = ""
    published_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    """Absent: a draft. In the future: not in the feed yet."""
    first_published_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    """When it was public for the first time, whatever date it is given afterwards: by this day it belongs to a whole
    show's ads. In the future: when that is planned."""
    audio_sha256: str | None = None
    audio_bytes: int | None = Field(default=None, sa_column=Column(BigInteger))
    audio_type: str | None = None
    """The media type as probed, `audio/mpeg`."""
    duration_ms: int | None = Field(default=None, sa_column=Column(BigInteger))
    bitrate_bps: int | None = None
    header_bytes: int = 0
    """Bytes before the first audio frame (ID3v2 tag): IAB's threshold starts after them."""
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    deleted_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


_HAS_NETWORK = column("network").is_not(None)


class Device(SQLModel, table=True):
    """One installed client with an id."""

    __tablename__ = "device"
    __table_args__ = (
        Index(
            "ix_device_network",
            "created_at",
            "network",
            sqlite_where=_HAS_NETWORK,
            postgresql_where=_HAS_NETWORK,
        ),
    )

    device: bytes = Field(primary_key=True, max_length=16)
    """The UUID's sixteen bytes."""
    app: str
    app_version: str = ""
    platform: str = ""
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    network: int | None = Field(default=None, sa_column=Column(BigInteger))
    """64 bits of a keyed hash of the network it was registered from (IPv4 /24, IPv6 /48), signed; the key rotates.
    Forgotten after 30 days: it only tells a crowd of new devices of one network from a crowd of listeners."""
