"""The service's settings, read once from `EARSHOT_*`."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from models.settings import StoreSettings

MEBIBYTE = 1 << 20
LEAST_SECRET_CHARACTERS = 16


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

    download_window: Literal["calendar", "first_touch", "last_touch"] = "calendar"
    """What makes two requests one download: the same UTC day, or 24 hours from the first or from the last request."""
    excess_cap: int = Field(default=1000, ge=0)
    """User agents times episodes that one address may ask for on a UTC day before none of it counts; 0 for no cap."""
    inclusions: str = ""
    """File with the networks that `excess_cap` does not hold for, each with the day it was last looked into."""
    datacenters: str = ""
    """File with the networks of data centres, one a line."""
    agents: str = ""
    """Folder with OPAWG's user-agents-v2 lists (JSON); empty means Earshot's own table."""
    geo: str = ""
    """MMDB file that tells the country of an address; empty means that only a proxy's header is believed."""
    trusted_proxies: str = ""
    """Networks, separated by commas, whose X-Forwarded-For and country header are believed."""
    country_header: str = ""
    """Header in which a trusted proxy tells the country, for example CF-IPCountry."""

    cdn_url: str = ""
    """Address of a CDN before the audio; then audio requests are answered with a signed redirect to it."""
    cdn_secret: str = Field(default="", validate_default=True)
    """What the redirects are signed with; the CDN has to know it."""
    cdn_ttl_seconds: int = Field(default=6 * 3600, ge=60)
    """How long a signed address works."""
    cdn_counts: Literal["logs", "redirects"] = "logs"
    """Whether a redirected download is counted from the CDN's logs, once imported, or at once from the redirect."""

    payer_name: str = ""
    """Holder of the account that pays creators."""
    payer_iban: str = ""
    payer_bic: str = ""

    webhook_private: bool = False
    """Whether webhooks may go to addresses of our own network, and over plain HTTP."""

    @field_validator("cdn_url")
    @classmethod
    def _check_cdn_url(cls, url: str) -> str:
        """Without a slash at the end. A path is refused, since signatures are over the path."""
        url = url.rstrip("/")
        parts = urlsplit(url)
        is_host = parts.scheme in {"http", "https"} and parts.hostname and url == f"{parts.scheme}://{parts.netloc}"
        if url and not is_host:
            raise PydanticCustomError("cdn_url", "must be a host alone, as https://cdn.example.com")
        return url

    @field_validator("cdn_secret")
    @classmethod
    def _check_cdn_secret(cls, secret: str, info: ValidationInfo) -> str:
        if info.data.get("cdn_url") and len(secret) < LEAST_SECRET_CHARACTERS:
            raise PydanticCustomError(
                "cdn_secret",
                "is needed with EARSHOT_CDN_URL, at least {least} characters; make one with: openssl rand -hex 32",
                {"least": LEAST_SECRET_CHARACTERS},
            )
        return secret

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
