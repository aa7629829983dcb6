"""`earshot holds`; imports are late so that `--help` is quick."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value, for programs.")]
holds = typer.Typer(no_args_is_help=True, help="What fraud rules hold back from payment (docs/fraud.md).")
HoldId = Annotated[str, typer.Argument(metavar="HOLD", help="Its id, as `earshot holds list` shows it.")]
HoldReason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit trail, and shown to the creator.")]
DecidingAdmin = Annotated[str, typer.Option("--by", metavar="EMAIL", help="The admin who decides.")]


@holds.command("scan")
def scan_holds(
    first: Annotated[
        str, typer.Option("--from", metavar="DAY", help="First UTC day, YYYY-MM-DD; two months back if absent.")
    ] = "",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Last UTC day; today if absent.")] = "",
    as_json: AsJson = False,
) -> None:
    """Look for fraud now, and say how much is flagged."""
    from api.payouts import hold_commands

    hold_commands.scan(first, last, as_json=as_json)


@holds.command("list")
def list_holds(
    state: Annotated[str, typer.Option(help="Only holds in this state: open, released or void.")] = "",
    as_json: AsJson = False,
) -> None:
    """List what was found."""
    from api.payouts import hold_commands

    hold_commands.show_all(state, as_json=as_json)


@holds.command("release")
def release_hold(hold: HoldId, reason: HoldReason, by: DecidingAdmin) -> None:
    """Let what a hold flags be paid."""
    from api.payouts import hold_commands
    from models.advertising import HoldState

    hold_commands.decide(hold, HoldState.RELEASED, reason, by)


@holds.command("void")
def void_hold(hold: HoldId, reason: HoldReason, by: DecidingAdmin) -> None:
    """Refuse payment of what a hold flags."""
    from api.payouts import hold_commands
    from models.advertising import HoldState

    hold_commands.decide(hold, HoldState.VOID, reason, by)
