"""`earshot import-logs`."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from api.delivery.importing.blocks import LineBlock, LogFormatError, Unreadable
from api.delivery.importing.chunks import LogFile
from api.delivery.importing.episodes import EpisodeFinder, PatternError, compile_pattern
from api.delivery.importing.formats import NAMES, Choice
from api.delivery.importing.reader import LogReader
from api.events.opening import open_log
from api.hits.lookup import make_classifier
from api.hits.networks import ListError
from api.import_logs import Handles, Importer, Report, Watcher
from api.measurement.worker import LogBehindStoreError, ease_gc
from api.secret import load_secret
from api.settings import Settings
from models.engine import make_engine
from models.migrate import migrate

SHOWN_PATHS = 5
_MAYBE_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{3,45}")
_FIELD = re.compile(r"([a-z_]+)=(.+)")


def import_logs(
    files: list[str], *, format_name: str, log_format: str, fields: list[str], patterns: list[str], as_json: bool
) -> None:
    """Import, show how it goes, say what it changed; exit code 1 when a file could not be read to its end."""
    choice, found_patterns = _choice(format_name, log_format, fields), _patterns(patterns)
    for name in files:
        if name != "-" and not Path(name).is_file():
            raise _fail(f"{name}: there is no such file.", 2)
    console = Console(stderr=True, highlight=False)
    ease_gc()
    with _handles() as handles, Progress(*_columns(), console=console, transient=True, disable=as_json) as bar:
        finder = EpisodeFinder(handles.engine, found_patterns)
        if not finder.has_episodes:
            raise _fail(
                "There is no episode to count downloads of. Make one, or bring a feed: earshot import-feed FEED"
            )
        asides: list[Path] = []
        task = bar.add_task("", total=None, lines=0, rate="")
        watcher = Watcher(
            lambda reader, block: _advance(bar, task, reader, block),
            lambda file, lines: _keep_aside(handles.settings.home / "imports", file, lines, asides),
        )
        importer = Importer(handles, finder, watcher)
        problems = _import_all(importer, files, choice, bar, task)
    _tell(importer.report, problems, asides, as_json=as_json)
    if problems:
        raise typer.Exit(130 if "interrupted" in problems.values() else 1)


def _import_all(importer: Importer, files: list[str], choice: Choice, bar: Progress, task: TaskID) -> dict[str, str]:
    """File -> what was wrong with it."""
    problems: dict[str, str] = {}
    for path in files:
        name = "standard input" if path == "-" else Path(path).name
        bar.reset(task, description=name, total=None, lines=0, rate="")
        try:
            importer.run(path, name, choice)
        except (LogFormatError, OSError) as error:
            problems[name] = str(error)
        except KeyboardInterrupt:
            problems[name] = "interrupted"
            break
    return problems | importer.report.damaged


def _fail(message: str, code: int = 1) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(code)


def _choice(format_name: str, log_format: str, fields: list[str]) -> Choice:
    found = [_FIELD.fullmatch(text) for text in fields]
    if not all(found):
        raise _fail("--field is written COLUMN=KEY, for example --field ip=client_address.", 2)
    named = {match[1]: match[2] for match in found if match}
    if format_name not in NAMES:
        raise _fail(f"No log format is called {format_name!r}; there are {', '.join(NAMES)}.", 2)
    return Choice(format_name, log_format, named)


def _patterns(texts: list[str]) -> list[re.Pattern[str]]:
    try:
        return [compile_pattern(text) for text in texts]
    except PatternError as error:
        raise _fail(str(error), 2) from error


@contextmanager
def _handles() -> Iterator[Handles]:
    settings = Settings()
    engine = make_engine(settings.resolved_store_url(), durability="NORMAL")
    migrate(engine)
    log = open_log(settings.resolved_events_url(), partitions=settings.partitions)
    try:
        yield Handles(settings, engine, log, make_classifier(settings), load_secret(settings.secret, settings.home))
    except (ListError, LogBehindStoreError) as error:
        raise _fail(str(error)) from error
    finally:
        log.close()
        engine.dispose()


def _columns() -> list[TextColumn | BarColumn | TimeRemainingColumn]:
    return [
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[lines]:,} lines"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    ]


def _advance(bar: Progress, task: TaskID, reader: LogReader, block: LineBlock) -> None:
    lines = block.first_line + block.lines
    elapsed = bar.tasks[0].elapsed or 0
    rate = f"{lines / elapsed:,.0f} lines/s" if elapsed else ""
    bar.update(task, completed=reader.packed_position, total=reader.packed_size, lines=lines, rate=rate)


def _keep_aside(folder: Path, file: LogFile, lines: list[Unreadable], asides: list[Path]) -> None:
    """Append lines that cannot be read, with number and reason; addresses in them are not kept."""
    if not lines:
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', file.name)}.{file.prefix.hex()[:8]}.unreadable.tsv"
    with path.open("a", encoding="utf-8", errors="backslashreplace") as out:
        for line in lines:
            text = _MAYBE_ADDRESS.sub(_without_address, line.text)
            out.write(f"{line.line + 1}\t{line.reason}\t{' '.join(text.split())}\n")
    if path not in asides:
        asides.append(path)


def _without_address(found: re.Match[str]) -> str:
    try:
        ip_address(found[0].strip("."))
    except ValueError:
        return found[0]
    return "[address]"


def _tell(report: Report, problems: dict[str, str], asides: list[Path], *, as_json: bool) -> None:
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


def _remarks(report: Report, problems: dict[str, str], asides: list[Path]) -> Iterator[str]:
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
        yield "and --pattern says how paths name them:"
        for path, lines in report.unknown_paths.most_common(SHOWN_PATHS):
            yield f"  {lines:,} lines  {path}"
    if report.without_ranges:
        yield (
            f"{', '.join(report.without_ranges)}: without the Range header. Partial answers were counted by their "
            "bytes, added up. With $http_range in nginx's log_format, parts that overlap are told apart."
        )
    for name, problem in problems.items():
        yield f"{name}: {problem}" + (". The same command goes on from there." if problem == "interrupted" else "")
