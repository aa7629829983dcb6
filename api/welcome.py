"""What `earshot up` says when everything answers."""

from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from api.demo import EMAILS, Demo


def print_welcome(console: Console, home: Path, api: str, dashboard: str, demo: Demo) -> None:
    """A box with the addresses and the demo accounts."""
    parts: list[RenderableType] = [_addresses(home, api, dashboard)]
    parts += _accounts(demo)
    if demo.is_half_made:
        parts += ["", Text(f"The demo data is incomplete: making it was interrupted. Delete {home} to start afresh.")]
    console.print(Panel(Group(*parts), title="Earshot is running", subtitle="Ctrl-C stops it", expand=False))


def _addresses(home: Path, api: str, dashboard: str) -> Table:
    table = Table.grid(padding=(0, 3))
    table.add_row("Dashboard", dashboard)
    table.add_row("API", api)
    table.add_row("API, described", f"{api}/docs")
    table.add_row("All data", f"{home}   (delete it to start afresh)")
    return table


def _accounts(demo: Demo) -> list[RenderableType]:
    if demo.is_store_empty and not demo.accounts:
        return ["", "Make yourself an account:  .venv/bin/earshot users add you@example.com --role creator"]
    if not demo.accounts:
        return ["", "Forgot a password?  .venv/bin/earshot users password " + "EMAIL"]
    table = Table.grid(padding=(0, 3))
    table.add_row("Demo account", "e-mail", "password", style="dim")
    for role, account in demo.accounts.items():
        table.add_row(role, account.email, account.password)
    hints = [f"{EMAILS[role]} keeps the password it had." for role in EMAILS if role not in demo.accounts]
    return ["", table, *hints]
