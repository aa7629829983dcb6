"""The `earshot` command. Each subject adds its own commands; imports are late so that `--help` is quick."""

import typer

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Earshot: podcast hosting and honest listening numbers."
)


@app.command()
def migrate() -> None:
    """Bring the store to the newest schema."""
    from api.settings import Settings
    from models.engine import make_engine
    from models.migrate import migrate as run

    is_changed = run(make_engine(Settings().resolved_store_url()))
    typer.echo("The store was migrated." if is_changed else "The store is up to date.")


@app.command()
def serve(port: int | None = None, host: str | None = None, workers: int = 1) -> None:
    """Run the API."""
    from api.serving import serve as run

    run(host=host, port=port, workers=workers)


@app.command()
def worker(once: bool = typer.Option(False, "--once", help="Fold what is in the log, then exit.")) -> None:
    """Fold the event log into playbacks and rollups."""
    from api.measurement.worker import main as run

    run(once=once)


def main() -> None:
    """Entry point."""
    app()
