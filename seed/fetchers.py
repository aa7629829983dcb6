"""Who asked for which audio when, over two months: the demo's listeners, many others like them, and machines.

Addresses are from the ranges that are nobody's: documentation (RFC 5737, RFC 3849) and shared space (RFC 6598).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import NamedTuple

from seed.apps import APPS, BOTS, CHROME, PLAYERS, PRELOADER, WATCH, Agent, App
from seed.audience import Listener, begin
from seed.catalogue import DAY_MS, WINDOW_DAYS, Episode, Show, day_start_ms, file_bytes
from seed.fetching import Asked, Habit, ask_beyond, ask_whether_changed, hang_up, play_in_page, take_whole
from seed.schedule import HOUR_MS, Curve

LOG_DAYS = WINDOW_DAYS - 1
"""With today, on which some requests are made over HTTP, these are sixty days, as many as a page shows at a time."""
MINUTE_MS = 60_000
COUNTRIES = ("US", "CA", "BR", "GB", "IE", "DE", "FR", "ES", "NL", "SE", "FI", "ZA", "IN", "JP")
"""A country's place here is in the addresses of its people."""
NOWHERE = len(COUNTRIES)
"""The place of those whose country nobody knows."""
BY_ZONE = {
    -8: (("US", 1),),
    -5: (("US", 4), ("CA", 1)),
    -3: (("BR", 1),),
    0: (("GB", 4), ("IE", 1)),
    1: (("DE", 4), ("FR", 2), ("NL", 1), ("ES", 1), ("SE", 1)),
    2: (("FI", 2), ("ZA", 1)),
    5: (("IN", 1),),
    9: (("JP", 1),),
}
"""Hours from UTC -> who lives there, and how many."""
OFFICES = ("192.0.2", "198.51.100", "203.0.113")
"""Several people behind each address."""
BOT_VISITS = 0.2
"""For each person."""
SCRAPER = "198.51.100.250"
"""Takes every episode again and again on one day, each time as another browser."""
SCRAPER_AGENTS = tuple(Agent(CHROME.format(version), "Chrome", "computer") for version in range(92, 128))
SCRAPER_DAYS_AGO = 12

_ODDITIES: tuple[tuple[float, Habit], ...] = ((0.012, ask_whether_changed), (0.004, ask_beyond), (0.04, hang_up))
"""What happens instead of an app's usual requests, and how often."""
_BY_WEIGHT = Curve(tuple(app.weight for app in APPS))
_BOT_BY_WEIGHT = Curve(tuple(bot.weight for bot in BOTS))


class Hit(NamedTuple):
    """One request for audio."""

    at_ms: int
    address: str
    country: str
    """Empty when nobody knows it."""
    agent: Agent
    referrer: str
    episode: Episode
    asked: Asked


@dataclass(frozen=True, slots=True)
class Fetcher:
    """One person with one app, at home and on the way."""

    app: App
    agent: Agent
    country: str
    home: str
    away: str
    away_share: float
    has_watch: bool
    referrer: str


def make_hits(seed: int, people: int, phones: int, shows: Sequence[Show], today: date) -> list[Hit]:
    """All hits of the `LOG_DAYS` before `today` (UTC), in order of time; the same for the same seed, day and ids.

    The first `phones` of the people are the listeners whose phones sync; what they hear, they fetch.
    """
    sizes = {episode.id: file_bytes(show, episode) for show in shows for episode in show.episodes}
    hits = [
        hit
        for number in range(people)
        for hit in _of_person(Listener(seed, number), number < phones, shows, sizes, today)
    ]
    random = Random(f"{seed}/machines")
    hits += _of_bots(random, int(people * BOT_VISITS), shows, sizes, today)
    hits += _of_scraper(random, shows, sizes, today)
    end_ms = day_start_ms(today)
    in_window = [hit for hit in hits if end_ms - LOG_DAYS * DAY_MS <= hit.at_ms < end_ms]
    return sorted(in_window, key=lambda hit: hit.at_ms)


