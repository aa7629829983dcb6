"""The audience: who each listener is, what they hear when, and the log their phone ends up with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from uuid import NAMESPACE_URL, uuid5

from seed.catalogue import DAY_MS, WINDOW_DAYS, Episode, Show, day_start_ms
from seed.client import Client
from seed.personas import PERSONAS, Persona
from seed.player import MINUTE_MS, Phone
from seed.schedule import Curve, draw_hearing, draw_install_day, draw_zone_ms

APPS = (("Murmur", "4.2.0", "Android 15", 60_000), ("Podling", "11.0.3", "iOS 19", 120_000))
"""Invented apps: name, version, platform, and how often they save their progress."""
SPEEDS = (1.0, 1.0, 1.0, 1.0, 1.0, 1.25, 1.5, 2.0)
ENCODINGS = ("", "gzip", "gzip", "zstd")
"""Content-Encoding of the batches; the empty one is plain JSON."""
DRAWER_DAYS = (110, 93)
"""Days ago between which the phone from the drawer was used; all of it is over 90."""

_BY_WEIGHT = Curve(tuple(persona.weight for persona in PERSONAS))


@dataclass(frozen=True, slots=True)
class Listener:
    """One person with one phone; everything follows from the seed and the number."""

    seed: int
    number: int

    def random(self, subject: str) -> Random:
        """A source of its own for each subject, so that a change in one leaves the others as they were."""
        return Random(f"{self.seed}/{self.number}/{subject}")

    @property
    def persona(self) -> Persona:
        """The first listeners are one of each kind, so that the smallest audience has them all."""
        if self.number < len(PERSONAS):
            return PERSONAS[self.number]
        return PERSONAS[_BY_WEIGHT.draw(self.random("persona"))]

    @property
    def app(self) -> tuple[str, str, str, int]:
        """Name, version, platform, and milliseconds between two `progress` events."""
        return APPS[self.random("app").random() < 0.4]

    @property
    def address(self) -> str:
        """Where it registers from: a household of its own in the addresses that are nobody's (RFC 3849)."""
        random = self.random("address")
        return f"2001:db8:{random.randrange(1 << 16):x}:{random.randrange(1 << 16):x}::{random.randrange(1, 1 << 16):x}"

    @property
    def encoding(self) -> str:
        """How this app packs its batches."""
        return self.random("encoding").choice(ENCODINGS)


@dataclass(frozen=True, slots=True)
class Life:
    """What is laid down before a listener's first play."""

    random: Random
    """Where the rest of the life goes on drawing."""
    zone_ms: int
    """Local time, less UTC."""
    speed: float
    fault_ms: int
    """When the clock begins to be off, for those whose clock is."""
    plays: list[tuple[int, Episode]]
    """What is played when, in order of time."""


def begin(listener: Listener, shows: Sequence[Show], today: date) -> Life:
    """The same for the same listener and day, whatever is made of it: played on a phone, or fetched from a server."""
    persona, random = listener.persona, listener.random("life")
    zone_ms, speed = draw_zone_ms(random), random.choice(SPEEDS)
    fault_ms = _fault_start_ms(persona, random, today)
    return Life(random, zone_ms, speed, fault_ms, plan(persona, random, shows, today, zone_ms))


def live(listener: Listener, client: Client, shows: Sequence[Show], today: date) -> list[int]:
    """Live until `today` begins (UTC), logging with `client`; the seq that the log had reached at each sync.

    The result depends on the seed, the listener's number and the day, not on any id that the server gave.
    """
    persona, life = listener.persona, begin(listener, shows, today)
    phone = Phone(
        client,
        life.random,
        day_start_ms(today),
        zone_ms=life.zone_ms,
        speed=life.speed,
        progress_ms=listener.app[3],
    )
    marks: list[int] = []
    sync_ms = 0
    for moment, episode in life.plays:
        if moment >= sync_ms:
            marks.append(client.last_seq)
            sync_ms = moment + int(life.random.uniform(*persona.sync_days) * DAY_MS)
        phone.clock_error_ms = _clock_error_ms(persona, moment - life.fault_ms)
        persona.habit(phone, episode, moment)
    client.end_days(phone.horizon_ms)
    return [*marks, client.last_seq]


def _fault_start_ms(persona: Persona, random: Random, today: date) -> int:
    if not persona.faulty_days:
        return 0
    return day_start_ms(today) - random.randrange(persona.faulty_days, WINDOW_DAYS // 2) * DAY_MS


def _clock_error_ms(persona: Persona, since_fault_ms: int) -> int:
    is_off = since_fault_ms >= 0 and (not persona.faulty_days or since_fault_ms < persona.faulty_days * DAY_MS)
    return persona.clock_error_ms if is_off else 0


def plan(
    persona: Persona, random: Random, shows: Sequence[Show], today: date, zone_ms: int
) -> list[tuple[int, Episode]]:
    """What is played when, in order of time, all before `today`; most of it within the window."""
    end_ms = day_start_ms(today)
    if persona.stays == "drawer":
        return _plan_drawer(random, shows, end_ms)
    install_day = draw_install_day(random, end_ms // DAY_MS)
    plays: list[tuple[int, Episode]] = []
    for show in _subscriptions(random, shows, install_day - (end_ms // DAY_MS - WINDOW_DAYS)):
        plays += _plan_show(persona, random, show, install_day * DAY_MS, zone_ms)
    plays += [(moment + random.randrange(1, 9) * DAY_MS, e) for moment, e in plays if random.random() < persona.encore]
    if persona.stays == "elsewhere":
        plays = [(moment, _of_another_server(episode)) for moment, episode in plays]
    start_ms = end_ms - WINDOW_DAYS * DAY_MS
    return sorted((p for p in plays if start_ms <= p[0] < end_ms), key=lambda play: play[0])


def _subscriptions(random: Random, shows: Sequence[Show], days_into_window: int) -> list[Show]:
    progress = max(0, days_into_window) / WINDOW_DAYS
    chosen = [s for s in shows if random.random() < s.text.popularity * (1 + s.text.growth * progress)]
    return chosen or [shows[0]]


def _plan_show(
    persona: Persona, random: Random, show: Show, install_ms: int, zone_ms: int
) -> list[tuple[int, Episode]]:
    plays: list[tuple[int, Episode]] = []
    old = [e for e in show.episodes if e.published_ms < install_ms and random.random() < persona.archive_appetite]
    for place, episode in enumerate(old):
        if place % persona.marathon == 0:
            moment = draw_hearing(random, install_ms, zone_ms, persona.patience_days * 3)
        # A marathon's episodes all want the same moment; the phone plays them one after the other.
        plays.append((moment, episode))
    new = [e for e in show.episodes if e.published_ms >= install_ms and random.random() < persona.appetite]
    return plays + [(draw_hearing(random, e.published_ms, zone_ms, persona.patience_days), e) for e in new]


def _plan_drawer(random: Random, shows: Sequence[Show], end_ms: int) -> list[tuple[int, Episode]]:
    first, last = (end_ms - days * DAY_MS for days in DRAWER_DAYS)
    known = [e for show in shows for e in show.episodes if e.published_ms < first]
    moments = sorted(random.randrange(first, last - 60 * MINUTE_MS) for _ in known)
    return list(zip(moments, known, strict=True))


def _of_another_server(episode: Episode) -> Episode:
    return Episode(
        show="elsewhere",
        number=episode.number,
        title=episode.title,
        notes="",
        published_ms=episode.published_ms,
        duration_ms=episode.duration_ms,
        id=str(uuid5(NAMESPACE_URL, f"https://elsewhere.example/{episode.show}/{episode.number}")),
    )
