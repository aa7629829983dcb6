"""Runs the API under uvicorn."""

import errno
import socket

import typer
import uvicorn

from api.settings import Settings


def check_port(host: str, port: int, what: str) -> None:
    """Exit with a clear message when another program listens on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            typer.echo(
                f"Port {port} on {host} is in use, so {what} cannot start. Stop the other program or choose "
                "another port.",
                err=True,
            )
            raise typer.Exit(1) from error


def serve(host: str | None, port: int | None, workers: int) -> None:
    """Serve until Ctrl-C; `workers` processes share the port, the log and the store."""
    settings = Settings()
    host, port = host or settings.host, port or settings.port
    check_port(host, port, "the API")
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
        date_header=False,
    )
