"""`earshot privacy ...`: what is held of a device or a listener, and erasing it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import typer
from sqlalchemy import Engine
from sqlmodel import Session

from api import privacy
from api.errors import ApiError
from api.events import EventLog
from api.events.archive import Archive
from api.events.opening import open_log
from api.measurement.worker import Worker
from api.settings import Settings
from models.engine import make_engine
from models.migrate import migrate
from models.queries import listeners


@dataclass(frozen=True)
class Handles:
    """What a command works on."""

    settings: Settings
    engine: Engine
    log: EventLog
    archive: Archive


@contextmanager
def open_all() -> Iterator[Handles]:
    """Store, log and archive of this installation; a refusal becomes a message and exit code 1."""
    settings = Settings()
    engine = make_engine(settings.resolved_store_url())
    migrate(engine)
    log = open_log(settings.resolved_events_url(), partitions=settings.partitions)
    try:
        yield Handles(settings, engine, log, Archive(settings.resolved_archive_dir()))
    except ApiError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(1) from error
    finally:
        log.close()
        engine.dispose()


def _one_of(device: str, listener: str) -> None:
    if bool(device) == bool(listener):
        typer.echo("Name one: --device ID or --listener NAME.", err=True)
        raise typer.Exit(2)


def _device_bytes(text: str) -> bytes:
    try:
        return UUID(text).bytes
    except ValueError as error:
        typer.echo(f"{text} is no device id; it looks like 0b6f6a0e-7c1d-4b57-9a53-6f0f5a6d2e11.", err=True)
        raise typer.Exit(2) from error


def export(*, device: str, listener: str, output: Path | None) -> None:
    """Print, or write, all that is held, as JSON."""
    _one_of(device, listener)
    found: dict[str, Any] = {}
    wanted = [_device_bytes(device)] if device else []
    with open_all() as handles:
        if listener:
            with Session(handles.engine) as session:
                listener_id, wanted = privacy.devices_of_listener(session, handles.settings, listener)
                found["listener"] = listeners.export_listener(session, listener_id)
        found["devices"] = privacy.export_devices(handles.engine, handles.log, handles.archive, wanted)
    text = json.dumps(found, indent=2, default=str)
    if output is None:
        typer.echo(text)
        return
    output.write_text(text + "\n")
    output.chmod(0o600)
    typer.echo(f"Written to {output}.", err=True)


def erase(*, device: str, listener: str, yes: bool) -> None:
    """Erase for good."""
    _one_of(device, listener)
    wanted = [_device_bytes(device)] if device else []
    if not yes:
        typer.confirm(f"Erase all that {listener or device} ever sent? Totals stay; this cannot be undone.", abort=True)
    with open_all() as handles:
        if listener:
            with Session(handles.engine) as session:
                listener_id, wanted = privacy.devices_of_listener(session, handles.settings, listener)
        worker = Worker(handles.engine, handles.log, handles.settings)
        privacy.erase_devices(worker, handles.engine, handles.log, handles.archive, wanted)
        if listener:
            # Last: until here the same command can be given again.
            with Session(handles.engine) as session:
                _, now_known = privacy.devices_of_listener(session, handles.settings, listener)
                listeners.delete_listener(session, listener_id)
                session.commit()
            # Devices that came while the others were erased; none can come any more.
            later = set(now_known) - set(wanted)
            privacy.erase_devices(worker, handles.engine, handles.log, handles.archive, sorted(later))
    typer.echo("Erased from store, log and archive. What was counted stays, without a device.")
