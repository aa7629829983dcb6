"""The expectation on disk, so that it can be compared with the server again later."""

import json
from pathlib import Path
from typing import Any

from seed.calls import SeedError

EXPECTED = "seed-expected.json"
"""In EARSHOT_HOME."""


def write_expected(home: Path, report: dict[str, Any]) -> None:
    """Replace the file in one step."""
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f"{EXPECTED}.new"
    draft.write_text(json.dumps(report, indent=1))
    draft.replace(home / EXPECTED)


def read_expected(home: Path) -> dict[str, Any]:
    """What the last seeding expects."""
    path = home / EXPECTED
    if not path.exists():
        raise SeedError(f"{path} is not there: run `earshot seed` with this EARSHOT_HOME first.")
    report: dict[str, Any] = json.loads(path.read_text())
    return report
