"""The fraud rules on the demo's honest listeners, and on cheats among them: real processes, real HTTP."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from api.cli import app
from models.engine import make_engine
from tests.conftest import Processes

FARM_RULES = {"crowd_from_network", "identical_coverage", "listen_spike", "no_delivery"}
COUNTS = "SELECT sum(starts), sum(listens), sum(heard_seconds) FROM episode_day"


@dataclass
class Town:
    """A demo whose listeners register from addresses of their own, and where some cheat."""

    processes: Processes
    url: str
    engine: Engine

    def run(self, *arguments: str) -> Any:
        """`earshot ARGUMENTS --json`."""
        done = CliRunner().invoke(app, [*arguments, "--json"], env=self.processes.environment())
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def cheat(self, kind: str) -> set[bytes]:
        """Cheat, and wait until it is counted; the devices that had a part in it."""
        done = self.run("seed", "--fraud", kind, "--api-url", self.url)
        return {UUID(device).bytes for device in done["devices"]}

    def flagged(self) -> dict[str, set[bytes]]:
        """Rule -> devices."""
        found: dict[str, set[bytes]] = {}
        with self.engine.connect() as connection:
            rows = connection.execute(
                text("SELECT h.rule, p.device FROM held_playback p JOIN hold h ON h.id = p.hold_id")
            )
            for rule, device in rows:
                found.setdefault(rule, set()).add(bytes(device))
        return found

    def counts(self) -> tuple[int, ...]:
        """Starts, listens and seconds, of all."""
        with self.engine.connect() as connection:
            return tuple(int(number) for number in connection.execute(text(COUNTS)).one())

    def held(self) -> int:
        """Listens that are kept back."""
        with self.engine.connect() as connection:
            statement = "SELECT sum(number) FROM held_day WHERE kind = 'listens'"
            return int(connection.execute(text(statement)).scalar_one() or 0)


@pytest.fixture
def town(processes: Processes) -> Iterator[Town]:
    url, _ = processes.serve(EARSHOT_TRUSTED_PROXIES="127.0.0.1")
    processes.start("worker")
    engine = make_engine(processes.store_url)
    found = Town(processes, url, engine)
    size = "small" if engine.dialect.name == "sqlite" else "tiny"
    found.run("seed", "--size", size, "--seed", "3", "--api-url", url)
    yield found
    engine.dispose()


def test_cheats_are_caught_by_their_rules_and_honest_listeners_left_alone(town: Town) -> None:
    honest = town.run("holds", "scan")
    assert honest["playbacks"] > 300
    assert honest["consumer_days"] > 1000
    _report("honest traffic", honest, town.flagged(), set())
    assert sum(flagged["playbacks"] for flagged in honest["flagged"].values()) <= honest["playbacks"] / 100
    before = town.counts()

    farm = town.cheat("farm")
    assert town.counts()[:2] == (before[0] + 2000, before[1] + 2000)
    found = _look(town, "farm", farm)
    for rule in ("crowd_from_network", "identical_coverage"):
        assert farm <= found[rule], rule
    for rule in ("listen_spike", "no_delivery"):  # these hold what is too much, and leave what is usual
        assert len(farm & found[rule]) > 500, rule
    assert set(found) == FARM_RULES

    before = town.counts()
    clones = town.cheat("clone")
    assert town.counts()[:2] == (before[0] + 10, before[1] + 10)
    assert _look(town, "clone", farm | clones)["forked_log"] == clones

    before = town.counts()
    replayed = town.cheat("replay")
    assert town.counts() == (before[0] + 21, before[1] + 21, before[2] + 21 * 95), "the first is one, however often"
    broken = _look(town, "replay", farm | clones | replayed)["broken_log"]
    assert broken < replayed
    assert len(broken) == 20, "the log's own device may send it as often as it likes"


def _look(town: Town, kind: str, cheats: set[bytes]) -> dict[str, set[bytes]]:
    """Scan, twice; what is flagged. No count changes, and few honest listeners are held with the cheats."""
    before = town.counts()
    scanned = town.run("holds", "scan")
    assert town.counts() == before
    found = town.flagged()
    _report(kind, scanned, found, cheats)
    honest = set().union(*found.values()) - cheats
    assert len(honest) <= scanned["playbacks"] / 100
    held = town.held()
    again = town.run("holds", "scan")
    assert again["new_holds"] == 0
    assert again["newly_flagged"] == {"playbacks": 0, "downloads": 0}
    assert town.held() == held
    return found


def _report(what: str, scanned: Any, found: dict[str, set[bytes]], cheats: set[bytes]) -> None:
    """Say how many honest devices are flagged: printed with `pytest -s`, and when the test fails."""
    wrong = Counter({rule: len(devices - cheats) for rule, devices in found.items()})
    honest = set().union(*found.values()) - cheats
    by_rule = ", ".join(f"{rule} {number}" for rule, number in sorted(wrong.items())) or "none"
    print(
        f"\n{what}: {scanned['playbacks']:,} playbacks, {scanned['consumer_days']:,} consumers' days; honest devices "
        f"flagged: {len(honest)} ({by_rule}); "
        f"false positives {100 * len(honest) / scanned['playbacks']:.3f} % of playbacks"
    )


def test_an_unknown_cheat_is_named(processes: Processes) -> None:
    arguments = ["seed", "--fraud", "magic", "--api-url", "http://127.0.0.1:9"]
    done = CliRunner().invoke(app, arguments, env=processes.environment())
    assert done.exit_code == 1
    assert "farm, clone, replay" in done.stderr
