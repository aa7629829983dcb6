"""The dashboard's settings, read once from `EARSHOT_*`."""

from functools import cache

from models.settings import StoreSettings


class DashboardSettings(StoreSettings):
    """Where the store is, and where writes go."""

    api_url: str = "http://127.0.0.1:8000"
    """The API as this process reaches it."""
    base_url: str = ""
    """The API as listeners reach it, shown in feed and audio addresses; empty means `api_url`."""

    def resolved_api_url(self) -> str:
        """Without a slash at the end."""
        return self.api_url.rstrip("/")

    def resolved_base_url(self) -> str:
        """Without a slash at the end."""
        return (self.base_url or self.api_url).rstrip("/")


@cache
def current() -> DashboardSettings:
    """This process's settings. The ASGI app and the page scripts share the process, so they share them."""
    return DashboardSettings()
