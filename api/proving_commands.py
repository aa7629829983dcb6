"""`earshot payouts verify` and `earshot payouts export`."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from sqlmodel import Session

from api import output, proving
from api.errors import NotFoundError
from api.payouts import statements, verify
from api.payouts.statements import Found
from api.privacy_commands import Handles, open_all
from api.proving import Progress, Sources
from models.engine import read_only

MARKS = {verify.Outcome.AGREES: "agrees", verify.Outcome.DIFFERS: "DIFFERS", verify.Outcome.UNPROVED: "NOT PROVED"}
VERDICTS = {
    verify.Outcome.AGREES: "The statement agrees with its inputs, with log and archive, and with the ledger.",
    verify.Outcome.DIFFERS: "The statement does not agree. Do not pay it before somebody has found out why.",
    verify.Outcome.UNPROVED: "Not everything could be proved; see above.",
}


def verify_one(statement_id: str, *, as_json: bool) -> None:
    """Verify a statement; exit code 1 unless all of it agrees."""
    output.set_up("stderr")
    with open_all() as handles:
        found = _find(handles, statement_id)
        with _bar() as progress:
            report = proving.verify_statement(_sources(handles), found, progress)
    typer.echo(json.dumps(verify.as_json(report))) if as_json else _print(report)
    if report.verdict is not verify.Outcome.AGREES:
        raise typer.Exit(1)


def export_one(statement_id: str, to: Path) -> None:
    """Write what a creator verifies her statement with; a file that is there whole or not at all."""
    output.set_up("stderr")
    draft = to.with_name(f".{to.name}.{os.getpid()}.unfinished")
    with open_all() as handles:
        found = _find(handles, statement_id)
        try:
            with draft.open("xb") as file, _bar() as progress:
                written = proving.export_statement(_sources(handles), found, file, progress)
            draft.replace(to)
        except OSError as error:
            typer.echo(f"{to} cannot be written: {error.strerror or error}.", err=True)
            raise typer.Exit(1) from error
        finally:
            draft.unlink(missing_ok=True)
    typer.echo(f"Written to {to}: {written:,} playbacks. Verify it with `python docs/verify_statement.py {to}`.")


def _sources(handles: Handles) -> Sources:
    return Sources(handles.engine, handles.log, handles.archive)


def _find(handles: Handles, statement_id: str) -> Found:
    with Session(read_only(handles.engine)) as session:
        found = statements.find(session, statement_id)
    if found is None:
        raise NotFoundError(f"There is no statement {statement_id!r}. `earshot payouts list` lists them.")
    return found


@contextmanager
def _bar() -> Iterator[Progress]:
    console = Console(stderr=True, highlight=False)
    columns = TextColumn("Reading records"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)


def _print(report: verify.Report) -> None:
    console = Console(highlight=False, markup=False)
    found = verify.as_json(report)
    table = Table(caption="Paid of counted, what is kept back, and the amount in minor units, as cents.")
    for title in ("Episode", "Campaign", "Month", "Statement says", "Recomputed", "Agrees"):
        table.add_column(title, overflow="fold")
    for line in found["lines"]:
        table.add_row(
            *(line["episode"], line["campaign"] or "listens", line["month"]),
            *(_numbers(line[side], found["currency"]) for side in ("stated", "recomputed")),
            "yes" if line["agrees"] else "NO",
        )
    if found["lines"]:
        console.print(table)
    for check in report.checks:
        console.print(f"{MARKS[check.outcome]:<10} {check.name}: {check.detail}", soft_wrap=True)
    console.print(VERDICTS[report.verdict])


def _numbers(numbers: dict[str, int] | None, currency: str) -> str:
    if numbers is None:
        return "no such line"
    more = [f"{numbers[name]:,} {what}" for name, what in (("held", "held"), ("void", "void")) if numbers[name]]
    counted = ", ".join([f"{numbers['quantity']:,} of {numbers['counted']:,}", *more])
    return f"{counted}: {numbers['amount_cents']:,} {currency}"
