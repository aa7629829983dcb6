"""`python -m bench`: measures Earshot and the naive baseline, side by side. `make bench` runs it."""

import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from bench import profiling
from bench.agents import measure_agents
from bench.folding import measure_folding
from bench.history import measure_history
from bench.importing import measure_import
from bench.ingest import measure_ingest
from bench.machine import describe
from bench.path import measure_path
from bench.plan import FULL, QUICK, Bench, Plan
from bench.processes import BenchError, Loader, Processes
from bench.ratios import targets
from bench.reach import measure_reach
from bench.report import Report, show
from bench.subjects import Counting

PARTS = ("ingest", "folding", "history", "path", "agents", "import", "reach")
FOLDER = Path("build")

app = typer.Typer(add_completion=False, help="Measure Earshot and a naive baseline on this machine.")
console = Console()
if not console.is_terminal:
    console.width = 120  # a pipe has no width of its own, and tables must not be cut

FolderOption = Annotated[Path, typer.Option(help="Where the stores go while measuring; a real disk, not a RAM disk.")]


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="Rougher, in a fraction of the time.")] = False,
    only: Annotated[str, typer.Option(help=f"Parts, with commas: {', '.join(PARTS)}.")] = ",".join(PARTS),
    json: Annotated[Path | None, typer.Option(help="Also write everything to this file.")] = None,
    folder: FolderOption = FOLDER,
) -> None:
    """Measure, and print tables."""
    if context.invoked_subcommand:
        return
    parts = only.split(",")
    if unknown := set(parts) - set(PARTS):
        raise typer.BadParameter(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    with bench_in(folder, QUICK if quick else FULL) as bench:
        report = measure(bench, parts)
    show(report, console)
    if json:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    if report.stopped:
        _complain(report.stopped)


def measure(bench: Bench, parts: list[str]) -> Report:
    """One part after the other; when one cannot be finished, those before it stand."""
    started = time.monotonic()
    report = Report(describe(bench.processes.folder))
    try:
        _measure_parts(bench, parts, report)
    except BenchError as error:
        report.stopped = str(error)
    report.targets = targets(report.ingest, report.folding, report.history, report.importing, report.reach)
    report.seconds = time.monotonic() - started
    return report


def _measure_parts(bench: Bench, parts: list[str], report: Report) -> None:
    if "ingest" in parts:
        report.ingest = measure_ingest(bench)
    if {"folding", "path"} & set(parts):
        counting = Counting(bench.processes)
        if "folding" in parts:
            report.folding = measure_folding(bench, counting)
        if "path" in parts:
            report.path = measure_path(bench, counting)
    if "agents" in parts:
        report.agents = measure_agents(bench)
    if "import" in parts:
        report.importing = measure_import(bench)
    if "reach" in parts:
        report.reach = measure_reach(bench)
    if "history" in parts:
        report.history = measure_history(bench)


@contextmanager
def bench_in(folder: Path, plan: Plan) -> Iterator[Bench]:
    """A bench whose files and processes are gone afterwards, whatever happens."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="bench-", dir=folder, ignore_cleanup_errors=True) as own,
            Processes(Path(own).resolve()) as processes,
            console.status("starting") as status,
        ):
            yield Bench(plan, processes, Loader(processes), _teller(status.update))
    except BenchError as error:
        _complain(str(error))


def _complain(cause: str) -> NoReturn:
    console.print("[red]The bench stopped:[/]", Text(cause))
    raise typer.Exit(1)


def _teller(update: Callable[[str], None]) -> Callable[[str], None]:
    """A moving status on a terminal; elsewhere a line whenever another thing is being done."""
    if console.is_terminal:
        return update
    said: list[str] = []

    def tell(text: str) -> None:
        subject = text.rpartition(",")[0] or text
        if subject not in said[-1:]:
            said.append(subject)
            console.print(text)

    return tell


@app.command("profile-ingest")
def profile_ingest(folder: FolderOption = FOLDER) -> None:
    """Where the API spends its time per request."""
    with bench_in(folder, QUICK) as bench:
        profiling.profile_ingest(bench)


@app.command("profile-worker")
def profile_worker(folder: FolderOption = FOLDER) -> None:
    """Where the worker spends its time."""
    with bench_in(folder, QUICK) as bench:
        profiling.profile_worker(bench)


if __name__ == "__main__":
    app()
