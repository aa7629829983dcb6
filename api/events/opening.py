"""Which log a URL means."""

from api.events.log import EventLog
from api.events.sqlite_log import SqliteLog


def open_log(url: str, *, partitions: int = 1, max_waiting: int = 4096) -> EventLog:
    """Open the log at `url`, making it with `partitions` when it is new."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        return SqliteLog(rest.removeprefix("/") if rest.startswith("//") else rest, partitions, max_waiting)
    raise ValueError(f"EARSHOT_EVENTS_URL: no event log for {scheme}://; use sqlite:///path/to/events.db.")
