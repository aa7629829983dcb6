"""The demo's downloads: an access log of two months brought into the store, and some requests of today over HTTP."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx2

from seed.access_log import ACCESS_LOG, import_log, write_log
from seed.apps import APPS, BOTS, PLAYERS, Agent
from seed.calls import SeedError, send
from seed.catalogue import Show, file_bytes
from seed.expected_downloads import expect
from seed.fetchers import LOG_DAYS, make_hits
from seed.fetching import Asked

PHONES_SHARE = 0.25
"""Of the people in the log, how many at most are the listeners whose phones sync."""
FETCHED_TODAY = 0.6
"""Of a show's newest episode, by each user agent: the chance."""


def write_downloads(
    home: Path, seed: int, people: int, devices: int, shows: Sequence[Show], today: date
) -> dict[str, Any]:
    """Write the log of the days before `today`; what is expected to be counted of it."""
    hits = make_hits(seed, people, min(devices, int(people * PHONES_SHARE)), shows, today)
    write_log(home, hits)
    return expect(hits, shows).to_json(shows, today - timedelta(days=LOG_DAYS), today - timedelta(days=1))


async def import_downloads(home: Path, expected: dict[str, Any]) -> None:
    """Have Earshot count the log. Raises SeedError when it could not, or found other hits than are in it."""
    hits = await import_log(home / ACCESS_LOG)
    if hits != expected["hits"]:
        raise SeedError(
            f"{home / ACCESS_LOG} has {expected['hits']:,} hits on the demo's episodes, but {hits:,} were counted from "
            "it. Is EARSHOT_STORE_URL the store of the API that the demo was sent to?"
        )


async def import_again(home: Path) -> int:
    """Have Earshot count the log of the last set once more; how many hits were new, which should be none."""
    path = home / ACCESS_LOG
    if not path.exists():
        raise SeedError(f"{path} is not there: run `earshot seed` with this EARSHOT_HOME first.")
    return await import_log(path)


async def fetch_today(http: httpx2.AsyncClient, seed: int, shows: Sequence[Show]) -> int:
    """Fetch the newest episodes as apps and bots do, at once; how many requests that took.

    All of it comes from this machine's address, and on the day that is now, so nothing is expected of its counts.
    """
    random = Random(f"{seed}/today")
    visits = [
        _visit(http, agent, f"/media/{episode.id}.mp3", list(app.habit(random, file_bytes(show, episode))))
        for show in shows
        for episode in show.episodes[-1:]
        for app in (*APPS, *PLAYERS.values(), *BOTS)
        for agent in app.agents
        if random.random() < FETCHED_TODAY
    ]
    return sum(await asyncio.gather(*visits))


async def _visit(http: httpx2.AsyncClient, agent: Agent, path: str, requests: Sequence[Asked]) -> int:
    for asked in requests:
        headers = {"User-Agent": agent.text} | ({"Range": asked.range} if asked.range else {})
        await send(http, asked.method, path, headers=headers)
    return len(requests)
