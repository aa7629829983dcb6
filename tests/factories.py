"""Rows and files that tests are made of."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import uuid4

import lameenc
import numpy as np
from sqlmodel import Session

from models.downloads import AudioVersion
from models.tables import Episode, Role, Show, User

LONG_AGO = datetime.now(UTC) - timedelta(days=80)
"""Published early enough that nothing a test sends comes before it."""

BYTES_PER_MS = 16
"""Of an episode's audio: 128 kbit/s."""


def make_user(session: Session, role: Role = Role.CREATOR, email: str | None = None) -> tuple[User, str]:
    """A committed user and the API key; the password is not usable."""
    api_key = secrets.token_urlsafe(32)
    user = User(
        email=email or f"{uuid4().hex[:12]}@example.com",
        role=role,
        password_hash="!",
        api_key_hash=hashlib.sha256(api_key.encode()).digest(),
        created_at=datetime.now(UTC),
    )
    session.add(user)
    session.commit()
    session.refresh(user)
    return user, api_key


def make_show(session: Session, owner: User | None = None, slug: str | None = None) -> Show:
    """A committed show."""
    owner = owner or make_user(session)[0]
    now = datetime.now(UTC)
    show = Show(
        owner_id=owner.id, slug=slug or uuid4().hex[:12], title="The Quiet Hour", created_at=now, updated_at=now
    )
    session.add(show)
    session.commit()
    session.refresh(show)
    return show


def make_episode(
    session: Session,
    show: Show | None = None,
    *,
    duration_ms: int | None = 600_000,
    published_at: datetime | None = LONG_AGO,
) -> Episode:
    """A committed episode; published unless told otherwise; its audio file does not exist."""
    show = show or make_show(session)
    now = datetime.now(UTC)
    uuid = uuid4()
    episode = Episode(
        uuid=uuid,
        show_id=show.id,
        guid=str(uuid),
        title="Night Trains",
        duration_ms=duration_ms,
        published_at=published_at,
        first_published_at=published_at,
        created_at=now,
        updated_at=now,
    )
    session.add(episode)
    session.flush()
    if duration_ms is not None:
        session.add(
            AudioVersion(
                episode_id=episode.id,
                sha256="f" * 64,
                audio_bytes=duration_ms * BYTES_PER_MS,
                bitrate_bps=BYTES_PER_MS * 8000,
                duration_ms=duration_ms,
                since_at=now,
            )
        )
    session.commit()
    session.refresh(episode)
    return episode


@cache
def tone_mp3(seconds: float = 3.0, hertz: float = 440.0) -> bytes:
    """A real MP3: mono, 16 kHz, 32 kbit/s, a sine tone."""
    rate = 16_000
    samples = np.sin(np.arange(int(seconds * rate)) * (2 * np.pi * hertz / rate)) * 8000
    encoder = lameenc.Encoder()
    encoder.set_channels(1)
    encoder.set_in_sample_rate(rate)
    encoder.set_bit_rate(32)
    encoder.set_quality(7)
    encoder.silence()
    return bytes(encoder.encode(samples.astype(np.int16).tobytes())) + bytes(encoder.flush())
