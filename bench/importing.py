"""How fast access logs are read and counted, beside a baseline that reads line by line. By CPU time, on one core."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec

from api.delivery.importing.reader import open_log
from bench.access_log import AudioFile, Plan, make_files, write
from bench.naive import access_log as naive
from bench.plan import Bench
from bench.processes import BenchError

LOG_DAYS = 3


class ImportRow(msgspec.Struct):
    """Lines a second; medians of the repeats."""

    lines: int
    packed_bytes: int
    read_per_second: float
    """gzip to blocks of columns: what comes before anything is decided."""
    naive_per_second: float
    """gzip to downloads in a table."""
    whole_per_second: float
    """gzip to committed downloads, by our rules."""
    whole_by_clock: float
    peak_mb: float
    """Of the whole import's process, the highest of the repeats."""
    read_runs: list[float]
    whole_runs: list[float]
    naive_runs: list[float]


def measure_import(bench: Bench) -> ImportRow:
    """One log, read by both in turn."""
    plan, folder = bench.plan, bench.processes.folder
    bench.tell("writing an access log")
    log, _ = make_log(folder, plan.import_lines)
    read_runs, naive_runs, wholes = [], [], []
    for repeat in range(plan.import_repeats):
        bench.tell(f"reading an access log, round {repeat + 1} of {plan.import_repeats}")
        read_runs.append(_per_second(plan.import_lines, lambda: read(log)))
        wholes.append(import_whole(log, folder / f"import-{repeat}", plan.import_lines))
        naive_runs.append(_per_second(plan.import_lines, lambda: count_naively(log, folder / "naive-import.db")))
    return ImportRow(
        lines=plan.import_lines,
        packed_bytes=log.stat().st_size,
        read_per_second=median(read_runs),
        naive_per_second=median(naive_runs),
        whole_per_second=median(whole.by_cpu for whole in wholes),
        whole_by_clock=median(whole.by_clock for whole in wholes),
        peak_mb=max(whole.peak_mb for whole in wholes),
        read_runs=read_runs,
        whole_runs=[whole.by_cpu for whole in wholes],
        naive_runs=naive_runs,
    )


class Whole(NamedTuple):
    """One import of a log."""

    by_cpu: float
    """Lines a second."""
    by_clock: float
    peak_mb: float


def import_whole(log: Path, folder: Path, lines: int) -> Whole:
    """Import a log into a new installation, in a process of its own on one core."""
    command = [sys.executable, "-m", "bench.import_whole", str(log), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "the import failed")
    found = json.loads(done.stdout)
    if found["lines"] != lines:
        raise BenchError(f"of {lines} lines {found['lines']} were imported")
    return Whole(lines / found["cpu_seconds"], lines / found["clock_seconds"], found["peak_mb"])


def make_log(folder: Path, lines: int) -> tuple[Path, list[AudioFile]]:
    """A packed log of the last days, and what was asked for in it."""
    path, files = folder / "access.log.gz", make_files()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight - timedelta(days=LOG_DAYS + 1)
    write(path, Plan(lines, files, LOG_DAYS, int(since.timestamp())))
    return path, files


def read(log: Path) -> int:
    """How many lines came into columns."""
    with open_log(str(log)) as reader:
        return sum(len(block.rows.line) for block in reader)


def count_naively(log: Path, database: Path) -> int:
    """How many lines the baseline read."""
    database.unlink(missing_ok=True)
    outcome = naive.count(log, database)
    return outcome.lines - outcome.unreadable


def _per_second(lines: int, work: Callable[[], int]) -> float:
    started = time.process_time()
    done = work()
    seconds = time.process_time() - started
    if done != lines:
        raise BenchError(f"of {lines} lines {done} were read")
    return lines / seconds
