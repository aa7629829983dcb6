"""Counts downloads from an access log as one would write it in an afternoon: a line at a time, everything in dicts."""

import gzip
import re
import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

LINE = re.compile(
    r'(?P<ip>\S+) \S+ \S+ \[(?P<time>[^\]]+)\] "(?P<method>\S+) (?P<target>\S+) [^"]*" '
    r'(?P<status>\d+) (?P<bytes>\d+|-) "(?P<referrer>[^"]*)" "(?P<agent>[^"]*)"(?: "(?P<range>[^"]*)")?'
)
BOT = re.compile(r"bot|crawler|spider|python-requests|curl", re.IGNORECASE)
THRESHOLD_BYTES = 960_000
"""A minute at 128 kbit/s."""
TABLE = "CREATE TABLE download (day TEXT, ip TEXT, agent TEXT, path TEXT, hits INTEGER, sent_bytes INTEGER)"


@dataclass
class Outcome:
    """What came of the lines."""

    lines: int
    unreadable: int
    causes: Counter[str]
    downloads: int


def count(log: Path, database: Path) -> Outcome:
    """Read the log, decide, and store the downloads."""
    hits: dict[tuple[str, str, str, str], list[int]] = {}
    outcome = Outcome(0, 0, Counter(), 0)
    with gzip.open(log, "rt", encoding="utf-8", errors="replace") as file:
        for line in file:
            outcome.lines += 1
            match = LINE.match(line)
            if match is None:
                outcome.unreadable += 1
            elif cause := _cause(match):
                outcome.causes[cause] += 1
            else:
                at = datetime.strptime(match["time"], "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC)
                path = match["target"].partition("?")[0]
                key = (at.date().isoformat(), match["ip"], match["agent"], path)
                hits.setdefault(key, []).append(0 if match["bytes"] == "-" else int(match["bytes"]))
    with sqlite3.connect(database) as connection:
        connection.execute(TABLE)
        for (day, ip, agent, path), sent in hits.items():
            if sum(sent) < THRESHOLD_BYTES:
                outcome.causes["short"] += len(sent)
                continue
            outcome.downloads += 1
            outcome.causes["duplicate"] += len(sent) - 1
            row = (day, ip, agent, path, len(sent), sum(sent))
            connection.execute("INSERT INTO download VALUES (?, ?, ?, ?, ?, ?)", row)
    connection.close()
    return outcome


def _cause(match: re.Match[str]) -> str:
    """Why a line alone is no download; empty when it may be one."""
    if match["method"] != "GET":
        return "not_get"
    if match["status"] not in {"200", "206"}:
        return "status"
    if not match["target"].partition("?")[0].endswith(".mp3"):
        return "not_audio"
    if BOT.search(match["agent"]):
        return "bot"
    return "probe" if match["range"] == "bytes=0-1" else ""
