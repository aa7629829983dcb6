"""The service's settings, read once from `EARSHOT_*`."""

from pathlib import Path

from pydantic import Field

from models.settings import StoreSettings

MEBIBYTE = 1 << 20


class Settings(StoreSettings):
    """Four URLs move an installation from one laptop to a cluster; the rest are limits and addresses."""

    events_url: str = ""
    """Event log; empty means an SQLite log in `home`."""
    audio_url: str = ""
    """Folder for audio; empty means `audio/` in `home`."""
    archive_url: str = ""
    """Folder of the Parquet archive; empty means `archive/` in `home`."""
    partitions: int = Field(default=1, ge=1, le=256)
    """Partitions of a newly made embedded log; an existing log keeps its own number."""
    retention_days: int = Field(default=14, ge=1)
    """How long the embedded log keeps records after every consumer has passed them."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    """The API's port."""
    dashboard_port: int = Field(default=8501, ge=1, le=65535)
    base_url: str = ""
    """What feeds put before `/media/...`; empty means `http://host:port`."""
    secret: str = ""
    """Signs device tokens. Empty: made once and kept in `home`. Several machines must share one."""

    max_audio_bytes: int = Field(default=500 * MEBIBYTE, ge=1)
    registrations_per_minute: int = Field(default=6000, ge=1)
    """New devices from one address."""
    events_per_minute: int = Field(default=0, ge=0)
    """From one device, before it is asked to wait; 0 for no limit. A month offline is less than 20,000 at once."""
    sign_ins_per_minute: int = Field(default=10, ge=1)
    """Attempts for one e-mail address or from one address, before they wait."""
    listener_registration: bool = True
    """Whether listeners may make themselves an account at `/listeners/register`."""
    micro_batch: int = Field(default=2000, ge=1)
    """Records of the log that the worker folds in one transaction, at most."""
    max_waiting_batches: int = Field(default=4096, ge=1)
    """Sync requests waiting for the log before newcomers are asked to come back later."""

    def resolved_events_url(self) -> str:
        """The log's URL with the embedded default filled in."""
        return self.events_url or f"sqlite:///{self.home.resolve() / 'events.db'}"

    def resolved_audio_dir(self) -> Path:
        """The folder that holds audio."""
        return Path(self.audio_url.removeprefix("file://")) if self.audio_url else self.home.resolve() / "audio"

    def resolved_archive_dir(self) -> Path:
        """The folder that holds the archive. Raises ValueError for an address that is no folder."""
        if "://" in self.archive_url.removeprefix("file://"):
            raise ValueError(f"EARSHOT_ARCHIVE_URL: {self.archive_url} is no local folder; use a path.")
        return Path(self.archive_url.removeprefix("file://")) if self.archive_url else self.home.resolve() / "archive"

    def resolved_base_url(self) -> str:
        """The public address of the API, without a slash at the end."""
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")
