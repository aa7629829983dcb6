"""A day of an episode's hits as an access log, for the command that operators bring logs in with."""

from datetime import date
from pathlib import Path
from uuid import UUID

LOG_FORMAT = (
    '$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "-" "$http_user_agent" '
    '$geoip_country_code "$http_range"'
)
LINES = (
    '192.0.2.1 - - [{day}:08:00:00 +0000] "GET {path} HTTP/1.1" 206 2 "-" "AntennaPod/3.6.1" DE "bytes=0-1"',
    '192.0.2.1 - - [{day}:08:00:01 +0000] "GET {path} HTTP/1.1" 200 960000 "-" "AntennaPod/3.6.1" DE "-"',
    '192.0.2.1 - - [{day}:09:00:00 +0000] "GET {path} HTTP/1.1" 206 5 "-" "AntennaPod/3.6.1" DE "bytes=960000-"',
    '192.0.2.2 - - [{day}:10:00:00 +0000] "GET {path} HTTP/1.1" 200 959999 "-" "Pocket Casts" AT "-"',
    '192.0.2.3 - - [{day}:11:00:00 +0000] "GET {path} HTTP/1.1" 200 9600000 "-" "curl/8.5.0" US "-"',
    '192.0.2.4 - - [{day}:12:00:00 +0000] "HEAD {path} HTTP/1.1" 200 0 "-" "<b>Brolly*</b>" - "-"',
)
"""A probe, a download (a minute of what `make_episode` makes), its repetition, one a byte too short, a bot's and
a HEAD."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def import_arguments(folder: Path, episode: UUID, day: date, times: int = 1) -> list[str]:
    """Write the six lines, each so many times: equal lines of one file are different hits. The command to import it."""
    written = f"{day.day:02d}/{_MONTHS[day.month - 1]}/{day.year}"
    lines = [line.format(day=written, path=f"/media/{episode}.mp3") for line in LINES for _ in range(times)]
    file = folder / "one-day.log"
    file.write_text("\n".join(lines) + "\n")
    return ["import-logs", str(file), "--log-format", LOG_FORMAT]
