"""The public addresses that feeds and answers name."""

from uuid import UUID

EXTENSIONS = {"audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/wav": "wav"}
"""Some apps go by the end of the enclosure's address and not by its type."""


def feed_url(base_url: str, slug: str) -> str:
    """Where a show's feed is."""
    return f"{base_url}/feeds/{slug}.xml"


def media_url(base_url: str, episode: UUID, audio_type: str) -> str:
    """Where an episode's audio is."""
    return f"{base_url}/media/{episode}.{EXTENSIONS.get(audio_type, 'mp3')}"