def _of_person(
    listener: Listener, is_phone: bool, shows: Sequence[Show], sizes: dict[str, int], today: date
) -> Iterator[Hit]:
    life = begin(listener, shows, today)
    random = listener.random("fetches")
    fetcher = _fetcher(random, PLAYERS[listener.app[2]] if is_phone else None, life.zone_ms // HOUR_MS)
    for moment, episode in life.plays:
        if episode.id not in sizes:
            continue  # hosted by somebody else
        begins_ms = _first_request_ms(random, fetcher, episode, moment)
        yield from _visit(random, fetcher, episode, sizes[episode.id], begins_ms)
        if fetcher.has_watch:
            # The watch fetches for itself what its phone has.
            whole, later_ms = Asked(0, 200, sizes[episode.id]), random.randrange(5, 90) * MINUTE_MS
            yield Hit(begins_ms + later_ms, fetcher.home, fetcher.country, WATCH, "", episode, whole)
        if random.random() < 0.06:
            again_ms = begins_ms + int(random.expovariate(1 / 20) * HOUR_MS)
            yield from _visit(random, fetcher, episode, sizes[episode.id], again_ms)


def _fetcher(random: Random, app: App | None, zone_hours: int) -> Fetcher:
    app = app or APPS[_BY_WEIGHT.draw(random)]
    agent = random.choice(app.agents)
    names, weights = zip(*BY_ZONE[zone_hours], strict=True)
    place = COUNTRIES.index(random.choices(names, weights)[0]) if random.random() > 0.015 else NOWHERE
    return Fetcher(
        app=app,
        agent=agent,
        country=(*COUNTRIES, "")[place],
        home=_home(random, place),
        away=f"100.{64 + place * 4 + random.randrange(4)}.{random.randrange(40)}.{random.randrange(1, 255)}",
        away_share=0.3 if agent.device == "phone" else 0.0,
        has_watch=agent.app == "Apple Podcasts" and random.random() < 0.07,
        referrer=PRELOADER if app.habit is play_in_page and random.random() < 0.2 else "",
    )


def _home(random: Random, place: int) -> str:
    luck = random.random()
    if luck < 0.5:
        return f"2001:db8:{place + 1:x}:{random.randrange(1, 65536):x}::{random.randrange(1, 65536):x}"
    if luck < 0.9:
        return f"100.{64 + place * 4 + random.randrange(4)}.{random.randrange(40, 256)}.{random.randrange(1, 255)}"
    return f"{random.choice(OFFICES)}.{place * 10 + random.randrange(1, 10)}"


def _first_request_ms(random: Random, fetcher: Fetcher, episode: Episode, moment: int) -> int:
    """An app that loads by itself does so within hours of the release; elsewhere the file is fetched to be heard."""
    is_new = moment - episode.published_ms < 14 * DAY_MS
    if fetcher.app.is_automatic and is_new and random.random() < 0.85:
        return episode.published_ms + int((2 + random.expovariate(1 / 80)) * MINUTE_MS)
    return moment


def _visit(random: Random, fetcher: Fetcher, episode: Episode, size: int, begins_ms: int) -> Iterator[Hit]:
    address = fetcher.away if random.random() < fetcher.away_share else fetcher.home
    for asked in _habit(random, fetcher.app)(random, size):
        at_ms = begins_ms + int(asked.after_seconds * 1000)
        yield Hit(at_ms, address, fetcher.country, fetcher.agent, fetcher.referrer, episode, asked)


def _habit(random: Random, app: App) -> Habit:
    luck = random.random()
    for share, habit in _ODDITIES:
        if luck < share:
            return habit
        luck -= share
    return app.habit


def _of_bots(random: Random, visits: int, shows: Sequence[Show], sizes: dict[str, int], today: date) -> Iterator[Hit]:
    episodes = [episode for show in shows for episode in show.episodes]
    for _ in range(visits):
        bot, episode = BOTS[_BOT_BY_WEIGHT.draw(random)], random.choice(episodes)
        agent, address = random.choice(bot.agents), f"203.0.113.{random.randrange(200, 250)}"
        available_ms = max(episode.published_ms, day_start_ms(today) - LOG_DAYS * DAY_MS)
        begins_ms = available_ms + int(random.expovariate(1 / 8) * DAY_MS)
        for asked in bot.habit(random, sizes[episode.id]):
            yield Hit(begins_ms + int(asked.after_seconds * 1000), address, "US", agent, "", episode, asked)


def _of_scraper(random: Random, shows: Sequence[Show], sizes: dict[str, int], today: date) -> Iterator[Hit]:
    at_ms = day_start_ms(today) - SCRAPER_DAYS_AGO * DAY_MS + 2 * HOUR_MS
    for agent in SCRAPER_AGENTS:
        for episode in (episode for show in shows for episode in show.episodes if episode.published_ms < at_ms):
            at_ms += random.randrange(2_000, 9_000)
            for asked in take_whole(random, sizes[episode.id]):
                yield Hit(at_ms, SCRAPER, "", agent, "", episode, asked)
