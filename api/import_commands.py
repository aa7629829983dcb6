"""`earshot import-logs`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from api import output
from api.delivery.importing.blocks import LineBlock, LogFormatError, Unreadable
from api.delivery.importing.chunks import LogFile
from api.delivery.importing.episodes import EpisodeFinder, PatternError, compile_pattern
from api.delivery.importing.formats import NAMES, Choice
from api.delivery.importing.reader import SHOWN_BYTES, LogReader
from api.events import LogUnavailableError
from api.events.opening import open_log
from api.hits.lookup import make_classifier
from api.hits.networks import ListError
from api.import_logs import Handles, Importer, Watcher
from api.import_report import INTERRUPTED, shown, tell
from api.measurement.worker import LogBehindStoreError, ease_gc
from api.secret import load_secret
from api.settings import Settings
from models.engine import make_engine
from models.migrate import migrate

_IPV4 = re.compile(r"\d{1,3}(?:([.-])\d{1,3})(?:\1\d{1,3}){2}")
_MAYBE_IPV6 = re.compile(r"(?:[0-9A-Fa-f.%]*:|[0-9A-Fa-f.%]*?%3[Aa]){2,}[0-9A-Fa-f.%]*")
_TIME = re.compile(r"(?:\d{4}:)?\d{2}:\d{2}:\d{2}")
_CUT_OFF = re.compile(r"[0-9A-Fa-f:.%-]+$")
"""What may be the beginning of an address, where a long line is cut."""
_FIELD = re.compile(r"([a-z_]+)=(.+)")


def import_logs(
    files: list[str], *, format_name: str, log_format: str, fields: list[str], patterns: list[str], as_json: bool
) -> None:
    """Import, show how it goes, say what it changed; exit code 1 when a file could not be read to its end."""
    choice, found_patterns = _choice(format_name, log_format, fields), _patterns(patterns)
    for name in files:
        if name != "-" and (wrong := _unfit(Path(name))):
            raise _fail(f"{name}: {wrong}", 2)
    output.set_up("stderr")
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
            lambda: console.print("Another import is running; waiting for it to end."),
        )
        importer = Importer(handles, finder, watcher)
        problems = _import_all(importer, files, choice, bar, task)
    tell(importer.report, problems, asides, as_json=as_json)
    if problems:
        raise typer.Exit(130 if INTERRUPTED in problems.values() else 1)


def _import_all(importer: Importer, files: list[str], choice: Choice, bar: Progress, task: TaskID) -> dict[str, str]:
    """File -> what was wrong with it."""
    problems: dict[str, str] = {}
    for path in files:
        bar.reset(task, description=shown(Path(path).name), total=None, lines=0, rate="")
        try:
            importer.run(path, choice)
        except (LogFormatError, OSError) as error:
            problems[shown(path)] = str(error)
        except KeyboardInterrupt:
            problems[shown(path)] = INTERRUPTED
            break
    return problems | importer.report.damaged


def _unfit(path: Path) -> str:
    """Why this cannot be imported; empty when it can."""
    if not path.exists():
        return "there is no such file."
    if path.is_dir():
        return "this is a folder. Name the files in it."
    # How a file begins is looked at before it is read.
    return "" if path.is_file() else "this cannot be read twice. Pipe it in, and name `-` instead."


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
    try:
        log = open_log(settings.resolved_events_url(), partitions=settings.partitions)
    except LogUnavailableError as error:
        raise _fail(str(error)) from error
    try:
        yield Handles(settings, engine, log, make_classifier(settings), load_secret(settings.secret, settings.home))
    except (ListError, LogBehindStoreError, LogUnavailableError) as error:
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
            text = _CUT_OFF.sub("", line.text) if len(line.text) >= SHOWN_BYTES else line.text
            text = _MAYBE_IPV6.sub(_without_address, _IPV4.sub("[address]", text))
            out.write(f"{line.line + 1}\t{line.reason}\t{' '.join(text.split())}\n")
    if path not in asides:
        asides.append(path)


def _without_address(found: re.Match[str]) -> str:
    """Whatever has two colons may be an address, or the most of one; but for the time of the day."""
    return found[0] if _TIME.fullmatch(found[0]) else "[address]"
