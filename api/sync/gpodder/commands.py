"""What `earshot listeners ...` does: one transaction on the store each, without the service running."""

import json

import typer
from rich.console import Console
from rich.table import Table

from api.command_line import open_store, print_fields
from api.sync.gpodder import service
from models.queries import listeners


def add(name: str, *, as_json: bool) -> None:
    """Make a listener and show the password, this once."""
    with open_store() as session:
        made = service.add_listener(session, name)
    print_fields({"username": made.username, "password": made.password}, as_json=as_json)


def show_all(*, as_json: bool) -> None:
    """Everyone, without secrets."""
    with open_store() as session:
        people = [
            (listener.name, f"{listener.created_at:%Y-%m-%d}", devices)
            for listener, devices in listeners.list_listeners(session)
        ]
    if as_json:
        typer.echo(json.dumps([dict(zip(("username", "since", "devices"), row, strict=True)) for row in people]))
        return
    table = Table("username", "since", "devices", box=None)
    for name, since, devices in people:
        table.add_row(name, since, str(devices))
    Console(highlight=False, markup=False).print(table)


def renew_password(name: str, *, as_json: bool) -> None:
    """A new random password, shown this once."""
    with open_store() as session:
        renewed = service.renew_password(session, name)
    print_fields({"username": renewed.username, "password": renewed.password}, as_json=as_json)


def remove(name: str) -> None:
    """Leave nothing of a listener but what was counted."""
    with open_store() as session:
        gone = service.remove_listener(session, name)
    typer.echo(f"{gone} is removed, with devices, subscriptions and actions. What was counted stays, without a name.")
