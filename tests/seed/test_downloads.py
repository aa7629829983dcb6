"""The demo's downloads around the command line: left out, refused, and compared with the API's numbers."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import httpx2
import pytest

from seed import downloads
from seed.access_log import ACCESS_LOG
from seed.calls import SeedError
from seed.check_downloads import find_differences
from tests.conftest import Processes
from tests.seed.test_seed import seed

COUNTING = {"window": "calendar", "excess_cap": 1000}
EXPECTED = {
    **COUNTING,
    "first": "2026-09-24",
    "last": "2026-09-25",
    "by_episode_day": [
        {"episode": "stars/1", "day": "2026-09-24", "outcomes": {"download": 3, "short": 1}},
        {"episode": "stars/1", "day": "2026-09-25", "outcomes": {"download": 1}},
    ],
    "by_show": {
        "stars": {
            "app": {"Overcast": 3, "": 1},
            "device": {"phone": 4},
            "country": {"DE": 4},
            "consumers": {"2026-09-24": [3, 3, 3], "2026-09-25": [1, 4, 5000]},
        }
    },
}
REPORT = {
    "shows": [{"id": "s1", "title": "Stars", "episodes": [{"name": "stars/1", "id": "e1"}]}],
    "downloads": EXPECTED,
}


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One engine is enough here: the numbers are compared on each in test_seed.py."""
    return sqlite_url


def answers() -> dict[str, dict[str, Any]]:
    """What an API says that counted all as expected; by path, and by what its rows stand for."""
    splits = {
        "app": [("Overcast", 3), (None, 1)],
        "device": [("phone", 4)],
        "country": [("DE", 4)],
        "day": [("2026-09-24", 3), ("2026-09-25", 1)],
    }
    found: dict[str, dict[str, Any]] = {
        f"/v1/shows/s1/downloads {by}": {"rows": [{by: value, "downloads": count} for value, count in rows]}
        for by, rows in splits.items()
    }
    found["/v1/episodes/e1/hits day"] = {"rows": [{"outcome": "download", "hits": 4}, {"outcome": "short", "hits": 1}]}
    found["/v1/shows/s1/downloads/consumers day"] = {
        "rows": [
            {"day": "2026-09-25", "days": 7, "consumers": 4, "is_exact": True},
            {"day": "2026-09-25", "days": 30, "consumers": 5077, "is_exact": False},
        ]
    }
    return {path: {**answer, "counting": COUNTING} for path, answer in found.items()}


def differences(said: dict[str, dict[str, Any]]) -> list[str]:
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert (request.url.params["from"], request.url.params["to"]) == ("2026-09-24", "2026-09-25")
        return httpx2.Response(200, json=said[f"{request.url.path} {request.url.params.get('by', 'day')}"])

    async def find() -> list[str]:
        async with httpx2.AsyncClient(base_url="http://earshot", transport=httpx2.MockTransport(answer)) as http:
            return await find_differences(http, "key", REPORT)

    return asyncio.run(find())


def test_equal_numbers_do_not_differ_and_an_estimate_may() -> None:
    assert differences(answers()) == []


WRONG = {
    "a download more on a day": ("/v1/shows/s1/downloads day", "downloads", "Stars, 2026-09-24: downloads expected 3"),
    "of an app": ("/v1/shows/s1/downloads app", "downloads", "Stars, Overcast: downloads expected 3, found 4"),
    "of a device": ("/v1/shows/s1/downloads device", "downloads", "Stars, phone: downloads expected 4, found 5"),
    "of a country": ("/v1/shows/s1/downloads country", "downloads", "Stars, DE: downloads expected 4, found 5"),
    "a hit more": ("/v1/episodes/e1/hits day", "hits", "stars/1, download: hits expected 4, found 5"),
    "a consumer more": (
        "/v1/shows/s1/downloads/consumers day",
        "consumers",
        "7 days to 2026-09-25: consumers expected 4",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_too_many_is_seen(name: str) -> None:
    path, field, line = WRONG[name]
    said = answers()
    said[path]["rows"][0][field] += 1
    (found,) = differences(said)
    assert line in found


def test_downloads_counted_by_other_rules_are_not_compared() -> None:
    said = answers()
    said["/v1/shows/s1/downloads day"]["counting"] = {"window": "last_touch", "excess_cap": 0}
    (found,) = differences(said)
    assert "by the window last_touch and a cap of 0 here" in found


def test_without_downloads_there_is_no_access_log(processes: Processes) -> None:
    url, _ = processes.serve()
    processes.start("worker")
    done = seed(processes, "--size", "tiny", "--no-downloads", "--api-url", url, "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["downloads"] is None
    assert not (processes.home / ACCESS_LOG).exists()
    assert seed(processes, "--check", "--api-url", url).exit_code == 0
    again = seed(processes, "--again", "--api-url", url, "--json")
    assert json.loads(again.stdout)["new_hits"] == 0


def test_a_store_without_the_demo_is_named(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in processes.environment().items():
        monkeypatch.setitem(os.environ, name, value)
    (processes.home / ACCESS_LOG).write_text("")
    with pytest.raises(SeedError, match="There is no episode to count downloads of"):
        asyncio.run(downloads.import_downloads(processes.home, {"hits": 3}))


def test_a_log_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match=r"seed-access\.log is not there: run `earshot seed`"):
        asyncio.run(downloads.import_again(tmp_path))
