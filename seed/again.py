"""Sending the last set a second time, from the same devices: what every phone does that never saw an answer."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx2

from seed.audience import Listener
from seed.calls import SeedError
from seed.catalogue import Show, make_catalogue
from seed.files import read_expected
from seed.sender import Account, Sender, Sending

DEVICES = "seed-devices.json"
"""In EARSHOT_HOME; readable by its owner only, for it has the devices' tokens."""


def write_accounts(home: Path, accounts: dict[int, Account]) -> None:
    """Keep what the server said to the listeners of the last set."""
    path = home / DEVICES
    path.touch(mode=0o600)
    path.write_text(json.dumps({number: asdict(account) for number, account in sorted(accounts.items())}))


def read_accounts(home: Path) -> dict[int, Account]:
    """The opposite. Raises SeedError."""
    path = home / DEVICES
    if not path.exists():
        raise SeedError(f"{path} is not there: run `earshot seed` with this EARSHOT_HOME first.")
    return {int(number): Account(**account) for number, account in json.loads(path.read_text()).items()}


def read_shows(report: dict[str, Any]) -> list[Show]:
    """The shows of the last set, with the server's ids."""
    ids = {episode["name"]: episode["id"] for show in report["shows"] for episode in show["episodes"]}
    shows = make_catalogue(report["seed"], date.fromisoformat(report["today"]))
    return [
        Show(show.text, tuple(replace(episode, id=ids[episode.name]) for episode in show.episodes)) for show in shows
    ]


async def send_again(
    http: httpx2.AsyncClient,
    home: Path,
    connections: int,
    *,
    should_stop: Callable[[], bool],
    on_progress: Callable[[Sending, int], None],
) -> Sending:
    """Send every listener's whole log once more. `on_progress` is told what was sent, and of how many listeners."""
    report = read_expected(home)
    if not report["is_complete"]:
        raise SeedError("The last seeding was interrupted, so there is no whole set to send again.")
    accounts = read_accounts(home)
    sender = Sender(
        http,
        read_shows(report),
        date.fromisoformat(report["today"]),
        should_stop=should_stop,
        on_progress=lambda sending: on_progress(sending, len(accounts)),
        accounts=accounts,
    )
    return await sender.run((Listener(report["seed"], number) for number in sorted(accounts)), connections)
