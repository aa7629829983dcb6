"""`earshot conformance` as a person types it."""

import json

import typer
from rich.console import Console

from conformance.catalogue import check_key
from conformance.report import print_report
from conformance.server import UnreachableError, open_server
from conformance.suite import all_requirements, run
from conformance.trial import Trial

NOT_MET, NOT_TRIED, STOPPED = 1, 2, 130
"""Exit statuses."""


def try_server(*, url: str, api_key: str, wait_seconds: float, as_json: bool) -> None:
    """Try a server and print the table. Exit status 0 only when it meets every requirement that could be tried."""
    errors = Console(stderr=True)
    try:
        with open_server(url, wait_seconds) as server, errors.status("Trying ...") as status:
            if api_key:
                check_key(server, api_key)
            report = run(Trial(server, api_key), all_requirements(), lambda title: status.update(f"{title} ..."))
    except UnreachableError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(NOT_TRIED) from error
    if as_json:
        typer.echo(json.dumps(report.as_json()))
    else:
        print_report(Console(), report)
    if not report.is_complete:
        raise typer.Exit(STOPPED)
    if not report.is_conformant:
        raise typer.Exit(NOT_MET)
