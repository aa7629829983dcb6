"""Cheats, for trying the fraud rules: a farm, a cloned log, a replayed log, over the HTTP API; docs/fraud.md."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx2

from seed.again import read_shows
from seed.calls import SeedError, ask
from seed.catalogue import DAY_MS, Episode, day_start_ms
from seed.client import Batch, Client, Event
from seed.files import read_expected
from seed.player import MINUTE_MS

FARM_DEVICES = 1_000
FARM_ADDRESS = "203.0.113.{}"
"""One network of a hosting company (RFC 5737)."""
CLONES = 5
REPLAYED = 20
APP = {"app": "Murmur", "app_version": "4.2.0", "platform": "Android 15"}
_HOUR_MS = 3_600_000


@dataclass
class Cheating:
    """What was sent."""

    kind: str
    day: date
    devices: list[str] = field(default_factory=list)
    """All that had a part in it, the honest ones too whose logs were cloned."""
    events: int = 0
    receipts: list[tuple[str, str]] = field(default_factory=list)
    """Token and receipt."""

    def to_json(self) -> dict[str, Any]:
        """For people and tests."""
        return {"kind": self.kind, "day": str(self.day), "devices": self.devices, "events": self.events}


@dataclass
class _Device:
    """A device of a cheat."""

    id: str
    token: str
    listen_seconds: int

    def client(self) -> Client:
        """An app with an empty log."""
        return Client(self.id, self.listen_seconds)


@dataclass
class _Cheat:
    http: httpx2.AsyncClient
    episodes: Sequence[Episode]
    """The newest of each show."""
    oldest: Episode
    """Of the first show."""
    at_ms: int
    done: Cheating
    gate: asyncio.Semaphore

    async def register(self, address: str) -> _Device:
        headers = {"X-Forwarded-For": address}
        answer = await ask(self.http, "POST", "/v1/devices", json=APP, headers=headers)
        self.done.devices.append(answer["device_id"])
        return _Device(answer["device_id"], answer["token"], answer["listen_seconds"])

    async def send(self, device: _Device, batch: Batch) -> None:
        content = batch.body(int(time.time() * 1000))
        headers = {"Content-Type": "application/json"}
        answer = await ask(self.http, "POST", "/v1/sync", key=device.token, content=content, headers=headers)
        self.done.events += len(batch.sealed)
        self.done.receipts.append((device.token, answer["receipt"]))

    async def send_all(self, device: _Device, client: Client) -> None:
        while (batch := client.next_batch(client.last_seq)) is not None:
            await self.send(device, batch)
            client.acknowledge(batch)


def hear(client: Client, episode: Episode, at_ms: int, seconds: int | None = None) -> None:
    """A machine hears an episode, or its first seconds: no pause, no skip, no millisecond lost."""
    position, end = 0, episode.duration_ms if seconds is None else seconds * 1000
    client.record(Event("play", episode.id, "s1", at_ms, 0, 0, 0, False))
    while position < end:
        to_ms = min(position + MINUTE_MS, end)
        kind = "progress" if to_ms < end else "pause"
        client.record(Event(kind, episode.id, "s1", at_ms + to_ms, position, to_ms, to_ms - position, False))
        position = to_ms
    client.end_days(at_ms + 2 * DAY_MS)


async def farm(cheat: _Cheat) -> None:
    """A thousand devices of one network hear a show's newest and oldest episode, and fetch neither."""

    async def one(number: int) -> None:
        async with cheat.gate:
            device = await cheat.register(FARM_ADDRESS.format(1 + number % 250))
            client = device.client()
            hear(client, cheat.episodes[0], cheat.at_ms)
            hear(client, cheat.oldest, cheat.at_ms + 4 * _HOUR_MS)
            await cheat.send_all(device, client)

    await _together(one(number) for number in range(FARM_DEVICES))


async def clone(cheat: _Cheat) -> None:
    """Phones are copied with their logs; original and copy go on, each in its own way."""
    for number in range(CLONES):
        device = await cheat.register(f"2001:db8:{number + 1:x}::1")
        for place, episode in enumerate(cheat.episodes[:2]):
            client = device.client()
            hear(client, episode, cheat.at_ms + place * _HOUR_MS, 60 + number)
            await cheat.send_all(device, client)


async def replay(cheat: _Cheat) -> None:
    """A log is sent again and again, which changes no count; and then by other devices, as if it were theirs."""
    device = await cheat.register("2001:db8:99::1")
    client = device.client()
    hear(client, cheat.episodes[0], cheat.at_ms, 95)
    batch = client.next_batch(client.last_seq)
    if batch is None:
        raise SeedError("The newest episode is too short to be replayed.")
    for _ in range(3):
        await cheat.send(device, batch)
    for number in range(REPLAYED):
        await cheat.send(await cheat.register(f"2001:db8:{number + 256:x}::1"), batch)


KINDS: dict[str, Callable[[_Cheat], Any]] = {"farm": farm, "clone": clone, "replay": replay}


async def _together(jobs: Iterable[Any]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


async def cheat(http: httpx2.AsyncClient, home: Path, kind: str, connections: int) -> Cheating:
    """Cheat on the shows of the last set, on the day before it ended. Raises SeedError."""
    if kind not in KINDS:
        raise SeedError(f"There is no cheat {kind!r}; choose {', '.join(KINDS)}.")
    report = read_expected(home)
    today = date.fromisoformat(report["today"])
    yesterday_ms = day_start_ms(today) - DAY_MS
    shows = read_shows(report)
    episodes = [max(show.episodes, key=lambda episode: episode.published_ms) for show in shows]
    oldest = min(shows[0].episodes, key=lambda episode: episode.published_ms)
    done = Cheating(kind, date.fromordinal(today.toordinal() - 1))
    gate = asyncio.Semaphore(connections)
    await KINDS[kind](_Cheat(http, episodes, oldest, yesterday_ms + 9 * _HOUR_MS, done, gate))
    return done
