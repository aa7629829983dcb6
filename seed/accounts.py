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
    command = [sys.executable, "-m", "api", "users", "add", OWN_EMAIL, "--role", "creator", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - all of it is constant
    if done.returncode != 0:
        raise SeedError(f"No creator account could be made; `earshot users add` said: {done.stderr or done.stdout}")
    creator: dict[str, Any] = json.loads(done.stdout)
    descriptor = os.open(home / OWN_ACCOUNT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"creator": creator}, file, indent=2)
    return creator
