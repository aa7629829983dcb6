"""Six weeks of an nginx access log of the show that is hosted elsewhere. The same each time.

Addresses are from the ranges that are nobody's: documentation (RFC 5737, RFC 3849) and shared space (RFC 6598).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from seed.samples_habits import APPS, BOTS, WATCH, App, Asked
from seed.samples_show import END, FOLDER, SampleEpisode

LISTENERS = 3050
BOT_VISITS = 900
OTHER_REQUESTS = 1600
_QUIET_HOURS = {0: 0.25, 1: 0.15, 2: 0.1, 3: 0.1, 4: 0.15, 5: 0.4}
"""Share of requests that stay at that hour of UTC; the others wait for the day."""

Line = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody with an app, at home and on the way."""

    app: App
    agent: str
    home: str
    away: str
    since: datetime
    appetite: float
    """Share of the episodes that are loaded."""
    has_watch: bool


def make_log(episodes: list[SampleEpisode]) -> str:
    """The whole log, in order of time; a few of its lines are no lines."""
    random = Random("umbrellas/traffic")
    lines = [line for listener in _listeners(random) for line in _of_listener(random, listener, episodes)]
    lines += _of_bots(random, episodes)
    lines += _of_others(random, episodes)
    texts = [text for _, text in sorted(line for line in lines if line[0] < END)]
    for text in _UNREADABLE:
        texts.insert(random.randrange(len(texts)), text)
    return "\n".join(texts) + "\n"


_UNREADABLE = (
    '100.64.19.7 - - [29/Oct/2026:03:14:07 +0000] "GET /bureau/05-what-the-ni',
    "",
    "nginx: worker process 4711 exited on signal 9",
    '100.101.8.14 - - [02/Nov/2026:16:40:12 +0000] "\\x16\\x03\\x01\\x02\\x00\\x01" 400 157 "-" "-" "-"',
    '- - - [31/Nov/2026:25:61:00 +0000] "GET / HTTP/1.1" 200 17 "-" "-" "-"',
)
"""What is left of lines after a full disk, somebody who speaks TLS to the wrong port, what does not belong there."""


def _listeners(random: Random) -> Iterator[Listener]:
    apps = random.choices(APPS, [app.weight for app in APPS], k=LISTENERS)
    for app in apps:
        yield Listener(
            app=app,
            agent=random.choice(app.agents),
            home=_home(random),
            away=f"100.{random.randrange(64, 128)}.{random.randrange(40)}.{random.randrange(1, 255)}",
            # Half were there before; the others came in the course of the weeks.
            since=END - timedelta(days=max(0.5, random.uniform(-30, 41))) if random.random() < 0.5 else _BEFORE,
            appetite=random.betavariate(4, 1.6),
            has_watch=app is APPS[0] and random.random() < 0.07,
        )


_BEFORE = datetime.min.replace(tzinfo=END.tzinfo)


def _home(random: Random) -> str:
    luck = random.random()
    if luck < 0.5:
        return f"2001:db8:{random.randrange(1, 4096):x}:{random.randrange(256):x}::{random.randrange(1, 65536):x}"
    if luck < 0.85:
        return f"100.{random.randrange(64, 128)}.{random.randrange(40, 256)}.{random.randrange(1, 255)}"
    # Offices and dormitories: several people behind each.
    return f"{random.choice(('192.0.2', '198.51.100', '203.0.113'))}.{random.randrange(1, 60)}"


def _of_listener(random: Random, listener: Listener, episodes: list[SampleEpisode]) -> Iterator[Line]:
    for episode in episodes:
        is_new = episode.published_at >= listener.since
        if random.random() > listener.appetite * (1 if is_new else 0.35):
            continue
        begins_at = _first_request(random, listener, episode, is_new=is_new)
        yield from _visit(random, listener, episode, begins_at)
        if listener.has_watch:
            # The watch fetches for itself what its phone has.
            size, ends_at = episode.file_bytes, begins_at + timedelta(minutes=random.randrange(5, 90))
            yield _line(ends_at, _address(random, listener, 0.1), WATCH, episode.path, Asked(0, 200, size))
        if random.random() < 0.06:
            yield from _visit(random, listener, episode, begins_at + timedelta(hours=random.expovariate(1 / 20)))


