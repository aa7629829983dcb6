"""Access logs to import, the command that imports them, and what has been counted afterwards."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Engine
from typer.testing import CliRunner

from api.cli import app
from models.bulk import Row
from models.engine import make_engine, read_only
from models.migrate import migrate
from models.queries import rebuilding
from tests.api.measurement.downloads import product, traffic

NOON = datetime(2025, 6, 10, 12, tzinfo=UTC)
"""Long before any day on which a test runs."""
SECRET = "the secret of an installation that is only tested"
EPISODES = traffic.make_episodes(6)
TALE = EPISODES[4]
"""20,000,000 bytes; a download takes 1,160,000."""
ENOUGH = 1_160_000
APP = "Overcast/3.0 (+http://overcast.fm/; iOS podcast app)"


def line(
    path: str = "/audio/e05.mp3",
    *,
    seconds: int = 0,
    ip: str = "192.0.2.7",
    status: int = 200,
    sent: int = ENOUGH,
    agent: str = APP,
    asked: str | None = "-",
) -> str:
    """A line as nginx writes it, so many seconds after noon; `asked`: the Range, None where none is logged."""
    at = datetime.fromtimestamp(NOON.timestamp() + seconds, UTC).strftime("%d/%b/%Y:%H:%M:%S %z")
    told = f' "{asked}"' if asked is not None else ""
    return f'{ip} - - [{at}] "GET {path} HTTP/1.1" {status} {sent} "-" "{agent}"{told}'


def random_lines(seed: int, lines: int) -> list[str]:
    """Lines with every outcome in them, some that say nothing, some equal; the same for the same seed."""
    source = traffic.Traffic(seed, EPISODES)
    found = source.lines(lines, has_range=True)
    return [told.text for told in source.chance.sample(found, len(found))]


def different_lines(seed: int, lines: int) -> list[str]:
    """The same, no two of them equal."""
    return list(dict.fromkeys(random_lines(seed, lines)))


def write(path: Path, lines: Sequence[str], end: str = "\n") -> Path:
    """A log file."""
    path.write_bytes("\n".join(lines).encode() + end.encode())
    return path


@dataclass
class Imports:
    """`earshot import-logs` in one installation."""

    home: Path
    store_url: str
    settings: dict[str, str] = field(default_factory=dict)

    def environment(self, **extra: str) -> dict[str, str]:
        """What every process of the installation gets."""
        told = {"EARSHOT_HOME": str(self.home), "EARSHOT_STORE_URL": self.store_url, "EARSHOT_SECRET": SECRET}
        return {**os.environ, **told, "EARSHOT_EXCESS_CAP": str(traffic.EXCESS_CAP), **self.settings, **extra}

    def start(self, *arguments: str | Path, **environment: str) -> subprocess.Popen[bytes]:
        """Start an import."""
        return subprocess.Popen(
            [sys.executable, "-m", "api", "import-logs", *map(str, arguments)],
            env=self.environment(**environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Whoever starts the tests in the background has it ignored, and that is inherited.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one call, no lock
        )

    def run(self, *arguments: str | Path, piped: bytes = b"", **environment: str) -> "Done":
        """Import, and wait for the end; in a process of its own when that has an environment of its own."""
        if environment:
            process = self.start(*arguments, **environment)
            out, err = process.communicate(piped)
            return Done(process.returncode, out.decode(), err.decode())
        result = CliRunner().invoke(
            app, ["import-logs", *map(str, arguments)], input=piped, env=self.environment(COLUMNS="200")
        )
        structlog.reset_defaults()  # the command prints elsewhere than the tests' other loggers
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    def report(self, *arguments: str | Path, piped: bytes = b"") -> dict[str, Any]:
        """What an import that goes well says of itself."""
        done = self.run("--json", *arguments, piped=piped)
        assert done.code == 0, done
        return dict(json.loads(done.out))


@dataclass
class Done:
    """How an import ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All it printed, with the blanks and line breaks of a terminal made plain."""
        return " ".join(f"{self.out} {self.err}".split())


def counted(engine: Engine) -> dict[str, list[Row]]:
    """Every row of every table that counting fills, but for those that say nothing; the day of receipt left out."""
    found = {}
    with read_only(engine).connect() as connection:
        for table in rebuilding.ALL_TABLES:
            keys = len(table.keys)
            rows = [row for row in rebuilding.list_rows(connection, table) if any(row[keys:])]
            is_by_receipt = next(iter(table.keys)) == "received_day"
            found[table.name] = sorted(row[1:] for row in rows) if is_by_receipt else rows
    return found


def straight(folder: Path, *files: Path, **settings: str) -> dict[str, list[Row]]:
    """What a fresh installation counts that imports these files, one after the other, undisturbed."""
    folder.mkdir()
    url = f"sqlite:///{folder / 'store.db'}"
    engine = make_engine(url)
    migrate(engine)
    product.publish(engine, EPISODES)
    Imports(folder, url, settings).report(*files)
    found = counted(engine)
    engine.dispose()
    return found


def episode_id(engine: Engine, uuid: str = TALE.uuid) -> int:
    """The store's number of an episode."""
    with read_only(engine).connect() as connection:
        rows = connection.exec_driver_sql("SELECT id, uuid FROM episode").all()
    return int(next(number for number, known in rows if UUID(str(known)) == UUID(uuid)))


def outcomes(engine: Engine) -> dict[str, int]:
    """Hits by outcome, over all episodes and days."""
    statement = "SELECT outcome, sum(hits) FROM hit_outcome GROUP BY outcome HAVING sum(hits) <> 0"
    with read_only(engine).connect() as connection:
        return {outcome: int(hits) for outcome, hits in connection.exec_driver_sql(statement)}


def off_topic(report: dict[str, Any]) -> int:
    """Lines that are about no episode: in no rollup, and in the report."""
    return int(report["causes"].get("unknown_episode", 0) + report["causes"].get("not_audio", 0))
