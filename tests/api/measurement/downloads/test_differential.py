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
from tests.api.measurement.downloads.oracle import Counts, Request
from tests.api.measurement.downloads.traffic import Episode, Line
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
def expected(window: str) -> Counts:
    """What the oracle makes of them."""
    requests = oracle.merged([traffic.requests_of(lines) for lines in logs()])
    return oracle.count(requests, window, traffic.EXCESS_CAP)


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
    files = written(tmp_path)
    import_logs(processes, window, files)
    assert_same(engine, window)
    # A second time, in another order: all of it is known.
    import_logs(processes, window, files[::-1])
    assert_same(engine, window)


def test_the_traffic_has_every_outcome() -> None:
    wanted = {"not_get", "status", "bot", "datacenter", "watch", "probe", "referrer", "excess", "short", "duplicate"}
    assert {outcome for _, _, outcome in expected("calendar").outcomes} == wanted | {"download"}


def test_the_windows_differ() -> None:
    assert len({expected(window).downloads for window in oracle.WINDOWS}) == len(oracle.WINDOWS)


def test_the_catalogue_has_every_kind_of_file(episodes: list[Episode] = EPISODES) -> None:
    files = [file for episode in episodes for _, file in episode.versions]
    assert {file.bytes == 0 for file in files} == {True, False}
    assert {oracle.threshold(file) == file.bytes for file in files if file.bytes} == {True, False}
    assert any(len(episode.versions) > 1 for episode in episodes)
    assert isinstance(traffic.requests_of(logs()[0])[0], Request)
