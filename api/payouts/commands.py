"""`earshot payouts`: close a month, list statements, show one."""

import json
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from sqlmodel import Session

from api import output
from api.command_line import open_store
from api.errors import InvalidError, NotFoundError
from api.payouts import close as closing
from api.payouts import schemas, statements, views
from models.payouts import Statement, StatementState
from models.queries import accounts
from models.queries import statements as rows
from models.tables import Role, User


def close(month: str, *, email: str, as_json: bool) -> None:
    """Draft a month's statements in one transaction; interrupted before its end, nothing has happened."""
    output.set_up("stderr")
    console = Console(stderr=True, highlight=False)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=console, transient=True) as bar, open_store() as session:
        task = bar.add_task("Waiting for the store", total=None)
        found = closing.close(
            session,
            closing.parse_month(month),
            _admin(session, email),
            lambda what, done, whole: bar.update(task, description=what, completed=done, total=whole),
        )
        made = views.statements_out(session, None, _with_creators(session, found.statements))
    if as_json:
        answer = schemas.ClosedOut(month=month, made=len(found.made), items=made)
        typer.echo(answer.model_dump_json())
        return
    if made:
        _print(made)
    standing = len(made) - len(found.made)
    typer.echo(f"{month}: {len(found.made)} drafted, {standing} there already.")
    if found.made:
        typer.echo(_who_approves(email))


def show_all(*, month: str, state: str, as_json: bool) -> None:
    """List statements, the last month first."""
    if state not in {"", *StatementState}:
        raise typer.BadParameter(f"no state {state!r}; there are {', '.join(StatementState)}", param_hint="--state")
    with open_store() as session:
        first = closing.parse_month(month) if month else None
        total = rows.count_statements(session, state=state or None, month=first)
        found = rows.list_statements(session, state=state or None, month=first, limit=total)
        items = views.statements_out(session, None, found)
    if as_json:
        typer.echo(json.dumps([item.model_dump(mode="json") for item in items]))
    elif items:
        _print(items)
    else:
        typer.echo("There are no statements. `earshot payouts close YYYY-MM` drafts those of a month.")


def show(statement_id: str, *, as_json: bool) -> None:
    """One statement with its lines."""
    with open_store() as session:
        found = statements.find(session, statement_id)
        if found is None:
            raise NotFoundError(f"There is no statement {statement_id!r}. `earshot payouts list` lists them.")
        detail = views.detail_out(session, None, found.statement, found.creator)
    if as_json:
        typer.echo(detail.model_dump_json())
        return
    _print([detail])
    _print_lines(detail)


def _who_approves(email: str) -> str:
    if email:
        return f"Any admin but {email} may approve them, and nobody her own."
    return "No admin drafted them: any may approve them, but nobody her own. With --as EMAIL it takes a second admin."


def _admin(session: Session, email: str) -> User | None:
    """Who closes: nobody in particular, or the admin that was named."""
    if not email:
        return None
    user = accounts.get_user_by_email(session, email)
    if user is None or user.role != Role.ADMIN or user.disabled_at is not None:
        raise InvalidError(f"{email!r} is no admin here. `earshot users list` lists everyone.")
    return user


def _with_creators(session: Session, found: Sequence[Statement]) -> list[views.Row]:
    creators = rows.list_users(session, [row.creator_id for row in found])
    return [(row, creators[row.creator_id]) for row in found]


def money(cents: int, currency: str) -> str:
    """Minor units, as they are counted: no assumption about how many make a whole."""
    return f"{cents:,} {currency}"


def _print(items: Sequence[schemas.StatementOut]) -> None:
    table = Table(caption="Amounts in minor units, as cents.", caption_justify="left")
    for title in ("Statement", "Month", "Creator", "State"):
        table.add_column(title, overflow="fold")
    for title in ("Total", "Brought forward", "To pay"):
        table.add_column(title, justify="right")
    for item in items:
        to_pay = "carried over" if item.is_carried else money(item.payable_cents, item.currency)
        table.add_row(
            *(str(item.id), item.month, item.creator.email, item.state),
            money(item.total_cents, item.currency),
            money(item.brought_forward_cents, item.currency),
            to_pay,
        )
    Console().print(table)


def _print_lines(detail: schemas.StatementDetail) -> None:
    table = Table()
    for title in ("Month", "Show", "Episode", "Campaign"):
        table.add_column(title, overflow="fold")
    for title in ("Paid", "Counted", "Held", "Void", "Beyond budget", "Amount"):
        table.add_column(title, justify="right")
    for line in detail.lines:
        month = f"{line.month} (late)" if line.is_late else line.month
        numbers = (line.quantity, line.counted, line.held, line.void, line.unbilled)
        table.add_row(
            *(month, line.show, line.episode, line.campaign or "listens"),
            *(f"{number:,}" for number in numbers),
            money(line.amount_cents, detail.currency),
        )
    Console().print(table)
    if detail.reason:
        typer.echo(f"{detail.state}: {detail.reason}")
