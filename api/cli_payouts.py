"""`earshot payouts`: closing months, and looking at statements."""

from pathlib import Path
from typing import Annotated

import typer

payouts = typer.Typer(no_args_is_help=True, help="Statements for creators: close a month, look at what it comes to.")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value, for programs.")]


@payouts.command("close")
def close_month(
    month: Annotated[str, typer.Argument(metavar="YYYY-MM", help="A month that is over, by UTC.")],
    email: Annotated[
        str, typer.Option("--as", metavar="EMAIL", help="The admin who drafts; another one has to approve.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Draft a statement for each creator and currency. Again, it changes nothing that stands."""
    from api.payouts import commands

    commands.close(month, email=email, as_json=as_json)


@payouts.command("list")
def list_statements(
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="Only those of this month.")] = "",
    state: Annotated[str, typer.Option(help="Only draft, approved, paid, held or void ones.")] = "",
    as_json: AsJson = False,
) -> None:
    """List statements, the last month first."""
    from api.payouts import commands

    commands.show_all(month=month, state=state, as_json=as_json)


@payouts.command("show")
def show_statement(
    statement: Annotated[
        str, typer.Argument(metavar="ID", help="The statement's id, as `earshot payouts list` has it.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show a statement with its lines."""
    from api.payouts import commands

    commands.show(statement, as_json=as_json)


StatementId = Annotated[str, typer.Argument(metavar="ID", help="The statement's id, as `earshot payouts list` has it.")]


@payouts.command("verify")
def verify_statement(statement: StatementId, as_json: AsJson = False) -> None:
    """Work a statement out again from log and archive; exit code 1 unless all of it agrees."""
    from api import proving_commands

    proving_commands.verify_one(statement, as_json=as_json)


@payouts.command("export")
def export_statement(
    statement: StatementId,
    to: Annotated[
        Path, typer.Option("--to", metavar="FILE", help="Where to write it: gzip-packed JSON, line by line.")
    ],
) -> None:
    """Write what a creator verifies her statement with, by herself (docs/proof.md)."""
    from api import proving_commands

    proving_commands.export_one(statement, to)
