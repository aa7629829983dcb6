"""`earshot seed`; imports are late so that `--help` is quick."""

from pathlib import Path
from typing import Annotated

import typer


def seed(
    size: Annotated[str, typer.Option(help="small, medium (about 1 million events) or large (an hour of sending).")] = (
        "small"
    ),
    seed: Annotated[int, typer.Option(help="The same seed on the same UTC day gives the same numbers.")] = 1,
    api_url: Annotated[
        str, typer.Option(envvar="EARSHOT_API_URL", help="Where the API is; else http://EARSHOT_HOST:EARSHOT_PORT.")
    ] = "",
    accounts: Annotated[Path | None, typer.Option(help='JSON: {"creator": {"api_key": "..."}}.')] = None,
    force: Annotated[bool, typer.Option("--force", help="Add a set though there are shows already.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until the worker has counted everything.")] = True,
    downloads: Annotated[
        bool, typer.Option(help="Import an access log of downloads, too; needs the store on this machine.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print what to expect as one JSON value.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Send the last set a second time; no number may change.")] = (
        False
    ),
    check: Annotated[bool, typer.Option("--check", help="Send nothing; compare the last set with the API.")] = False,
    fraud: Annotated[
        str, typer.Option(metavar="KIND", help="Cheat on the last set instead: farm, clone or replay (docs/fraud.md).")
    ] = "",
) -> None:
    """Fill an empty installation with demo shows and listeners, over its own HTTP API, and say what to expect."""
    from importlib import import_module

    from api.settings import Settings

    settings = Settings()
    address = api_url or f"http://{settings.host}:{settings.port}"
    commands = import_module("seed.commands")  # by name: the service itself knows nothing of its demo data
    if fraud:
        commands.cheat(fraud, api_url=address, home=settings.home, as_json=as_json)
        return
    if check:
        commands.check(api_url=address, home=settings.home, accounts_file=accounts)
        return
    if again:
        commands.send_again(api_url=address, home=settings.home, as_json=as_json)
        return
    commands.seed(
        size=size,
        number=seed,
        api_url=address,
        home=settings.home,
        accounts_file=accounts,
        force=force,
        wait=wait,
        downloads=downloads,
        as_json=as_json,
    )
