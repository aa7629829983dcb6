"""`earshot recount`."""

import json
from dataclasses import asdict
from datetime import date

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from api.events.archive import Archive
from api.events.opening import open_log
from api.measurement.download_step import Rules
from api.measurement.erasing import erase_pending
from api.measurement.rebuild import MissingRecordsError
from api.measurement.recount import Days, Recount, Report
from api.settings import Settings
from models.columns import day_number
from models.engine import make_engine
from models.migrate import is_current

LAST_DAY = date(9999, 12, 31)


def parse_days(first: str, last: str) -> Days | None:
    """Day numbers of `--from` and `--to`, None when neither is given. Raises ValueError."""
    if not first and not last:
        return None
    days = (
        day_number(date.fromisoformat(first or "1970-01-02")),
        day_number(date.fromisoformat(last) if last else LAST_DAY),
    )
    if days[0] > days[1]:
        raise ValueError("--from must not be after --to.")
    return days


def recount(*, first: str, last: str, apply: bool, as_json: bool) -> None:
    """Rebuild, compare, report; exit code 1 when something differs and was not mended."""
    try:
        days = parse_days(first, last)
    except ValueError as error:
        typer.echo(f"Days are written YYYY-MM-DD, and --from is not after --to: {error}", err=True)
        raise typer.Exit(2) from error
    settings = Settings()
    engine = make_engine(settings.resolved_store_url())
    if not is_current(engine):
        typer.echo("The store's schema is not the newest. Run `earshot migrate` first.", err=True)
        raise typer.Exit(1)
    log = open_log(settings.resolved_events_url(), partitions=settings.partitions)
    archive = Archive(settings.resolved_archive_dir())
    console = Console(stderr=True, highlight=False)
    columns = TextColumn("Folding records"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    try:
        with Progress(*columns, console=console, transient=True) as bar, archive.lock():
            task = bar.add_task("")
            erase_pending(engine, log, archive)
            rules = None if days else Rules(settings.download_window, settings.excess_cap)
            run = Recount(
                engine,
                log,
                archive,
                days,
                rules,
                progress=lambda done, whole: bar.update(task, completed=done, total=whole),
            )
            report = run.run(apply=apply)
    except MissingRecordsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    finally:
        log.close()
        engine.dispose()
    _print_json(report) if as_json else _print(report, days)
    if not report.is_equal and not report.is_mended:
        raise typer.Exit(1)


def _print_json(report: Report) -> None:
    typer.echo(json.dumps({**asdict(report), "is_equal": report.is_equal}))


def _print(report: Report, days: Days | None) -> None:
    console = Console(highlight=False, markup=False)
    table = Table("table", "rebuilt rows", "missing", "extra", "different", box=None)
    for found in report.tables:
        table.add_row(found.table, *(f"{n:,}" for n in (found.rows, found.missing, found.extra, found.different)))
    console.print(table)
    for found in report.tables:
        for example in found.examples:
            console.print(
                f"{found.table} ({example['key']}): stored {example['stored']}; rebuilt {example['rebuilt']}",
                soft_wrap=True,
            )
    what = "These days" if days else "The store"
    console.print(f"{report.events:,} events in {report.records:,} records of the log were folded.")
    if report.is_equal:
        console.print(f"{what} agrees with log and archive, row by row." if not days else f"{what} agree, row by row.")
    elif report.is_mended:
        console.print("The rows that differed were replaced by the rebuilt ones.")
    else:
        console.print("Something differs. `earshot recount --apply` puts the rebuilt rows in place.")
