"""How one session with one episode goes, for each kind of listener."""

from random import Random

from seed.catalogue import DAY_MS, Episode
from seed.player import MINUTE_MS, Phone, Player
from seed.schedule import HOUR_MS


def moment_ms(episode: Episode, kind: str) -> int:
    """Where an episode is `dull`, or so `good` that one wants it again: the same moment for all its listeners."""
    return int(episode.duration_ms * Random(f"{episode.name}/{kind}").uniform(0.25, 0.8))


def stopping_point(random: Random, duration_ms: int, dull_ms: int | None = None) -> int:
    """Media time after which a usual listener stops: some at once, some where it is dull or elsewhere on the way, most
    at the very end."""
    luck = random.random()
    if luck < 0.1:
        return random.randrange(4_000, 110_000)
    if luck < 0.3:
        way = random.uniform(0.2, 0.88)
        return int(duration_ms * way) if dull_ms is None or luck > 0.2 else dull_ms + int(way * 15_000)
    if luck < 0.42:
        return int(duration_ms * random.uniform(0.91, 0.99))  # leaves when the credits begin
    return duration_ms


def listen_at_home(phone: Phone, episode: Episode, start_ms: int) -> None:
    """Streams it, perhaps with a break."""
    player = Player(phone, episode, start_ms, offline=phone.random.random() < 0.08)
    wanted_ms = stopping_point(phone.random, episode.duration_ms, moment_ms(episode, "dull"))
    player.play()
    if wanted_ms > 5 * MINUTE_MS and phone.random.random() < 0.3:
        player.hear(int(wanted_ms * phone.random.uniform(0.2, 0.8)))
        player.rest(MINUTE_MS // 2, 40 * MINUTE_MS)
        player.play()
    player.hear(wanted_ms - player.position_ms)
    player.finish()


def commute(phone: Phone, episode: Episode, start_ms: int) -> None:
    """Downloads at night over wifi; hears it on the rides of the next working day, without a connection."""
    random = phone.random
    player = Player(phone, episode, start_ms, offline=True)
    player.download()
    morning_ms = _next_working_morning(player.now_ms + phone.zone_ms) - phone.zone_ms
    player.play(morning_ms + random.randrange(7 * HOUR_MS, 8 * HOUR_MS))
    player.hear(random.randrange(14, 38) * MINUTE_MS)
    if player.left_ms > 0 and random.random() < 0.85:
        player.play(morning_ms + random.randrange(17 * HOUR_MS, 18 * HOUR_MS + HOUR_MS // 2))
        player.hear(random.randrange(14, 38) * MINUTE_MS)
    player.finish()


def _next_working_morning(local_ms: int) -> int:
    day = local_ms // DAY_MS + 1
    while (day + 3) % 7 >= 5:
        day += 1
    return day * DAY_MS


def drop_out(phone: Phone, episode: Episode, start_ms: int) -> None:
    """Gives everything a few seconds or minutes."""
    player = Player(phone, episode, start_ms)
    player.play()
    if phone.random.random() > 0.12:
        player.hear(int(phone.random.expovariate(1 / 50_000)) + 2_000)
    player.finish()


def stop_at_an_edge(phone: Phone, episode: Episode, start_ms: int) -> None:
    """Stops on the very second that makes a listen or a completion, or just before it: a rule that is off by one
    counts these wrong."""
    listen_ms, completion_ms = 30_000, -(-(episode.duration_ms // 1000) * 9 // 10) * 1000
    player = Player(phone, episode, start_ms)
    player.play()
    player.hear(phone.random.choice((listen_ms, listen_ms - 1, completion_ms, completion_ms - 1)))
    player.finish()


def listen_again(phone: Phone, episode: Episode, start_ms: int) -> None:
    """Goes back half a minute whenever something was good, and once more where everybody found it good."""
    player = Player(phone, episode, start_ms)
    player.play()
    for _ in range(phone.random.randrange(1, 5)):
        player.hear(phone.random.randrange(40_000, 5 * MINUTE_MS), then="seek")
        player.jump_to(player.position_ms - phone.random.randrange(10_000, 60_000))
    to_good_ms = moment_ms(episode, "good") - player.position_ms
    if to_good_ms > 0:
        player.hear(to_good_ms, then="seek")
        player.jump_to(player.position_ms - phone.random.randrange(20_000, 35_000))
    player.hear(stopping_point(phone.random, player.left_ms))
    player.finish()


def skip_breaks(phone: Phone, episode: Episode, start_ms: int) -> None:
    """Jumps over the opening and over the middle, where advertisements live."""
    random = phone.random
    player = Player(phone, episode, start_ms)
    player.play()
    player.hear(random.randrange(12_000, 40_000), then="seek")
    player.jump_to(player.position_ms + random.randrange(30_000, 90_000))
    player.hear(episode.duration_ms // 2 - player.position_ms + random.randrange(0, 20_000), then="seek")
    player.jump_to(player.position_ms + random.randrange(60_000, 100_000))
    player.hear(stopping_point(random, player.left_ms))
    player.finish()


def listen_offline(phone: Phone, episode: Episode, start_ms: int) -> None:
    """Everything was stored before the journey; there is no connection for days."""
    player = Player(phone, episode, start_ms, offline=True)
    player.play()
    player.hear(stopping_point(phone.random, episode.duration_ms, moment_ms(episode, "dull")))
    player.finish()


def rush(phone: Phone, episode: Episode, start_ms: int) -> None:
    """A machine that claims to play at eight times the speed; whole spans are not believed."""
    player = Player(phone, episode, start_ms)
    player.speed = 8.0
    player.play()
    player.hear_rest()
    player.finish()
