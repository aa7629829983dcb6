"""The `earshot` command. Each subject adds its own commands; imports are late so that `--help` is quick."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli_holds import holds
from api.cli_payouts import payouts
from api.cli_seed import seed

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Earshot: podcast hosting and honest listening numbers.",
)
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Instead of the one in the settings.")]
Host = Annotated[str | None, typer.Option(help="The address to listen on; 127.0.0.1 unless set.")]


@app.command()
def migrate() -> None:
    """Bring the store to the newest schema."""
    from api.settings import Settings
    from models.engine import make_engine
    from models.migrate import migrate as run

    is_changed = run(make_engine(Settings().resolved_store_url()))
    typer.echo("The store was migrated." if is_changed else "The store is up to date.")


@app.command()
def serve(
    port: Port = None,
    host: Host = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the port, the log and the store.")] = 1,
) -> None:
    """Run the API."""
    from api.serving import serve as run

    run(host=host, port=port, workers=workers)


@app.command()
def worker(once: bool = typer.Option(False, "--once", help="Fold what is in the log, then exit.")) -> None:
    """Fold the event log into playbacks and rollups."""
    from api.measurement.worker import main as run

    run(once=once)


@app.command()
def recount(
    first: Annotated[
        str, typer.Option("--from", metavar="DAY", help="First UTC day, YYYY-MM-DD; all days if absent.")
    ] = "",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Last UTC day.")] = "",
    apply: Annotated[
        bool, typer.Option("--apply", help="Put the rebuilt rows in the place of those that differ.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value, for programs.")] = False,
) -> None:
    """Rebuild all counts from log and archive, and compare them row by row with those in the store."""
    from api.measurement import commands

    commands.recount(first=first, last=last, apply=apply, as_json=as_json)


@app.command()
def explain(
    episode: Annotated[str, typer.Argument(metavar="EPISODE", help="An episode's id or GUID.")],
    day: Annotated[str, typer.Argument(metavar="DAY", help="A UTC day, YYYY-MM-DD.")],
    hit: Annotated[str, typer.Option("--hit", metavar="ID", help="One hit: the rules that it went through.")] = "",
    outcome: Annotated[str, typer.Option("--outcome", help="List the hits with this outcome, for example short.")] = "",
    hits: Annotated[int, typer.Option("--hits", min=0, help="List so many hits.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value, for programs.")] = False,
) -> None:
    """Say for every hit of an episode on a day why it counted or not."""
    from api.measurement import explain_commands

    explain_commands.explain(episode, day, hit=hit, outcome=outcome, hits=hits, as_json=as_json)


@app.command()
def audit(
    first: Annotated[
        str, typer.Option("--from", metavar="DAY", help="First UTC day, YYYY-MM-DD; half a year back if absent.")
    ] = "",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Last UTC day; yesterday if absent.")] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A file to write instead of printing.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON value, for programs.")] = False,
) -> None:
    """Report on the counting of downloads, for the review that IAB asks for twice a year (docs/counting.md)."""
    from api.measurement import audit_commands

    audit_commands.audit(first=first, last=last, output=output, as_json=as_json)


privacy = typer.Typer(no_args_is_help=True, help="What is held of one device or listener: export it, or erase it.")
app.add_typer(privacy, name="privacy")

DeviceId = Annotated[str, typer.Option("--device", metavar="ID", help="A device's id.")]
WhichListener = Annotated[str, typer.Option("--listener", metavar="NAME", help="A listener's user name.")]


@privacy.command("export")
def export_privacy(
    device: DeviceId = "",
    listener: WhichListener = "",
    output: Annotated[
        Path | None, typer.Option(help="A file to write instead of printing; only you can read it.")
    ] = None,
) -> None:
    """All that store, log and archive hold of a device or a listener, as JSON."""
    from api import privacy_commands

    privacy_commands.export(device=device, listener=listener, output=output)


@privacy.command("erase")
def erase_privacy(
    device: DeviceId = "",
    listener: WhichListener = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a device or a listener from store, log and archive. Totals stay as they are."""
    from api import privacy_commands

    privacy_commands.erase(device=device, listener=listener, yes=yes)


users = typer.Typer(no_args_is_help=True, help="People who sign in: creators, advertisers, admins.")
app.add_typer(users, name="users")

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The e-mail address that the user signs in with.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value, for programs.")]


