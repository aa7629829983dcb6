"""`earshot seed` as a person types it."""

import json
from pathlib import Path

import typer
from rich.console import Console

from seed import accounts, main
from seed.calls import SeedError
from seed.report import make_reporter, print_report


def seed(
    *,
    size: str,
    number: int,
    api_url: str,
    home: Path,
    accounts_file: Path | None,
    force: bool,
    wait: bool,
    downloads: bool,
    as_json: bool,
) -> None:
    """Seed and print what to expect. Exit status 1 when it could not be done, 130 after Ctrl-C."""
    console = Console(stderr=True)
    try:
        creator = accounts.find_creator(home, accounts_file)
        if creator is None:
            creator = accounts.make_creator(home)
            console.print(f"Made a creator for the demo shows: {json.dumps(creator)}", highlight=False, soft_wrap=True)
        buyers = accounts.find_buyers(home, accounts_file)
        if buyers is None and accounts_file is None:
            buyers = accounts.make_buyers(home)
            console.print(
                f"Made an admin and an advertiser for the demo campaigns: {json.dumps(buyers)}",
                highlight=False,
                soft_wrap=True,
            )
        options = main.Options(
            api_url=api_url,
            api_key=creator["api_key"],
            buyers=buyers,
            home=home,
            size=size,
            seed=number,
            is_forced=force,
            must_wait=wait,
            has_downloads=downloads,
        )
        with make_reporter(console) as reporter:
            report = main.run(options, reporter)
    except SeedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(report))
    else:
        print_report(Console(), report)
    if not report["is_complete"]:
        raise typer.Exit(130)


def send_again(*, api_url: str, home: Path, as_json: bool) -> None:
    """Send the last set a second time: it must not change a number."""
    try:
        with make_reporter(Console(stderr=True)) as reporter:
            sent = main.run_again(api_url, home, reporter)
    except SeedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(sent))
        return
    typer.echo(
        f"{sent['events']:,} events of {sent['devices']:,} devices were sent again, and the access log was imported "
        f"again: {sent['new_hits']:,} hits are new. "
        "`earshot seed --check` sees whether a number changed."
    )


def cheat(kind: str, *, api_url: str, home: Path, as_json: bool) -> None:
    """Cheat on the last set. Exit status 1 when that could not be done."""
    try:
        with make_reporter(Console(stderr=True)) as reporter:
            done = main.run_fraud(api_url, home, kind, reporter)
    except SeedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(done))
        return
    typer.echo(
        f"{len(done['devices']):,} devices cheated on {done['day']} with {done['events']:,} events. "
        "`earshot holds scan` looks for them; `earshot holds list` says what was found."
    )


def check(*, api_url: str, home: Path, accounts_file: Path | None) -> None:
    """Compare the last seeding with what the API says. Exit status 1 when any number differs."""
    try:
        creator = accounts.find_creator(home, accounts_file)
        if creator is None:
            raise SeedError("There is no creator account yet: run `earshot seed` first, or name one with --accounts.")
        differences = main.run_check(api_url, creator["api_key"], home)
    except SeedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    for line in differences[:50]:
        typer.echo(line)
    if differences:
        typer.echo(f"{len(differences)} numbers differ from what was expected.", err=True)
        raise typer.Exit(1)
    typer.echo("Every number is as expected.")
