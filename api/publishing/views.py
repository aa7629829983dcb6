"""Rows as the API shows them."""

from api import urls
from api.publishing.schemas import AudioOut, EpisodeOut, ShowOut
from api.publishing.service import state_of
from models.tables import Episode, Show


def show_out(show: Show, base_url: str) -> ShowOut:
    """A show with the address of its feed, wherever that is."""
    return ShowOut(
        id=show.uuid,
        feed_url=show.feed_url or urls.feed_url(base_url, show.slug),
        is_hosted_here=show.feed_url is None,
        **show.model_dump(exclude={"id", "feed_url"}),
    )


def audio_out(episode: Episode, base_url: str) -> AudioOut:
    """The recording of an episode that has one."""
    audio_type = episode.audio_type or ""
    return AudioOut(
        duration_ms=episode.duration_ms or 0,
        bytes=episode.audio_bytes or 0,
        sha256=episode.audio_sha256 or "",
        bitrate_bps=episode.bitrate_bps or 0,
        header_bytes=episode.header_bytes,
        audio_type=audio_type,
        media_url=urls.media_url(base_url, episode.uuid, audio_type),
    )


def episode_out(episode: Episode, show: Show, base_url: str) -> EpisodeOut:
    """An episode with its show's id and its recording."""
    return EpisodeOut.model_validate(
        {
            **episode.model_dump(exclude={"id", "show_id"}),
            "id": episode.uuid,
            "show_id": show.uuid,
            "state": state_of(episode),
            "audio": None if episode.audio_sha256 is None else audio_out(episode, base_url),
        }
    )
