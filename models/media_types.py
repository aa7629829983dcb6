"""The kinds of recordings that are published."""

EXTENSIONS = {"audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/wav": "wav"}
"""Media type -> ending of its address: some apps go by that and not by the enclosure's type."""
MEDIA_TYPES = {extension: media_type for media_type, extension in EXTENSIONS.items()}


def media_path(episode: object, audio_type: str | None) -> str:
    """The path of an episode's audio; `episode` is its UUID."""
    return f"/media/{episode}.{EXTENSIONS.get(audio_type or '', 'mp3')}"