def _first_request(random: Random, listener: Listener, episode: SampleEpisode, *, is_new: bool) -> datetime:
    """Apps that load on their own do so within hours; people come in the next days, and some much later."""
    begins_at = max(episode.published_at, listener.since)
    if not is_new:
        return _by_day(random, begins_at + timedelta(days=random.expovariate(1 / 3)))
    if listener.app.is_automatic and random.random() < 0.8:
        return begins_at + timedelta(minutes=2 + random.expovariate(1 / 75))
    days = random.expovariate(1 / 1.1) if random.random() < 0.7 else random.expovariate(1 / 9)
    return _by_day(random, begins_at + timedelta(days=days))


def _by_day(random: Random, at: datetime) -> datetime:
    if random.random() < _QUIET_HOURS.get(at.hour, 1.0):
        return at
    return at.replace(hour=random.randrange(6, 23))


def _address(random: Random, listener: Listener, away_share: float = 0.3) -> str:
    return listener.away if random.random() < away_share else listener.home


def _visit(random: Random, listener: Listener, episode: SampleEpisode, begins_at: datetime) -> Iterator[Line]:
    address = _address(random, listener)
    if random.random() < 0.012:
        # It has the file already, and asks whether it is still the same.
        yield _line(begins_at, address, listener.agent, episode.path, Asked(0, 304))
        return
    for asked in listener.app.habit(random, episode.file_bytes):
        at = begins_at + timedelta(seconds=asked.after_seconds)
        yield _line(at, address, listener.agent, episode.path, asked, listener.app.referrer)
    if random.random() < 0.004:
        beyond = Asked(0, 416, 197, f"bytes={episode.file_bytes}-")
        yield _line(at + timedelta(seconds=1), address, listener.agent, episode.path, beyond)


def _of_bots(random: Random, episodes: list[SampleEpisode]) -> Iterator[Line]:
    for _ in range(BOT_VISITS):
        bot = random.choices(BOTS, [bot.weight for bot in BOTS])[0]
        episode, agent = random.choice(episodes), random.choice(bot.agents)
        address = f"203.0.113.{random.randrange(200, 250)}"
        begins_at = episode.published_at + timedelta(days=random.expovariate(1 / 8))
        for asked in bot.habit(random, episode.file_bytes):
            at = begins_at + timedelta(seconds=asked.after_seconds)
            yield _line(at, address, agent, episode.path, asked)


def _of_others(random: Random, episodes: list[SampleEpisode]) -> Iterator[Line]:
    """What else a web server is asked for."""
    first = episodes[0].published_at
    for _ in range(OTHER_REQUESTS):
        path, status, sent = random.choice(_OTHERS)
        at = first + timedelta(seconds=random.randrange(int((END - first).total_seconds())))
        agent = random.choice(random.choice(APPS).agents)
        yield _line(at, _home(random), agent, path, Asked(0, status, sent if status == 200 else 0))


_OTHERS = (
    *[("/feed.xml", 200, 9_214), ("/feed.xml", 304, 0)] * 4,
    ("/favicon.ico", 200, 1_150),
    (f"{FOLDER}/cover.jpg", 200, 148_211),
    (f"{FOLDER}/00-trailer.mp3", 404, 0),
    ("/robots.txt", 404, 0),
)


def _line(at: datetime, address: str, agent: str, path: str, asked: Asked, referrer: str = "") -> Line:
    """As nginx writes it when `"$http_range"` stands behind the fields of `combined`."""
    request = f"{asked.method} {path} HTTP/1.1"
    quoted = f'"{referrer or "-"}" "{agent}" "{asked.range or "-"}"'
    when = f"{at.day:02d}/{_MONTHS[at.month - 1]}/{at.year}:{at:%H:%M:%S} +0000"
    return at, f'{address} - - [{when}] "{request}" {asked.status} {asked.sent_bytes} {quoted}'


# Not %b, which goes by the locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
