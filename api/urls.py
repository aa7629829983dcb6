"""The public addresses that feeds and answers name."""

from uuid import UUID

from models.media_types import media_path


def feed_url(base_url: str, slug: str) -> str:
    """Where a show's feed is."""
    return f"{base_url}/feeds/{slug}.xml"


def media_url(base_url: str, episode: UUID, audio_type: str) -> str:
    """Where an episode's audio is."""
    return f"{base_url}{media_path(episode, audio_type)}"
