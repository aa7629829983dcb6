"""`earshot explain`."""

import json
from dataclasses import asdict
from datetime import date

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from api.measurement.explaining import ExplainedHit, Explanation
from api.measurement.explaining import explain as explain_hits
from api.measurement.load import find_episode_id
from api.measurement.rules import OUTCOMES
from api.settings import Settings
from models.engine import make_engine, read_only
from models.migrate import is_current

DEFAULT_HITS = 20


def explain(episode: str, day: str, *, hit: str, outcome: str, hits: int, as_json: bool) -> None:
    """Print why an episode's hits of a day counted or not."""
    try:
        parsed = date.fromisoformat(day)
    except ValueError as error:
        raise _fail(f"{day!r} is no day. Days are written YYYY-MM-DD.", 2) from error
    if outcome not in {"", *OUTCOMES}:
        raise _fail(f"No hit comes to {outcome!r}. The outcomes are: {', '.join(OUTCOMES)}.", 2)
    engine = make_engine(Settings().resolved_store_url())
    try:
        if not is_current(engine):
            raise _fail("The store's schema is not the newest. Run `earshot migrate` first.")
        with read_only(engine).connect() as connection:
            found = explain_hits(connection, _episode(connection, episode), parsed)
    finally:
        engine.dispose()
    chosen = _chosen(found, hit, outcome, hits or (DEFAULT_HITS if outcome else 0))
    if as_json:
        typer.echo(json.dumps(_to_json(found, chosen)))
    elif hit:
        _print_hit(chosen[0])
    else:
        _print_outcomes(found)
        _print_hits(chosen)


def _fail(message: str, code: int = 1) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(code)


def _episode(connection: Connection, name: str) -> int:
    number = find_episode_id(connection, name)
    if number is None:
        raise _fail(f"There is no episode with the id, GUID or address {name!r}.")
    return number


def _chosen(found: Explanation, hit: str, outcome: str, most: int) -> list[ExplainedHit]:
    if hit:
        chosen = found.find(hit)
        if chosen is None:
            raise _fail(f"There is no hit {hit!r} on that day. `--hits 100` lists hits with their ids.")
        return [chosen]
    return found.some(outcome, most=most)


def _to_json(found: Explanation, chosen: list[ExplainedHit]) -> dict[str, object]:
    hits = [asdict(hit) | {"at": hit.at.isoformat()} for hit in chosen]
    rules = {"window": found.rules.window, "excess_cap": found.rules.excess_cap}
    return {**rules, "total": found.total, "outcomes": found.outcomes, "hits": hits}


def _print_outcomes(found: Explanation) -> None:
    table = Table(title=f"{found.total:,} hits, window {found.rules.window.replace('_', ' ')}", title_justify="left")
    table.add_column("Outcome")
    table.add_column("Hits", justify="right")
    table.add_column("Share", justify="right")
    for outcome, hits in found.outcomes.items():
        table.add_row(outcome, f"{hits:,}", f"{100 * hits / found.total:.1f} %")
    Console().print(table if found.total else "Nobody asked for this episode on that day.")


def _print_hits(hits: list[ExplainedHit]) -> None:
    if not hits:
        return
    table = Table()
    for title in ("Hit", "Time", "App", "Country", "Request", "Bytes", "Outcome"):
        table.add_column(title, justify="right" if title == "Bytes" else "left", overflow="fold")
    for hit in hits:
        about = (hit.app or "unknown", hit.country or "unknown", f"{hit.method} {hit.status:03d}")
        table.add_row(hit.id, f"{hit.at:%H:%M:%S}", *about, f"{hit.sent_bytes:,}", hit.outcome)
    Console().print(table)


def _print_hit(hit: ExplainedHit) -> None:
    part = "unknown part" if hit.first_byte is None else f"bytes {hit.first_byte:,} to {hit.end_byte:,}"
    title = f"{hit.at:%Y-%m-%d %H:%M:%S} UTC, {hit.method} {hit.status:03d}, {part}: {hit.outcome}"
    table = Table(title=title, title_justify="left")
    for column in ("Rule", "Clause", "Verdict", "Detail"):
        table.add_column(column)
    for step in hit.path:
        table.add_row(step.rule, step.clause, step.verdict, step.detail)
    Console().print(table)
