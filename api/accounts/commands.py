"""What `earshot users ...` does: one transaction on the store each, without the service running."""

import json

import typer
from rich.console import Console
from rich.table import Table

from api.accounts import service
from api.command_line import open_store, print_fields
from models.queries import accounts
from models.tables import User


def add(email: str, role: str, name: str, *, as_json: bool) -> None:
    """Make a user and show the password and the key, this once."""
    with open_store() as session:
        made = service.add_user(session, email, role, name)
    print_fields({"email": made.email, "password": made.password, "api_key": made.api_key}, as_json=as_json)


def show_all(*, as_json: bool) -> None:
    """Everyone, without secrets."""
    with open_store() as session:
        people = [_describe(user) for user in accounts.list_users(session)]
    if as_json:
        typer.echo(json.dumps(people))
        return
    table = Table("email", "role", "name", "state", box=None)
    for person in people:
        table.add_row(person["email"], person["role"], person["name"], person["state"])
    Console(highlight=False, markup=False).print(table)


def _describe(user: User) -> dict[str, str]:
    state = "disabled" if user.disabled_at else "active"
    return {"id": str(user.uuid), "email": user.email, "role": user.role, "name": user.name, "state": state}


def renew_password(email: str, *, as_json: bool) -> None:
    """A new random password, shown this once."""
    with open_store() as session:
        password = service.renew_password(session, email)
    print_fields({"email": email.strip().lower(), "password": password}, as_json=as_json)


def renew_key(email: str, *, as_json: bool) -> None:
    """A new API key, shown this once."""
    with open_store() as session:
        key = service.renew_api_key(session, email)
    print_fields({"email": email.strip().lower(), "api_key": key}, as_json=as_json)


def disable(email: str) -> None:
    """Lock a user out."""
    with open_store() as session:
        service.disable_user(session, email)
    typer.echo(f"{email.strip().lower()} is locked out.")
