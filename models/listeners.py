"""Listeners who keep their podcast apps in step through the gpodder API: accounts, devices, what those devices told.

A listener's rows carry the number that the listener's counter stood at when they changed, so that an app asks for what
is new since the number it was last given. What was heard is counted elsewhere, under the device's pseudonym.
"""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.columns import UtcDateTime
from models.counting import CLUSTERED


class Listener(SQLModel, table=True):
    """Somebody who listens, under a name of their choice. Not one of those who sign in to the dashboard."""

    __tablename__ = "listener"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    """Goes into the pseudonyms of the listener's devices: whoever takes a name that became free is somebody else."""
    name: str = Field(unique=True)
    """Lower case."""
    password_hash: str
    """argon2id."""
    last_sequence: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """The number of the newest change. Raised by the transaction that changes something, which thereby locks the row:
    numbers become visible in their order."""
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class ListenerSession(SQLModel, table=True):
    """A podcast app that is signed in by its cookie."""

    __tablename__ = "listener_session"

    token_hash: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    """SHA-256 of the cookie's value, so that a copy of the store signs nobody in."""
    listener_id: int = Field(foreign_key="listener.id", index=True)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class ListenerDevice(SQLModel, table=True):
    """One podcast app of a listener."""

    __tablename__ = "listener_device"
    __table_args__ = (UniqueConstraint("listener_id", "name"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    listener_id: int = Field(foreign_key="listener.id")
    name: str
    """The id that the app chose."""
    caption: str
    kind: str
    """desktop, laptop, mobile, server or other."""
    sync_group: int | None = Field(default=None, sa_column=Column(BigInteger))
    """Devices with the same number share their subscriptions; absent: a list of its own."""


class Subscription(SQLModel, table=True):
    """A feed that a device follows, or followed: the row stays, so that other apps learn of the end."""

    __tablename__ = "subscription"
    __table_args__ = CLUSTERED

    device_id: int = Field(foreign_key="listener_device.id", primary_key=True)
    url_hash: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    """SHA-256 of `url`, which may be longer than an index takes."""
    url: str
    is_subscribed: bool
    sequence: int = Field(sa_column=Column(BigInteger, nullable=False))


class EpisodeAction(SQLModel, table=True):
    """Something that a listener did with an episode, kept for the listener's other apps."""

    __tablename__ = "episode_action"
    __table_args__ = (Index("ix_episode_action_sequence", "listener_id", "sequence"), CLUSTERED)

    listener_id: int = Field(foreign_key="listener.id", primary_key=True)
    action_id: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    """SHA-256 over what was done, where and when: an action that is sent again is the same."""
    sequence: int = Field(sa_column=Column(BigInteger, nullable=False))
    device: str
    """The device's name; empty when the app told none."""
    podcast: str
    episode: str
    """Enclosure URL, or GUID."""
    guid: str
    action: str
    """download, play, delete, new or flattr."""
    at_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    started: int | None
    position: int | None
    total: int | None


class ListenerSetting(SQLModel, table=True):
    """A value that an app keeps here. A favourite is an episode whose `is_favorite` is true."""

    __tablename__ = "listener_setting"
    __table_args__ = CLUSTERED

    listener_id: int = Field(foreign_key="listener.id", primary_key=True)
    scope_hash: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    """SHA-256 over the next four fields, which may be longer than an index takes."""
    name: str = Field(primary_key=True)
    scope: str
    """account, device, podcast or episode."""
    device: str
    podcast: str
    episode: str
    value: str
    """JSON."""


class EpisodeUrl(SQLModel, table=True):
    """An address that an episode's audio has, or once had, elsewhere. Podcast apps know an episode by it."""

    __tablename__ = "episode_url"

    url_hash: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    """SHA-256 of the address as compared: without scheme, fragment and tracking prefixes."""
    url: str
    """As it was written."""
    episode_id: int = Field(foreign_key="episode.id", index=True)
    place: int
    """In the list, from 0."""
