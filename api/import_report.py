"""What an import of access logs changed, and how it is told."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from api.delivery.importing.episodes import NOT_AUDIO, UNKNOWN
from api.measurement.hit_step import KNOWN
from models.downloads import DOWNLOAD

UNREADABLE = "unreadable"
OF_NO_EPISODE = {UNREADABLE, NOT_AUDIO, UNKNOWN}
"""Outcomes of lines that are no hits of an episode."""
INTERRUPTED = "interrupted"
SHOWN_PATHS = 5


def shown(path: str) -> str:
    """A file as a person knows it."""
    return "standard input" if path == "-" else os.fsencode(path).decode("utf-8", "replace")


@dataclass(slots=True)
class Report:
    """What an import changed."""

    lines: int = 0
    """Lines read that had not been read before."""
    skipped: int = 0
    """Lines that an earlier import of the same file had read."""
    outcomes: Counter[str] = field(default_factory=Counter)
    unknown_paths: Counter[str] = field(default_factory=Counter)
    """Paths that look like audio and are no known episode's."""
    without_ranges: list[str] = field(default_factory=list)
    """Files whose log does not tell the Range."""
    without_agents: list[str] = field(default_factory=list)
    """Files in which no line told a user agent."""
    unfinished: list[str] = field(default_factory=list)
    """Files whose last line had no end yet; it was left for later."""
    damaged: dict[str, str] = field(default_factory=dict)
    """Files that could not be read to their end, and why."""

    @property
    def downloads(self) -> int:
        """Downloads more than before."""
        return self.outcomes[DOWNLOAD]

    @property
    def known(self) -> int:
        """Hits that another file had told before; they changed nothing."""
        return self.outcomes[KNOWN]

    @property
    def unreadable(self) -> int:
        """Lines that no hit can be made of."""
        return self.outcomes[UNREADABLE]

    @property
    def causes(self) -> dict[str, int]:
        """Why the other hits are no downloads: cause -> hits, the most frequent first."""
        left_out = {DOWNLOAD, KNOWN, UNREADABLE}
        return {cause: hits for cause, hits in self.outcomes.most_common() if cause not in left_out and hits}

    @property
    def hits(self) -> int:
        """Hits more than before: downloads and all causes."""
        return self.downloads + sum(self.causes.values())

    def note(self, path: str, *, has_ranges: bool, has_agents: bool, is_unfinished: bool, damage: str) -> None:
        """Remember what has to be said of a file that was read."""
        for files, is_so in (
            (self.without_ranges, not has_ranges),
            (self.without_agents, not has_agents),
            (self.unfinished, is_unfinished),
        ):
            if is_so:
                files.append(path)
        if damage:
            self.damaged[path] = damage


def tell(report: Report, problems: dict[str, str], asides: Sequence[Path], *, as_json: bool) -> None:
    """Print it; `problems`: what was wrong with which file, `asides`: where lines are that could not be read."""
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "hits": report.hits,
                    "downloads": report.downloads,
                    "causes": report.causes,
                    "unreadable": report.unreadable,
                    "known": report.known,
                    "lines": report.lines,
                    "skipped": report.skipped,
                    "without_ranges": report.without_ranges,
                    "without_agents": report.without_agents,
                    "unfinished": report.unfinished,
                    "problems": problems,
                }
            )
        )
        return
    console = Console(highlight=False)
    table = Table(title=f"{report.hits:,} hits", title_justify="left")
    table.add_column("Outcome")
    table.add_column("Hits", justify="right")
    table.add_column("Share", justify="right")
    for outcome, hits in {"download": report.downloads, **report.causes}.items():
        table.add_row(outcome, f"{hits:,}", f"{100 * hits / report.hits:.1f} %" if report.hits else "")
    console.print(table)
    for line in _remarks(report, problems, asides):
        console.print(line, soft_wrap=True)


def _remarks(report: Report, problems: dict[str, str], asides: Sequence[Path]) -> Iterator[str]:
    yield f"{report.lines:,} lines read."
    if report.skipped:
        yield f"{report.skipped:,} lines skipped: the same file was imported before."
    if report.known:
        yield f"{report.known:,} hits were known from another file and changed nothing."
    if report.unreadable:
        places = ", ".join(str(path) for path in asides)
        yield f"{report.unreadable:,} lines could not be read. They are kept aside with their numbers: {places}"
    if report.unknown_paths:
        yield "These paths look like audio, but are no known episode's. `earshot import-feed` brings a show's episodes,"
        yield "and --pattern says how paths name them; then the same files are read anew:"
        for path, lines in report.unknown_paths.most_common(SHOWN_PATHS):
            yield f"  {lines:,} lines  {path}"
    if report.without_ranges:
        yield (
            f"{', '.join(report.without_ranges)}: without the Range header. Partial answers were counted by their "
            "bytes, added up. With $http_range in nginx's log_format, parts that overlap are told apart."
        )
    if report.without_agents:
        yield (
            f"{', '.join(report.without_agents)}: without user agents. A request without one is judged a bot's, so "
            "nothing in it counts as a download. Log it, as the combined format does, and say how with --log-format."
        )
    for name in report.unfinished:
        yield f"{name}: its last line has no end yet. It is read by the next import, when it has one."
    for name, problem in problems.items():
        yield f"{name}: {problem}" + (". The same command goes on from there." if problem == INTERRUPTED else "")
