"""Whose shows the demo's are: an account that is there already, or one made for the purpose."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from seed.calls import SeedError

DEMO_ACCOUNTS = "demo-accounts.json"
"""In EARSHOT_HOME, written by `earshot up`: role -> email, password, api_key."""
OWN_ACCOUNT = "seed-creator.json"
"""The same, written here when there was no such file."""
OWN_EMAIL = "seed-creator@example.com"
OWN_BUYERS = "seed-buyers.json"
"""An admin and an advertiser, for the demo's campaigns, written here when there were none."""
BUYERS = ("admin", "advertiser")


def find_creator(home: Path, accounts: Path | None) -> dict[str, Any] | None:
    """The creator's credentials from the named file or the usual ones; None when there is none yet."""
    if accounts is not None:
        return _read(accounts)
    for name in (DEMO_ACCOUNTS, OWN_ACCOUNT):
        if (home / name).exists():
            return _read(home / name)
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        creator: dict[str, Any] = json.loads(path.read_text())["creator"]
        if not isinstance(creator["api_key"], str):
            raise TypeError("api_key")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SeedError(f'{path} must be JSON with {{"creator": {{"api_key": "..."}}}}: {error!r}') from error
    return creator


def make_creator(home: Path) -> dict[str, Any]:
    """Add a creator as `earshot users add` does, and keep the credentials in `home`, readable by its owner only."""
    creator = _make_account(OWN_EMAIL, "creator")
    _keep(home / OWN_ACCOUNT, {"creator": creator})
    return creator


def find_buyers(home: Path, accounts: Path | None) -> dict[str, Any] | None:
    """Credentials of an admin and an advertiser, by role, from the named file or the usual ones; None when it has
    them not."""
    for path in [home / DEMO_ACCOUNTS, home / OWN_BUYERS] if accounts is None else [accounts]:
        known = json.loads(path.read_text()) if path.exists() else {}
        if all(role in known for role in BUYERS):
            return {role: known[role] for role in BUYERS}
    return None


def make_buyers(home: Path) -> dict[str, Any]:
    """Add an admin and an advertiser, and keep their credentials in `home`, readable by its owner only."""
    buyers = {role: _make_account(f"seed-{role}@example.com", role) for role in BUYERS}
    _keep(home / OWN_BUYERS, buyers)
    return buyers


def _make_account(email: str, role: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "api", "users", "add", email, "--role", role, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - all of it is constant
    if done.returncode != 0:
        raise SeedError(f"No {role} account could be made; `earshot users add` said: {done.stderr or done.stdout}")
    account: dict[str, Any] = json.loads(done.stdout)
    return account


def _keep(path: Path, accounts: dict[str, Any]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(accounts, file, indent=2)
