"""A disk that fails or is full: nothing is acknowledged that is not kept, and all goes on when the disk does."""

import os
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine

from tests.faults.fleet import ON_SQLITE, Fleet, killed
from tests.faults.invariants import check_all
from tests.faults.traffic import LISTENS, Traffic, connect

pytestmark = pytest.mark.faults

SYNCS = "fdatasync,fsync"


@pytest.fixture
def strace(tmp_path: Path) -> Callable[..., list[str]]:
    """Makes the command that runs another one and lets its n-th sync, counted in each thread, go wrong."""
    command = shutil.which("strace")
    missing = "strace is missing: apt-get install strace"
    if command is not None:
        tried = subprocess.run([command, "-f", "-o", "/dev/null", "true"], capture_output=True, check=False)
        missing = "strace may not trace here: docker run --cap-add=SYS_PTRACE, or sysctl kernel.yama.ptrace_scope=1"
        if tried.returncode == 0:
            return lambda inject, trace=SYNCS: [
                *(command, "-f", "-qq", "-o", str(tmp_path / "strace.txt")),
                *("-e", f"trace={trace}", "-e", f"inject={SYNCS}:{inject}"),
            ]
    pytest.skip(missing)


def syncs_by_thread(home: Path) -> dict[str, int]:
    """How often each thread synced, from strace's output."""
    found: dict[str, int] = {}
    for line in (home / "strace.txt").read_text().splitlines():
        thread, call = line.split(maxsplit=1)
        if call.startswith(("fdatasync(", "fsync(")):
            found[thread] = found.get(thread, 0) + 1
    return found


@ON_SQLITE
def test_the_api_killed_at_any_sync_loses_nothing(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path, strace: Callable[..., list[str]]
) -> None:
    """SIGKILL at the first, second, ... sync of every thread, until none has that many."""
    when = 0
    is_over = False
    while not is_over:
        when += 1
        is_over = run_and_kill(fleet, traffic, strace(f"signal=SIGKILL:when={when}"))
    assert when > 6, "the log's thread syncs once for each batch"
    url, _ = fleet.serve()
    with connect(url) as client, traffic.audience(url):
        assert all(traffic.send(client, phone) for phone in traffic.phones if phone.log)
    fleet.fold_all()
    check_all(engine, traffic, home)


def try_serve(fleet: Fleet, wrapper: list[str]) -> tuple[str, subprocess.Popen[bytes]] | None:
    """Address and process of an API; None when it ended while starting."""
    try:
        return fleet.serve_under(wrapper)
    except pytest.fail.Exception:
        if fleet.running[-1].poll() is None:
            raise
        return None


def run_and_kill(fleet: Fleet, traffic: Traffic, wrapper: list[str]) -> bool:
    """Send five batches to an API that may die on the way; whether it lived."""
    serving = try_serve(fleet, wrapper)
    if serving is None:
        return False
    url, api = serving
    with connect(url) as client:
        try:
            phone = traffic.phone(client, 5)
        except httpx2.TransportError:
            killed(api)
            return False
        acknowledged = [traffic.send(client, phone, seq, seq) for seq in range(1, 6)]
    if all(acknowledged):
        os.killpg(api.pid, signal.SIGTERM)
        api.wait(timeout=300)
        return True
    killed(api)
    return False


@ON_SQLITE
def test_a_failed_sync_acknowledges_nobody_and_is_not_tried_again(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path, strace: Callable[..., list[str]]
) -> None:
    """EIO from the kernel. What it could not write may be gone from memory: the next sync would lie."""
    _, api = fleet.serve()  # makes the files, so that the next start has nothing to sync
    fleet.stop(api)
    url, api = fleet.serve_under(strace("error=EIO:when=4", f"{SYNCS},openat,close"))
    with connect(url) as client:
        phone = traffic.phone(client, 3)
        acknowledged = traffic.send_each(client, phone)
        assert acknowledged.count(False) == 1, fleet.output(api)
        assert acknowledged[-1]
        assert "event log append failed" in fleet.output(api)
        with traffic.audience(url):
            assert all(traffic.send_each(client, phone))
    fleet.stop_all()
    assert_reopened_after_each_error((home / "strace.txt").read_text())
    fleet.fold_all()
    check_all(engine, traffic, home)


