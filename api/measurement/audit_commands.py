"""`earshot audit`."""

import json
from datetime import date
from pathlib import Path

import typer
from sqlmodel import Session

from api import clock
from api.hits.networks import ListError
from api.measurement.audit import Audit, default_period, make_audit
from api.measurement.audit_report import to_json, to_markdown
from api.settings import Settings
from models.engine import make_engine
from models.migrate import is_current
from models.periods import Period


def parse_period(first: str, last: str, today: date) -> Period:
    """The days of `--from` and `--to`; without them, the half year that ended yesterday. Raises ValueError."""
    usual = default_period(date.fromisoformat(last)) if last else default_period(today)
    return Period(date.fromisoformat(first) if first else usual.first, date.fromisoformat(last) if last else usual.last)


def audit(*, first: str, last: str, output: Path | None, as_json: bool) -> None:
    """Read the store, and print or write the report."""
    now = clock.now()
    try:
        period = parse_period(first, last, now.date())
    except ValueError as error:
        typer.echo(f"Days are written YYYY-MM-DD, and --from is not after --to: {error}", err=True)
        raise typer.Exit(2) from error
    found = _read(period)
    text = (
        json.dumps(to_json(found), default=lambda day: day.isoformat(), indent=2)
        if as_json
        else to_markdown(found).rstrip()
    )
    if output is None:
        typer.echo(text)
        return
    try:
        output.write_text(f"{text}\n")
    except OSError as error:
        typer.echo(f"{output} cannot be written: {error.strerror}. Give another file with --output.", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"Written to {output}: {found.hits:,} hits, {found.downloads:,} downloads.")


def _read(period: Period) -> Audit:
    settings = Settings()
    engine = make_engine(settings.resolved_store_url())
    if not is_current(engine):
        typer.echo("The store's schema is not the newest. Run `earshot migrate` first.", err=True)
        raise typer.Exit(1)
    try:
        with Session(engine) as session:
            return make_audit(session, settings, period, clock.now())
    except ListError as error:
        typer.echo(f"EARSHOT_INCLUSIONS: {error}", err=True)
        raise typer.Exit(1) from error
    finally:
        engine.dispose()
