"""A hundred thousand random log lines through the product, from files to rollups, and through the brute-force count."""

import json
import random
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from api.hits.lookup import make_classifier
from api.settings import Settings
from tests.api.measurement.downloads import oracle, product, traffic
from tests.api.measurement.downloads.oracle import Counts, File, Request
from tests.api.measurement.downloads.traffic import Line
from tests.conftest import Processes

EPISODES = traffic.make_episodes(20)
LINES_WITH_RANGE = 75_000
LINES_WITHOUT = 25_000


@cache
def logs() -> list[list[Line]]:
    """Five overlapping files: three of a server that logs the Range, two of one that does not."""
    classifier = make_classifier(Settings(home=Path("nowhere")))

    def describe(user_agent: str) -> tuple[str, str]:
        facts = classifier.agent(user_agent)
        return facts.app, facts.device_class

    source = traffic.Traffic(20_250, EPISODES, describe)
    with_range = source.lines(LINES_WITH_RANGE, has_range=True)
    without = source.lines(LINES_WITHOUT, has_range=False)
    chance = random.Random(20_250)
    return [*traffic.split(chance, with_range, 3), *traffic.split(chance, without, 2)]


@cache
def requests() -> list[Request]:
    """What all files together ask for."""
    return oracle.merged([traffic.requests_of(lines) for lines in logs()])


@cache
def expected(window: str) -> Counts:
    """What the oracle makes of them."""
    return oracle.count(requests(), window, traffic.EXCESS_CAP)


def import_logs(processes: Processes, window: str, files: list[Path]) -> dict[str, Any]:
    """What `earshot import-logs` says it did."""
    lists = {"EARSHOT_INCLUSIONS": traffic.INCLUSIONS, "EARSHOT_DATACENTERS": traffic.DATACENTERS}
    for name, text in lists.items():
        (processes.home / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "api", "import-logs", "--json", *map(str, files)],
        env=processes.environment(
            EARSHOT_DOWNLOAD_WINDOW=window,
            EARSHOT_EXCESS_CAP=str(traffic.EXCESS_CAP),
            **{name: str(processes.home / name) for name in lists},
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def written(folder: Path) -> list[Path]:
    """The files; some packed."""
    names = ["edge-1.log", "edge-2.log.gz", "edge-3.log", "plain-1.log.gz", "plain-2.log"]
    return [traffic.write(folder / name, lines) for name, lines in zip(names, logs(), strict=True)]


def assert_same(engine: Engine, window: str) -> None:
    """The product has counted what the oracle counts."""
    found, wanted = product.counts(engine), expected(window)
    assert found.outcomes == wanted.outcomes
    assert found.hours == wanted.hours
    assert found.splits == wanted.splits
    assert product.sent_by_day(found) == product.sent_by_day(wanted)


@pytest.mark.parametrize("window", oracle.WINDOWS)
def test_imported_logs_are_counted_as_the_oracle_counts_them(
    processes: Processes, engine: Engine, tmp_path: Path, window: str
) -> None:
    product.publish(engine, EPISODES)
    report = import_logs(processes, window, written(tmp_path))
    assert_same(engine, window)
    assert report["downloads"] == expected(window).downloads
    # The same lines in another order are another file, and all of them are known.
    again = import_logs(processes, window, [traffic.write(tmp_path / "again.log.gz", logs()[0][::-1])])
    assert (again["downloads"], again["known"]) == (0, len(traffic.requests_of(logs()[0])))
    assert again["causes"].keys() <= {"unknown_episode", "not_audio"}
    assert_same(engine, window)


def test_the_traffic_has_every_outcome() -> None:
    wanted = {"not_get", "status", "bot", "datacenter", "watch", "probe", "referrer", "excess", "short", "duplicate"}
    assert {outcome for _, _, outcome in expected("calendar").outcomes} == wanted | {"download"}


oracle_network, oracle_threshold = oracle.network, oracle.threshold


def never(*_: object) -> None:
    """No cause, no range, no threshold."""


def threshold_of_second_versions(file: File) -> int | None:
    """As if a replaced recording needed nothing."""
    return 0 if file.name == "second" else oracle_threshold(file)


MUTATIONS: dict[str, tuple[str, object]] = {
    "a day is a second longer": ("DAY_MS", traffic.DAY_MS + 1000),
    "keys never rotate": ("ROTATION_DAYS", 1 << 30),
    "IPv6 is cut to /60": ("network", lambda ip: oracle_network(ip).replace("::/64", "")[:-1] if ":" in ip else ip),
    "nothing is too much": ("excessive", lambda *_: set()),
    "no cause is looked for": ("static_cause", never),
    "nothing has a threshold": ("threshold", lambda _: 0),
    "parts are added up": ("union", lambda parts: sum(end - first for first, end in parts)),
    "no part has a place": ("single_range", never),
    "a replaced recording needs nothing": ("threshold", threshold_of_second_versions),
}


@pytest.mark.parametrize("rule", MUTATIONS)
def test_the_traffic_notices_when_a_rule_is_another(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = expected("first_touch").outcomes
    monkeypatch.setattr(oracle, *MUTATIONS[rule])
    assert oracle.count(requests(), "first_touch", traffic.EXCESS_CAP).outcomes != wanted
