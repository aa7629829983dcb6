"""What the terminal shows: progress, and a table of what is expected to be counted."""

import time
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

PLAIN_SECONDS = 2.0
"""Between two lines when nobody watches a terminal."""


class Reporter(Protocol):
    """Told how far seeding is. `total` 0 means that nobody knows."""

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """`done` of `total` in this stage."""
        ...


class PlainReporter:
    """A line now and then, for logs."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._stage = ""
        self._next = 0.0

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Print when the stage is new, complete, or long."""
        now = time.monotonic()
        if stage == self._stage and done != total and now < self._next:
            return
        self._stage, self._next = stage, now + PLAIN_SECONDS
        self.console.print(f"{stage}: {done}{f' of {total}' if total else ''} {note}".rstrip(), highlight=False)

    def __enter__(self) -> "PlainReporter":
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing to tidy."""


class LiveReporter:
    """Bars on a terminal."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=console, refresh_per_second=4)
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Move the stage's bar."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, note="")
        text = note or (f"{done} of {total}" if total else f"{done}")
        self._progress.update(self._tasks[stage], completed=done, total=total or None, note=text)

    def __enter__(self) -> "LiveReporter":
        self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()


def make_reporter(console: Console) -> PlainReporter | LiveReporter:
    """Bars where there is a terminal, lines elsewhere."""
    return LiveReporter(console) if console.is_terminal else PlainReporter(console)


def print_report(console: Console, report: dict[str, Any]) -> None:
    """What should be counted: events, then shows and their episodes."""
    events = report["events"]
    aside = ", ".join(f"{cause} {number:,}" for cause, number in events["set_aside"].items()) or "none"
    console.print(
        f"\nExpected from {report['devices']:,} devices: {events['sent']:,} events sent = "
        f"{events['counted']:,} counted + {events['duplicate']:,} duplicate + "
        f"{sum(events['set_aside'].values()):,} set aside ({aside}).",
        highlight=False,
    )
    if report["downloads"] is not None:
        _print_downloads(console, report["downloads"])
    if not report["is_complete"]:
        console.print("Seeding was stopped; this is what had been sent by then.")
    console.print(_table(report))


def _print_downloads(console: Console, downloads: dict[str, Any]) -> None:
    others = ", ".join(f"{cause} {hits:,}" for cause, hits in downloads["outcomes"].items() if cause != "download")
    console.print(
        f"Expected from {downloads['hits']:,} hits: {downloads['outcomes']['download']:,} downloads; not counted: "
        f"{others}.",
        highlight=False,
    )


def _table(report: dict[str, Any]) -> Table:
    table = Table("Show and episode", title=f"What should be counted, UTC days up to {report['today']}")
    for title in ("Starts", "Listens", "Offline", "Completed", "Hours"):
        table.add_column(title, justify="right")
    for show in report["shows"]:
        table.add_row(show["title"], *_cells(show["total"]), style="bold")
        for episode in show["episodes"]:
            table.add_row(f"  {episode['title']}", *_cells(episode["total"]))
        table.add_section()
    table.add_row("All shows", *_cells(report["total"]), style="bold")
    return table


def _cells(counts: dict[str, int]) -> list[str]:
    numbers = [f"{counts[name]:,}" for name in ("starts", "listens", "offline_listens", "completions")]
    return [*numbers, f"{counts['heard_seconds'] / 3600:,.1f}"]
