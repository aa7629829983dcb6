"""What the sub-commands of `earshot` share: a store to work on, and how results are printed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from sqlmodel import Session

from api.errors import ApiError
from api.settings import Settings
from models.engine import make_engine
from models.migrate import migrate


@contextmanager
def open_store() -> Iterator[Session]:
    """One transaction on a store of the newest schema; a refusal becomes a message and exit code 1."""
    engine = make_engine(Settings().resolved_store_url())
    try:
        migrate(engine)
        with Session(engine) as session:
            yield session
            session.commit()
    except ApiError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(1) from error
    finally:
        engine.dispose()


def print_fields(fields: dict[str, str], *, as_json: bool) -> None:
    """Names and values, for people or for programs."""
    if as_json:
        typer.echo(json.dumps(fields))
        return
    for name, value in fields.items():
        typer.echo(f"{name.replace('_', ' '):<9} {value}")
