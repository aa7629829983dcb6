"""Where Earshot's data lives. The only settings that the service and the dashboard share."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class StoreSettings(BaseSettings):
    """Read once, at a process's edge, from `EARSHOT_*`; deeper code is handed values."""

    model_config = SettingsConfigDict(env_prefix="EARSHOT_", extra="ignore")

    home: Path = Field(default=Path("var"))
    """Folder with all data of an embedded installation; deleting it resets everything."""

    store_url: str = ""
    """SQLAlchemy URL; empty means SQLite in `home`."""

    def resolved_store_url(self) -> str:
        """The store's URL with the embedded default filled in."""
        return self.store_url or f"sqlite:///{self.home.resolve() / 'store.db'}"
