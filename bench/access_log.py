"""Writes access logs as nginx would before a podcast host: `combined` with the Range header as one more column.

`python -m bench.access_log --lines 1000000 access.log.gz`
"""

import gzip
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush
from pathlib import Path
from time import gmtime, strftime
from typing import Annotated
from uuid import UUID

import typer

EPISODES = 200
DAY_SECONDS = 86_400
VISITS_PER_CONSUMER = 6
"""On average; the most eager come every day, most once."""
BOT_SHARE = 0.05
OTHER_SHARE = 0.07
"""Of visits: not for audio. A visit for audio has more lines, so it is 3 % of those."""
LINES_PER_VISIT = 2.5
WRITTEN_AT_ONCE = 20_000
MAX_DELAY_SECONDS = 3
"""A line is written when its answer is over, so lines are only nearly in order."""

APPS = (
    "AppleCoreMedia/1.0.0.{build} (iPhone; U; CPU OS 18_{minor} like Mac OS X; en_us)",
    "Podcasts/41{build}.1 CFNetwork/1568.{build} Darwin/24.{minor}.0",
    "Spotify/9.0.{build} iOS/18.{minor} (iPhone15,{minor})",
    "AntennaPod/3.{minor}.{build}",
    "PocketCasts/1.0 (Pocket Casts Feed Parser; +http://pocketcasts.com/) v{build}",
    "Overcast/3.0 (+http://overcast.fm/; iOS podcast app) {build}",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/13{minor}.0.{build}.0",
    "CastBox/11.{minor}.{build} (Linux;Android 1{minor})",
)
BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "python-requests/2.32.{minor}",
)
OTHERS = ("/feeds/bench.xml", "/covers/bench.jpg", "/favicon.ico", "/robots.txt")


