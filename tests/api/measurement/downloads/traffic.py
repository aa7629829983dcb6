"""Random access logs, with what each line says known beforehand. The same seed gives the same logs."""

import gzip
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

from tests.api.measurement.downloads.oracle import DAY_MS, File, Request

FIRST_DAY = 20_248
"""2025-06-09; two days later consumers get new keys."""
DAYS = 5
START_MS = FIRST_DAY * DAY_MS

APPS = (
    "AppleCoreMedia/1.0.0.20G75 (iPhone; U; CPU OS 16_6 like Mac OS X; en_us)",
    "Podcasts/1650.20 CFNetwork/1410.0.3 Darwin/22.6.0",
    "Overcast/3.0 (+http://overcast.fm/; iOS podcast app)",
    "Spotify/8.8.54 Android/33 (SM-G991B)",
    "AntennaPod/3.2.0",
    "Pocket Casts",
    "Castro 2022.10/1421",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36",
    'Shelf "Player" 2.1',
    "Hörbar/1.0 (Lindwurm)",
)
BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
)
WATCHES = (
    "atc/1.0 watchOS/8.5 model/Watch6,2 hwp/t8301 build/19T242 (6; dt:252)",
    "Podcasts/1 (null)/(null) watchOS/9.0",
)
PRELOADER = "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0"
"""The browser of those who look at a page that loads audio which nobody asked for."""
PRELOADERS_PAGE = "https://podverse.fm/episode/1"
DATACENTER = "192.0.2."
"""Every address that begins like this; listed as 192.0.2.0/24."""
OFFICE = "198.51.100.7"
"""Many people; not on the inclusion list."""
CAMPUS = "198.51.100.8"
"""Many people; on the inclusion list."""
INCLUSIONS = f"{CAMPUS} 2025-05-20 students' dormitory\n"
DATACENTERS = "192.0.2.0/24\n"
EXCESS_CAP = 40
UNTOLD_BYTES = 9_000_000
"""Size of a file whose feed does not tell it."""


@dataclass
class Episode:
    """What can be asked for."""

    uuid: str
    url: str
    versions: list[tuple[int, File]]
    """(from which moment on, the file), the oldest first."""

    def file(self, at_ms: int) -> File:
        """The version of a moment; the first one also stands for all time before."""
        return next((file for since, file in reversed(self.versions) if since <= at_ms), self.versions[0][1])


@dataclass
class Line:
    """One line of a log."""

    text: str
    request: Request | None = None
    """None when it belongs to no episode."""


@dataclass
class Consumer:
    """Somebody behind an address."""

    ip: Callable[[], str]
    user_agent: str
    traits: frozenset[str]


