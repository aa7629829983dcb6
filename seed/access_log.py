"""The demo's hits as nginx would have logged them, and their way into the store: `earshot import-logs`."""

import asyncio
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from seed.calls import SeedError
from seed.catalogue import DAY_MS
from seed.fetchers import Hit

ACCESS_LOG = "seed-access.log"
"""In EARSHOT_HOME."""
LOG_FORMAT = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
    '"$http_user_agent" $geoip2_country_code "$http_range"'
)
"""nginx's `log_format`; the country is what its GeoIP module says."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Not %b, which goes by the locale."""


def write_log(home: Path, hits: Iterable[Hit]) -> Path:
    """Replace the log in `home`. Hits in order of time."""
    days: dict[int, str] = {}
    with (home / ACCESS_LOG).open("w", encoding="ascii") as file:
        for hit in hits:
            day, time_ms = divmod(hit.at_ms, DAY_MS)
            file.write(_line(hit, f"{days.get(day) or days.setdefault(day, _day(day))}:{_clock(time_ms // 1000)}"))
    return home / ACCESS_LOG


def _line(hit: Hit, when: str) -> str:
    asked = hit.asked
    request = f"{asked.method} /media/{hit.episode.id}.mp3 HTTP/1.1"
    about = f'"{hit.referrer or "-"}" "{hit.agent.text}" {hit.country or "-"} "{asked.range or "-"}"'
    return f'{hit.address} - - [{when} +0000] "{request}" {asked.status} {asked.sent_bytes} {about}\n'


def _day(day: int) -> str:
    when = datetime.fromtimestamp(day * DAY_MS / 1000, UTC)
    return f"{when.day:02d}/{_MONTHS[when.month - 1]}/{when.year}"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


async def import_log(path: Path) -> int:
    """Have Earshot count the log's downloads; how many hits were new to it.

    Raises SeedError. Runs on the machine that has the store, as `earshot users add` does.
    """
    command = ("-m", "api", "import-logs", str(path), "--log-format", LOG_FORMAT, "--json")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        said, complained = (text.decode(errors="replace") for text in await process.communicate())
    finally:
        if process.returncode is None:
            process.terminate()
    if process.returncode != 0:
        raise SeedError(f"{path} could not be imported; `earshot import-logs` said: {complained or said}")
    hits: int = json.loads(said)["hits"]
    return hits