@dataclass(frozen=True, slots=True)
class AudioFile:
    """What is asked for."""

    path: str
    audio_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A log to write."""

    lines: int
    files: Sequence[AudioFile]
    days: int
    """About so many."""
    since: int
    """Unix time at which it begins."""
    seed: int = 1


def make_files(count: int = EPISODES, seed: int = 1) -> list[AudioFile]:
    """Episodes of 10 to 90 minutes at 128 kbit/s."""
    rng = random.Random(seed)
    return [
        AudioFile(f"/media/{UUID(int=rng.getrandbits(128), version=4)}.mp3", rng.randrange(600, 5400) * 16_000)
        for _ in range(count)
    ]


def write(path: Path, plan: Plan) -> None:
    """Write the log; packed when its name ends in `.gz`. The same plan gives the same bytes."""
    opened = path.open("wb")
    # The name and the time would be in the gzip header.
    packed = gzip.GzipFile("", "wb", compresslevel=1, fileobj=opened, mtime=0) if path.suffix == ".gz" else opened
    with opened, packed:
        some: list[str] = []
        for line in lines(plan):
            some.append(line)
            if len(some) == WRITTEN_AT_ONCE:
                packed.write("".join(some).encode())
                some.clear()
        packed.write("".join(some).encode())


def lines(plan: Plan) -> Iterator[str]:
    """The lines, each with its newline, nearly in the order of their times."""
    rng = random.Random(plan.seed)
    consumers = _consumers(rng, max(1, round(plan.lines / LINES_PER_VISIT / VISITS_PER_CONSUMER)))
    seconds_per_visit = plan.days * DAY_SECONDS * LINES_PER_VISIT / plan.lines
    waiting: list[tuple[float, int, int, str]] = []
    stamps = _Stamps()
    at, number = float(plan.since), 0
    while number < plan.lines:
        at += rng.expovariate(1 / seconds_per_visit)
        for moment, line in _visit(rng, plan, consumers, at):
            heappush(waiting, (moment + rng.random() * MAX_DELAY_SECONDS, len(waiting), int(moment), line))
        while waiting and waiting[0][0] <= at and number < plan.lines:
            _, _, moment, line = heappop(waiting)
            yield line.replace("\0", stamps.of(moment), 1)
            number += 1


class _Stamps:
    """`22/Nov/2026:10:00:00`: written once for each second."""

    def __init__(self) -> None:
        self._second, self._text = -1, ""

    def of(self, second: int) -> str:
        if second != self._second:
            self._second, self._text = second, strftime("%d/%b/%Y:%H:%M:%S", gmtime(second))
        return self._text


def _consumers(rng: random.Random, count: int) -> list[tuple[str, str]]:
    """Address and user agent of each; some addresses are shared by several."""
    found = []
    for _ in range(count):
        if rng.random() < 0.2:
            address = f"2001:db8:{rng.randrange(65536):x}:{rng.randrange(65536):x}::{rng.randrange(1, 65536):x}"
        else:
            address = f"{rng.randrange(11, 100)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
        agents = BOTS if rng.random() < BOT_SHARE else APPS
        # The first are by far the most usual, as it is with apps and their versions.
        agent = agents[int(len(agents) * rng.random() ** 2)]
        agent = agent.format(build=int(200 ** rng.random()), minor=rng.randrange(10))
        found.append((found[-1][0] if found and rng.random() < 0.1 else address, agent))
    return found


def _visit(rng: random.Random, plan: Plan, consumers: list[tuple[str, str]], at: float) -> Iterator[tuple[float, str]]:
    """What one consumer asks for at a time, with the time left out."""
    address, agent = consumers[int(len(consumers) * rng.random() ** 2)]
    if rng.random() < OTHER_SHARE:
        yield at, _line(address, "GET", rng.choice(OTHERS), 200, rng.randrange(200, 90_000), agent, "-")
        return
    file = plan.files[int(len(plan.files) ** rng.random()) - 1]
    kind = rng.random()
    if kind < 0.1:
        yield at, _line(address, "HEAD", file.path, 200, 0, agent, "-")
    if kind < 0.3:
        yield at, _line(address, "GET", file.path, 206, 2, agent, "bytes=0-1")
    if kind < 0.7:
        yield from _whole(rng, file, address, agent, at)
    else:
        yield from _parts(rng, file, address, agent, at)


def _whole(rng: random.Random, file: AudioFile, address: str, agent: str, at: float) -> Iterator[tuple[float, str]]:
    """In one request, or in two when the connection broke."""
    sent = 0 if rng.random() < 0.85 else rng.randrange(file.audio_bytes)
    if sent:
        yield at, _line(address, "GET", file.path, 200, sent, agent, "-")
    asked, status = (f"bytes={sent}-", 206) if sent or rng.random() < 0.5 else ("-", 200)
    yield at + bool(sent) * 20, _line(address, "GET", file.path, status, file.audio_bytes - sent, agent, asked)


def _parts(rng: random.Random, file: AudioFile, address: str, agent: str, at: float) -> Iterator[tuple[float, str]]:
    """While it is played, until the listener has had enough."""
    part = rng.choice((262_144, 1_048_576, 4_194_304))
    for place in range(rng.randrange(1, 9)):
        first = place * part
        last = min(first + part, file.audio_bytes) - 1
        if first > last:
            return
        yield at + place * 15, _line(address, "GET", file.path, 206, last - first + 1, agent, f"bytes={first}-{last}")


def _line(address: str, method: str, path: str, status: int, sent: int, agent: str, asked: str) -> str:
    request = f'"{method} {path} HTTP/1.1" {status} {sent}'
    return f'{address} - - [\0 +0000] {request} "-" "{agent}" "{asked}"\n'


def main(
    path: Path,
    lines: Annotated[int, typer.Option(min=1, help="How many.")] = 1_000_000,
    days: Annotated[int, typer.Option(min=1, help="That they are spread over.")] = 3,
    since: Annotated[str, typer.Option(help="The first day, YYYY-MM-DD.")] = "2026-11-01",
    seed: Annotated[int, typer.Option(help="Another log for each.")] = 1,
) -> None:
    """Write an access log."""
    began = datetime.fromisoformat(since).replace(tzinfo=UTC)
    write(path, Plan(lines, make_files(), days, int(began.timestamp()), seed))


if __name__ == "__main__":
    typer.run(main)