@dataclass
class Traffic:
    """A seeded source of lines."""

    seed: int
    episodes: list[Episode]
    describe: Callable[[str], tuple[str, str]] = lambda _: ("", "")
    """App and device class of a user agent."""
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    # -- who --------------------------------------------------------------------------------------------------------

    def consumer(self) -> Consumer:
        """Mostly people; some share an address, some are machines."""
        kind = self.chance.choices(
            ["home", "home6", "office", "campus", "bot", "watch", "server", "page"], [38, 20, 14, 10, 6, 4, 5, 3]
        )[0]
        home = f"100.64.{self.chance.randrange(4)}.{self.chance.randrange(256)}"
        agent = self.chance.choice(APPS)
        if kind == "office":
            return Consumer(lambda: OFFICE, f"{agent} {self.chance.randrange(12)}", frozenset())
        if kind == "campus":
            return Consumer(lambda: CAMPUS, f"{agent} {self.chance.randrange(12)}", frozenset({"included"}))
        if kind == "bot":
            return Consumer(lambda: home, self.chance.choice(BOTS), frozenset({"bot"}))
        if kind == "watch":
            return Consumer(lambda: home, self.chance.choice(WATCHES), frozenset({"watch"}))
        if kind == "page":
            return Consumer(lambda: home, PRELOADER, frozenset({"referrer"}))
        if kind == "server":
            host = f"{DATACENTER}{self.chance.randrange(256)}"
            return Consumer(lambda: host, agent, frozenset({"datacenter"}))
        if kind == "home6":
            # Neighbouring /64s; within one, the address is another for each request.
            block = f"2001:db8:{self.chance.randrange(3):x}:{self.chance.randrange(90):x}"
            return Consumer(lambda: f"{block}::{self.chance.randrange(1, 1 << 16):x}", agent, frozenset())
        return Consumer(lambda: home, agent, frozenset())

    def moment(self) -> int:
        """Any second, often near midnight."""
        at_ms = START_MS + self.chance.randrange(DAYS * 86_400) * 1000
        if self.chance.random() < 0.2:
            midnight = START_MS + self.chance.randrange(1, DAYS) * DAY_MS
            at_ms = midnight + self.chance.randrange(-120, 120) * 1000
        return at_ms

    # -- what -------------------------------------------------------------------------------------------------------

    def request(self, who: Consumer, episode: Episode, at_ms: int, **fields: object) -> Request:
        """One request of a consumer."""
        splits = (*self.describe(who.user_agent), "")
        made = Request(
            at_ms, who.ip(), who.user_agent, episode.uuid, episode.file(at_ms), traits=who.traits, splits=splits
        )
        return replace(made, **fields)  # type: ignore[arg-type]

    def visit(self) -> list[Request]:
        """All requests of one consumer for one episode around one moment, perhaps again a day later."""
        who, episode, at_ms = self.consumer(), self.chance.choice(self.episodes), self.moment()
        found = list(self.session(who, episode, at_ms))
        while self.chance.random() < 0.35:
            gap = self.chance.choice([600_000, 7_200_000, DAY_MS - 1000, DAY_MS, DAY_MS + 1000, 80_000_000])
            at_ms += gap
            found += self.session(who, episode, at_ms)
        return [request for request in found if request.at_ms < START_MS + DAYS * DAY_MS]

    def session(self, who: Consumer, episode: Episode, at_ms: int) -> Iterator[Request]:
        """What an app does when it wants an episode."""
        size = episode.file(at_ms).bytes or UNTOLD_BYTES
        kinds = ["whole", "hang_up", "parts", "border", "tail", "several", "akamai", "head", "unchanged", "beyond"]
        kind = self.chance.choices(kinds, [26, 14, 30, 8, 3, 3, 3, 6, 4, 3])[0]
        if kind == "whole":
            yield self.request(who, episode, at_ms, sent=size)
        elif kind == "hang_up":
            yield self.request(who, episode, at_ms, sent=self.chance.randrange(size // 10 + 1))
        elif kind == "parts":
            yield from self.parts(who, episode, at_ms, size)
        elif kind == "border":
            yield from self.border(who, episode, at_ms, size)
        elif kind == "tail":
            want = self.chance.randrange(1, 2_000_000)
            sent = min(want, size)
            yield self.request(who, episode, at_ms, status=206, range=f"bytes=-{want}", sent=sent)
        elif kind == "several":
            sent = self.chance.randrange(min(3_000_000, size))
            yield self.request(who, episode, at_ms, status=206, range="bytes=0-99999,500000-3000000", sent=sent)
        elif kind == "akamai":
            asked = self.chance.choice(["bytes=0-", None])
            yield self.request(who, episode, at_ms, status=0, range=asked, sent=self.chance.randrange(size // 4 + 1))
        elif kind == "head":
            yield self.request(who, episode, at_ms, method=self.chance.choice(["HEAD", "HEAD", "POST"]))
            yield self.request(who, episode, at_ms + 1000, sent=size)
        elif kind == "unchanged":
            yield self.request(who, episode, at_ms, status=304)
        else:
            yield self.request(who, episode, at_ms, status=416, range=f"bytes={size + 5}-", sent=197)

    def parts(self, who: Consumer, episode: Episode, at_ms: int, size: int) -> Iterator[Request]:
        """A player that fetches piece by piece: it probes first, jumps, goes back, hangs up."""
        if self.chance.random() < 0.5:
            yield self.request(who, episode, at_ms, status=206, range="bytes=0-1", sent=min(2, size))
        place, step = 0, self.chance.choice([65_536, 250_000, 700_000])
        for number in range(self.chance.randrange(1, 8)):
            if self.chance.random() < 0.25:
                place = self.chance.randrange(size + 1)
            last = self.chance.choice(["", str(place + step - 1)])
            most = max(0, min(step, size - place))
            sent = most if self.chance.random() < 0.7 else self.chance.randrange(most + 1)
            yield self.request(
                who, episode, at_ms + 1000 * number, status=206, range=f"bytes={place}-{last}", sent=sent
            )
            place = max(0, place + sent - self.chance.choice([0, 0, 20_000]))

    def border(self, who: Consumer, episode: Episode, at_ms: int, size: int) -> Iterator[Request]:
        """Halves of the first minute on both sides of a border: of midnight, or of a day after the first."""
        half = size // 40
        gap = self.chance.choice([5_000, 120_000, DAY_MS - 1000, DAY_MS, DAY_MS + 1000])
        for number in range(self.chance.randrange(2, 5)):
            first = half * (number % 3)
            yield self.request(
                who, episode, at_ms + gap * number, status=206, range=f"bytes={first}-{first + half - 1}", sent=half
            )

    # -- how it is written --------------------------------------------------------------------------------------------

    def lines(self, requests: int, *, has_range: bool) -> list[Line]:
        """Lines of one server, about so many of them requests for audio."""
        found: list[Line] = []
        paths = {episode.uuid: episode.url for episode in self.episodes}
        while len(found) < requests:
            for request in self.visit():
                told = replace(request, has_range=has_range)
                line = Line(self.text(told, paths[request.episode]), told)
                # The clock has whole seconds, so an app that asks twice at once leaves the same line twice.
                found += [line] * self.chance.choice([1, 1, 1, 1, 1, 1, 1, 2, 3])
        for _ in range(requests // 50):
            found.append(Line(self.noise(' "-"' if has_range else "")))
        return found

    def text(self, request: Request, url: str) -> str:
        """A line as nginx writes it: combined, and the Range behind it where the server logs it."""
        zone = timezone(timedelta(hours=0 if request.has_range else 2))
        time = datetime.fromtimestamp(request.at_ms / 1000, UTC).astimezone(zone).strftime("%d/%b/%Y:%H:%M:%S %z")
        path = "/" + url.split("/", 3)[3] + self.chance.choice(["", "", "?source=feed"])
        referrer = self.chance.choice(["-", "-", "https://shows.example/"])
        referrer = PRELOADERS_PAGE if "referrer" in request.traits else referrer
        agent = "".join(c if c not in '"\\' and c.isascii() else escaped(c) for c in request.user_agent)
        told = f' "{request.range or "-"}"' if request.has_range else ""
        return (
            f'{request.ip} - - [{time}] "{request.method} {path} HTTP/1.1" {request.status:03d} {request.sent} '
            f'"{referrer}" "{agent}"{told}'
        )

    def noise(self, told: str) -> str:
        """A line that is about no episode, or about nothing."""
        begin = "100.64.0.9 - - [10/Jun/2025:12:00:00 +0000]"
        return self.chance.choice(
            [
                f'{begin} "GET /favicon.ico HTTP/1.1" 200 318 "-" "Overcast/3.0"{told}',
                f'{begin} "GET /audio/nothing-{self.chance.randrange(99)}.mp3 HTTP/1.1" 200 9 "-" "x"{told}',
                f'{begin} "GET /audio/e01.mp3 HTTP/1.1" 2',
                '100.64.0.9 - - [31/Feb/2025:12:00:00 +0000] "GET /audio/e01.mp3 HTTP/1.1" 200 9000000 "-" "x"' + told,
                r'"\x16\x03\x01" 400 0',
                "",
                "\x00\x00\x00\x00",
            ]
        )


def escaped(character: str) -> str:
    """As nginx escapes it."""
    return "".join(f"\\x{byte:02X}" for byte in character.encode())


def make_episodes(number: int, seed: int = 1) -> list[Episode]:
    """Episodes as `earshot import-feed` makes them: length and duration from the feed; some odd ones."""
    chance = random.Random(seed)
    found = []
    for place in range(1, number + 1):
        duration_ms: int | None = chance.randrange(300_000, 5_400_000)
        size = duration_ms * chance.choice([8, 12, 16]) + chance.randrange(5000)
        since = START_MS - 20 * DAY_MS
        versions = [(since, File(size, duration_ms=duration_ms, name="first"))]
        if place == 1:
            versions = [(since, File(700_000, duration_ms=45_000, name="trailer"))]
        elif place == 2:
            versions = [(since, File(size, duration_ms=None, name="no duration"))]
        elif place == 3:
            versions = [(since, File(0, duration_ms=duration_ms, name="no length"))]
        elif place == 4:
            replaced = START_MS + 2 * DAY_MS + 10 * 3_600_000 + 500
            versions.append((replaced, File(size * 2, duration_ms=duration_ms * 2, name="second")))
        elif place == 5:
            versions = [(since, File(20_000_000, 200_000, 128_000, 1_237_500, "measured"))]
        elif place == 6:
            versions = [(since, File(size, 90_000, None, None, "not measured"))]
        uuid = str(UUID(int=seed << 64 | place))
        found.append(Episode(uuid, f"https://audio.example/audio/e{place:02d}.mp3", versions))
    return found


def split(chance: random.Random, lines: list[Line], files: int) -> list[list[Line]]:
    """Shuffled into so many files; a third of the lines are in two of them."""
    found: list[list[Line]] = [[] for _ in range(files)]
    for line in chance.sample(lines, len(lines)):
        for place in chance.sample(range(files), 2 if files > 1 and chance.random() < 0.33 else 1):
            found[place].append(line)
    return found


def write(path: Path, lines: list[Line]) -> Path:
    """A log file, packed if its name says so."""
    text = "".join(f"{line.text}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(text, 1) if path.suffix == ".gz" else text)
    return path


def requests_of(lines: list[Line]) -> list[Request]:
    """What a file's lines ask for."""
    return [line.request for line in lines if line.request is not None]
