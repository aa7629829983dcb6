"""`earshot holds ...`: look for fraud, list what was found, and decide."""

import json
from datetime import date, timedelta
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from sqlmodel import Session

from api import clock
from api.command_line import open_store
from api.errors import ForbiddenError, InvalidError, NotFoundError
from api.holds import deciding
from api.holds.rules import BY_NAME
from api.holds.scan import MOST_DAYS, Outcome
from api.holds.scan import scan as scan_days
from api.payouts import hold_views
from models.advertising import HoldState
from models.columns import day_number
from models.queries import accounts, hold_decisions, holds
from models.tables import Role, User

DEFAULT_DAYS = 62
"""This month and the one before."""


def scan(first: str, last: str, *, as_json: bool) -> None:
    """Look at days, and say what is flagged of all there is, by rule."""
    with open_store() as session:
        period = _parse_days(first, last)
        days = range(day_number(period[0]), day_number(period[1]) + 1)
        found = scan_days(session.connection(), days, clock.now())
        flagged = holds.list_flagged_by_rule(session.connection(), days[0], days[-1])
        whole = holds.count_scanned(session.connection(), days[0], days[-1])
    result = {
        "from": str(period[0]),
        "to": str(period[1]),
        "playbacks": whole[0],
        "consumer_days": whole[1],
        "new_holds": found.new_holds,
        "newly_flagged": {"playbacks": found.playbacks, "downloads": found.downloads},
        "ended": found.ended,
        "flagged": {rule: {"playbacks": counts[0], "downloads": counts[1]} for rule, counts in flagged.items()},
    }
    if as_json:
        typer.echo(json.dumps(result))
        return
    _print_scan(found, whole, flagged)


def _parse_days(first: str, last: str) -> tuple[date, date]:
    try:
        to = date.fromisoformat(last) if last else clock.now().date()
        since = date.fromisoformat(first) if first else to - timedelta(days=DEFAULT_DAYS - 1)
    except ValueError as error:
        raise InvalidError(f"Days are written YYYY-MM-DD: {error}.") from error
    if not 0 <= (to - since).days < MOST_DAYS:
        raise InvalidError(f"{since} to {to}: ask for 1 to {MOST_DAYS} days, the earlier one first.")
    return since, to


def _print_scan(found: Outcome, whole: tuple[int, int], flagged: dict[str, tuple[int, int]]) -> None:
    table = Table("rule", "playbacks", "of all", "consumers' days", "of all", box=None)
    for rule in BY_NAME:
        playbacks, downloads = flagged.get(rule, (0, 0))
        table.add_row(
            rule, f"{playbacks:,}", _share(playbacks, whole[0]), f"{downloads:,}", _share(downloads, whole[1])
        )
    console = Console(highlight=False, markup=False)
    console.print(table)
    console.print(
        f"{whole[0]:,} playbacks and {whole[1]:,} consumers' days were looked at: {found.new_holds:,} new holds, "
        f"{found.ended:,} ended."
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "-"


def show_all(state: str, *, as_json: bool) -> None:
    """List holds, the latest day first."""
    if state not in {"", *HoldState}:
        typer.echo(f"No hold is {state!r}. The states are: {', '.join(HoldState)}.", err=True)
        raise typer.Exit(2)
    with open_store() as session:
        found = hold_decisions.list_holds(session, state=state or None, rule=None, show_id=None, limit=500, offset=0)
        listed = hold_views.holds_out(session, found)
        total = hold_decisions.count_holds(session, state=state or None, rule=None, show_id=None)
    if as_json:
        typer.echo(json.dumps({"items": [hold.model_dump(mode="json") for hold in listed], "total": total}))
        return
    table = Table(box=None)
    for title in ("id", "day", "rule", "subject", "playbacks", "downloads", "state"):
        table.add_column(title, no_wrap=title in {"id", "day"}, overflow="fold")
    for hold in listed:
        numbers = f"{hold.playbacks:,}", f"{hold.downloads:,}"
        table.add_row(str(hold.id), str(hold.day), hold.rule, hold.subject, *numbers, hold.state)
    console = Console(highlight=False, markup=False)
    console.print(table if listed else "Nothing is held.")
    if total > len(listed):
        console.print(f"{total - len(listed):,} more, of earlier days.")


def decide(hold: str, state: HoldState, reason: str, email: str) -> None:
    """Release or void a hold, as an admin."""
    with open_store() as session:
        try:
            uuid = UUID(hold)
        except ValueError as error:
            raise NotFoundError(f"{hold} is no hold's id. `earshot holds list` shows them.") from error
        if len(reason.strip()) < 3:
            raise InvalidError("Say why, in words: --reason TEXT.")
        made = deciding.decide(session, _admin(session, email), uuid, state, reason.strip(), clock.now())
        typer.echo(f"{made.rule} of {made.day}: {made.state}.")


def _admin(session: Session, email: str) -> User:
    user = accounts.get_user_by_email(session, email)
    if user is None or user.disabled_at is not None or user.role != Role.ADMIN:
        raise ForbiddenError(f"{email} is no admin's account. `earshot users list` shows who is.")
    return user