@users.command("add")
def add_user(
    email: Email,
    role: Annotated[str, typer.Option(help="creator, advertiser or admin.")],
    name: Annotated[str, typer.Option(help="The name that others see.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a user, with a random password and API key that are shown this once."""
    from api.accounts import commands

    commands.add(email, role, name, as_json=as_json)


@users.command("list")
def list_users(as_json: AsJson = False) -> None:
    """List everyone."""
    from api.accounts import commands

    commands.show_all(as_json=as_json)


@users.command("password")
def renew_password(email: Email, as_json: AsJson = False) -> None:
    """Give a user a new random password, and sign them out everywhere."""
    from api.accounts import commands

    commands.renew_password(email, as_json=as_json)


@users.command("key")
def renew_key(email: Email, as_json: AsJson = False) -> None:
    """Give a user a new API key; the old one stops working."""
    from api.accounts import commands

    commands.renew_key(email, as_json=as_json)


@users.command("disable")
def disable_user(email: Email) -> None:
    """Lock a user out at once. Their shows stay."""
    from api.accounts import commands

    commands.disable(email)


listeners = typer.Typer(no_args_is_help=True, help="People who listen, and sync their podcast apps here.")
app.add_typer(listeners, name="listeners")

ListenerName = Annotated[str, typer.Argument(metavar="NAME", help="The name that the listener signs in with.")]


@listeners.command("add")
def add_listener(name: ListenerName, as_json: AsJson = False) -> None:
    """Add a listener, with a random password that is shown this once."""
    from api.sync.gpodder import commands

    commands.add(name, as_json=as_json)


@listeners.command("list")
def list_listeners(as_json: AsJson = False) -> None:
    """List everyone."""
    from api.sync.gpodder import commands

    commands.show_all(as_json=as_json)


@listeners.command("password")
def renew_listener_password(name: ListenerName, as_json: AsJson = False) -> None:
    """Give a listener a new random password, and sign their apps out."""
    from api.sync.gpodder import commands

    commands.renew_password(name, as_json=as_json)


@listeners.command("remove")
def remove_listener(name: ListenerName) -> None:
    """Remove a listener with all that their apps kept here. What was counted stays."""
    from api.sync.gpodder import commands

    commands.remove(name)


app.add_typer(holds, name="holds")
app.add_typer(payouts, name="payouts")


@app.command("import-logs")
def import_logs(
    files: Annotated[list[str], typer.Argument(metavar="FILES...", help="Access logs, plain, gz or zst; - is stdin.")],
    format_name: Annotated[
        str,
        typer.Option("--format", help="auto, combined, common, cloudfront, cloudfront_json, json, s3 or log_format."),
    ] = "auto",
    log_format: Annotated[
        str, typer.Option("--log-format", metavar="TEXT", help="nginx's log_format, or Apache's LogFormat.")
    ] = "",
    field: Annotated[
        list[str] | None, typer.Option("--field", metavar="COLUMN=KEY", help="For JSON with names of its own.")
    ] = None,
    pattern: Annotated[
        list[str] | None,
        typer.Option("--pattern", metavar="PATH", help="How paths name episodes: {guid}, {id} or {file}, and *."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value, for programs.")] = False,
) -> None:
    """Count downloads from access logs. The same lines twice change nothing; interrupted, it goes on where it was."""
    from api import import_commands

    import_commands.import_logs(
        files,
        format_name=format_name,
        log_format=log_format,
        fields=field or [],
        patterns=pattern or [],
        as_json=as_json,
    )


@app.command("import-feed")
def import_feed(
    source: Annotated[str, typer.Argument(metavar="FILE_OR_URL", help="An RSS feed.")],
    owner: Annotated[
        str, typer.Option(metavar="EMAIL", help="Whose show it is; need not be said when only one user could be.")
    ] = "",
    feed_url: Annotated[
        str, typer.Option(metavar="URL", help="Where the feed is, for a file that does not say so itself.")
    ] = "",
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Also from addresses that are not on the public Internet.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make, or renew, the catalogue of a show that is hosted elsewhere, so that its access logs can be counted."""
    from api.publishing import feed_commands

    feed_commands.import_one(
        source=source, owner=owner, feed_url=feed_url, is_private_allowed=allow_private, as_json=as_json
    )


@app.command()
def dashboard(port: Port = None, host: Host = None) -> None:
    """Run the dashboard."""
    from api.serving import serve_dashboard as run

    run(host=host, port=port)


@app.command()
def up(
    demo: Annotated[bool, typer.Option(help="Fill an empty store with demo accounts, shows and listeners.")] = True,
) -> None:
    """Run everything: migrate, start API, worker and dashboard, wait until they answer."""
    from api.running import up as run

    raise typer.Exit(run(is_demo_wanted=demo))


app.command()(seed)

webhooks = typer.Typer(no_args_is_help=True, help="Telling other programs what happened (docs/webhooks.md).")
app.add_typer(webhooks, name="webhooks")


@webhooks.command("list")
def list_webhooks(as_json: AsJson = False) -> None:
    """Everybody's webhooks, whether they work, and how many deliveries wait or failed."""
    from api import webhook_commands

    webhook_commands.show_all(as_json=as_json)


@webhooks.command("replay")
def replay_webhook(
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="The delivery's id.")], as_json: AsJson = False
) -> None:
    """Send an event to a webhook once more, under the same webhook-id."""
    from api import webhook_commands

    webhook_commands.replay(delivery, as_json=as_json)


@app.command()
def conformance(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the server is, as http://127.0.0.1:8000.")],
    api_key: Annotated[
        str,
        typer.Option(envvar="EARSHOT_API_KEY", help="A creator's, to try what is counted; makes a show, deletes it."),
    ] = "",
    wait: Annotated[float, typer.Option(min=0.1, help="Seconds that counting a batch may take.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Try the sync protocol on any server, and say which requirements it meets (docs/sync-protocol.md)."""
    from importlib import import_module

    commands = import_module("conformance.commands")  # by name: the suite is a client and knows nothing of the service
    commands.try_server(url=url, api_key=api_key, wait_seconds=wait, as_json=as_json)


def main() -> None:
    """Entry point. What an operator can mend is said in a line, not in a traceback."""
    from pydantic import ValidationError
    from sqlalchemy.exc import ArgumentError, OperationalError

    try:
        app()
    except ValidationError as error:
        wrong = [f"EARSHOT_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}." for e in error.errors()]
        raise SystemExit("A setting cannot be used. " + " ".join(wrong)) from None
    except ArgumentError as error:
        raise SystemExit(f"EARSHOT_STORE_URL cannot be used: {error}") from None
    except OperationalError as error:
        raise SystemExit(f"The store does not answer: {str(error.orig).strip()}") from None
