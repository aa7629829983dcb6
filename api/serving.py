"""Runs the API and the dashboard under uvicorn."""

import errno
import os
import socket

import typer
import uvicorn

from api.addresses import make_proxies
from api.hits.lookup import make_classifier
from api.settings import Settings
from models.engine import make_engine
from models.migrate import is_current

FINISHING_SECONDS = 5
"""How long answers that are being sent may go on when the API is stopped; then they are cut, and counted for what went
out. Without it one listener who pauses holds the process, until `earshot up` kills it and the hits are lost."""


def check_port(host: str, port: int, what: str, setting: str = "") -> None:
    """Exit with a clear message when another program listens on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            typer.echo(
                f"Port {port} on {host} is in use, so {what} cannot start. Stop the other program, or choose "
                f"another port{f': {setting}={port + 1}' if setting else ''}.",
                err=True,
            )
            raise typer.Exit(1) from error


def check_schema(settings: Settings) -> None:
    """Exit with a clear message when the store was not migrated."""
    engine = make_engine(settings.resolved_store_url())
    try:
        if not is_current(engine):
            typer.echo("The store does not have the newest schema. Run `earshot migrate` first.", err=True)
            raise typer.Exit(1)
    finally:
        engine.dispose()


def check_lists(settings: Settings) -> None:
    """Exit with a clear message when a list that the settings name is no good."""
    try:
        make_proxies(settings.trusted_proxies, settings.country_header)
        make_classifier(settings)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def serve(host: str | None, port: int | None, workers: int) -> None:
    """Serve until Ctrl-C; `workers` processes share the port, the log and the store."""
    settings = Settings()
    host, port = host or settings.host, port or settings.port
    check_port(host, port, "the API")
    check_lists(settings)
    check_schema(settings)
    # The app reads the settings again, in each of its processes; feeds name the address that it is served at.
    os.environ |= {"EARSHOT_HOST": host, "EARSHOT_PORT": str(port)}
    uvicorn.run(
        "api.app:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        log_level="warning",
        http="httptools",
        loop="uvloop",
        server_header=False,
        proxy_headers=False,  # api/addresses.py reads them, for the proxies that the settings name
        timeout_graceful_shutdown=FINISHING_SECONDS,
    )


def serve_dashboard(host: str | None, port: int | None) -> None:
    """Serve the dashboard until Ctrl-C; one process, since an open page lives in the process that it connected to."""
    settings = Settings()
    host, port = host or settings.host, port or settings.dashboard_port
    check_port(host, port, "the dashboard")
    check_schema(settings)
    uvicorn.run(
        "dashboard.server:create_app",  # by name: the API's code does not depend on the dashboard's
        factory=True,
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        server_header=False,
        # Open pages hold a websocket; without this, stopping would wait for the last browser to leave.
        timeout_graceful_shutdown=2,
    )