def assert_reopened_after_each_error(trace: str) -> None:
    """No file is synced again through the handle whose sync failed."""
    bad: set[tuple[str, str]] = set()
    failures = 0
    for line in trace.splitlines():
        thread, call = line.split(maxsplit=1)
        if synced := re.match(r"f(?:data)?sync\((\d+)", call):
            assert (thread, synced[1]) not in bad, f"synced again: {line}"
            if "EIO" in call:
                failures += 1
                bad.add((thread, synced[1]))
        elif closed := re.match(r"close\((\d+)", call):
            bad.discard((thread, closed[1]))
    assert failures >= 1


@ON_SQLITE
def test_an_error_within_a_commit_acknowledges_nobody_and_the_next_batch_is_kept(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path
) -> None:
    """The same without strace: the error is raised where the commit begins."""
    url, api = fleet.serve(EARSHOT_FAILPOINT="log.before_commit:3:eio")
    with connect(url) as client:
        phone = traffic.phone(client)
        acknowledged = traffic.send_each(client, phone)
        assert acknowledged == [True, True, False] + [True] * (2 * LISTENS - 3)
        assert "Input/output error" in fleet.output(api)
        with traffic.audience(url):
            assert all(traffic.send_each(client, phone))
    fleet.fold_all()
    check_all(engine, traffic, home)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[None]:
    """Makes the test's folder a disk of its own, of 24 MB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(tmp_path)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not permitted: run as root, in a container with --cap-add=SYS_ADMIN")
    yield
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


@contextmanager
def filled(home: Path) -> Iterator[None]:
    """No byte is free on the disk, for the length of the block."""
    filler = home / "filler"
    with filler.open("wb") as file:
        for size in (1 << 16, 1):
            try:
                while True:
                    os.write(file.fileno(), bytes(size))
            except OSError:
                continue
    try:
        yield
    finally:
        filler.unlink()


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_is_waited_for(fleet: Fleet, engine: Engine, traffic: Traffic, home: Path) -> None:
    """Log, store and the output of both processes on one disk without room."""
    url, _ = fleet.serve()
    with connect(url) as client:
        phone = traffic.phone(client)
        assert traffic.send(client, phone, 1, 8)
        with filled(home), traffic.audience(url):
            worker = fleet.worker()
            acknowledged = [traffic.send(client, phone, seq, seq) for seq in range(9, 2 * LISTENS + 1)]
            assert not all(acknowledged)
            assert worker.poll() is None
        with traffic.audience(url):
            assert all(traffic.send_each(client, phone))
    fleet.fold_all()
    fleet.stop_cleanly(worker)
    check_all(engine, traffic, home)


def limit_files(process: subprocess.Popen[Any], size: int) -> None:
    """Let the process write no file beyond this size from now on, as a full disk or a quota would."""
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))


@ON_SQLITE
def test_a_log_that_may_not_grow_takes_nothing_until_it_may(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path
) -> None:
    url, api = fleet.serve()
    with connect(url) as client, traffic.audience(url):
        phone = traffic.phone(client)
        assert traffic.send(client, phone, 1, 8)
        limit_files(api, (home / "events.db-wal").stat().st_size)
        assert not any(traffic.send(client, phone, seq, seq) for seq in range(9, 2 * LISTENS + 1))
        limit_files(api, resource.RLIM_INFINITY)
        assert traffic.send(client, phone, 9)
    fleet.fold_all()
    check_all(engine, traffic, home)


@ON_SQLITE
def test_a_store_that_may_not_grow_is_waited_for_by_the_worker_alone(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path
) -> None:
    url, _ = fleet.serve()
    worker = fleet.worker()
    with connect(url) as client:
        phone = traffic.phone(client)
        limit_files(worker, 4096)
        with traffic.audience(url):
            assert all(traffic.send_each(client, phone))
        fleet.wait_for_output(worker, "not available")
    limit_files(worker, resource.RLIM_INFINITY)
    fleet.fold_all()
    fleet.stop_cleanly(worker)
    check_all(engine, traffic, home)


@ON_SQLITE
def test_a_torn_last_record_costs_only_what_nobody_was_told_is_kept(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path
) -> None:
    """Power went while the last commit was being written: its pages are half there."""
    url, api = fleet.serve(EARSHOT_FAILPOINT="log.after_commit:5")
    with connect(url) as client:
        phone = traffic.phone(client)
        assert traffic.send_each(client, phone)[:5] == [True] * 4 + [False]
    killed(api)
    log = home / "events.db-wal"
    os.truncate(log, log.stat().st_size - 1000)
    fleet.fold_all()
    url, _ = fleet.serve()
    with connect(url) as client, traffic.audience(url):
        assert all(traffic.send_each(client, phone))
    fleet.fold_all()
    check_all(engine, traffic, home)
