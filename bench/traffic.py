"""What phones send: listening histories as valid logs of the sync protocol, ready to go over the wire.

The same seed gives the same listening; only device ids, and so the event ids, differ from run to run.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from api.events.chain import GENESIS, chain_ids
from api.events.records import EventTuple

LISTEN_SECONDS = 30
DAY_MS = 86_400_000
FIELDS = ("seq", "kind", "episode", "session", "at_ms", "from_ms", "to_ms", "wall_ms", "offline")


class Device(msgspec.Struct):
    """A registered client."""

    device_id: str
    token: str


class Expected(msgspec.Struct):
    """What must be counted once all of it is folded."""

    starts: int = 0
    listens: int = 0
    heard_seconds: int = 0


@dataclass
class Traffic:
    """Whole HTTP requests in the order they go out: every device's first batch, then every device's second, ..."""

    requests: list[bytes] = field(default_factory=list)
    batch_size: int = 1
    expected: Expected = field(default_factory=Expected)


def make_traffic(devices: Sequence[Device], episodes: Sequence[str], *, events: int, batch_size: int, seed: int,
                 now_ms: int, episode_ms: int) -> Traffic:  # fmt: skip
    """About `events` events, at least one batch per device; every batch holds exactly `batch_size`."""
    rounds = max(1, round(events / (batch_size * len(devices))))
    rng = random.Random(seed)
    histories = [
        history(random.Random(rng.random()), episodes, rounds * batch_size, now_ms, episode_ms) for _ in devices
    ]
    batches = [_requests(device, log, batch_size, now_ms) for device, log in zip(devices, histories, strict=True)]
    requests = [batches[place][round_] for round_ in range(rounds) for place in range(len(devices))]
    return Traffic(requests, batch_size, expect(histories))


def history(rng: random.Random, episodes: Sequence[str], count: int, now_ms: int, episode_ms: int) -> list[EventTuple]:
    """A device's log of `count` events, the last of them minutes to days old: phones are often offline."""
    log: list[EventTuple] = []
    clock_ms = 0
    session = 0
    while len(log) < count:
        session += 1
        for event in sitting(rng, rng.choice(episodes), f"s{session}", clock_ms, episode_ms):
            log.append((len(log) + 1, *event))
        clock_ms = log[-1][4] + rng.randrange(10 * 60_000, 12 * 3_600_000)
    del log[count:]
    late_ms = rng.randrange(60_000, 3_600_000) if rng.random() < 0.7 else rng.randrange(3_600_000, 10 * DAY_MS)
    shift = now_ms - late_ms - log[-1][4]
    return [(*event[:4], event[4] + shift, *event[5:]) for event in log]


def sitting(
    rng: random.Random, episode: str, session: str, clock_ms: int, episode_ms: int
) -> Iterator[tuple[str, str, str, int, int, int, int, bool]]:
    """One sitting with one episode: progress once a minute, a jump now and then, an end."""
    is_offline = rng.random() < 0.4
    if rng.random() < 0.1:
        heard_ms = rng.randrange(2_000, 29_000)
        yield "short", episode, session, clock_ms + heard_ms, 0, heard_ms, heard_ms, is_offline
        return
    if is_offline:
        yield "download", episode, session, clock_ms, 0, 0, 0, False
    speed = rng.choice((1.0, 1.0, 1.0, 1.25, 1.5, 2.0))
    position = rng.choice((0, 0, rng.randrange(0, episode_ms // 2)))
    yield "play", episode, session, clock_ms, position, position, 0, is_offline
    for _ in range(rng.randrange(3, 40)):
        jumps = rng.random() < 0.1
        wall_ms = rng.randrange(5_000, 60_000) if jumps else 60_000
        end = min(position + int(wall_ms * speed), episode_ms)
        clock_ms += wall_ms
        kind = "complete" if end == episode_ms else "seek" if jumps else "progress"
        yield kind, episode, session, clock_ms, position, end, wall_ms, is_offline
        if end == episode_ms:
            return
        position = rng.randrange(0, episode_ms - 60_000) if jumps else end
    end = min(position + 20_000, episode_ms)
    yield "pause", episode, session, clock_ms + 20_000, position, end, 20_000, is_offline


def _requests(device: Device, log: list[EventTuple], batch_size: int, now_ms: int) -> list[bytes]:
    """The device's log cut into HTTP requests."""
    ids = [GENESIS, *(event_id.hex() for event_id in chain_ids(device.device_id, GENESIS, log))]
    return [
        request(device, ids[first], ids[first + batch_size], log[first : first + batch_size], now_ms)
        for first in range(0, len(log), batch_size)
    ]


def request(device: Device, after: str, head: str, events: Sequence[EventTuple], now_ms: int) -> bytes:
    """One POST /v1/sync as it goes over the wire."""
    body = msgspec.json.encode(
        {
            "sent_at_ms": now_ms,
            "after": after,
            "head": head,
            "events": [dict(zip(FIELDS, event, strict=True)) for event in events],
        }
    )
    header = (
        f"POST /v1/sync HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {device.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return header.encode() + body


def expect(histories: Sequence[Sequence[EventTuple]]) -> Expected:
    """The counts of these histories by brute force: a set of whole seconds per device, episode and day."""
    heard: dict[tuple[int, str, int], set[int]] = defaultdict(set)
    started: set[tuple[int, str, int]] = set()
    for place, log in enumerate(histories):
        for _, kind, episode, _, at_ms, from_ms, to_ms, _, _ in log:
            key = (place, episode, at_ms // DAY_MS)
            heard[key].update(range(from_ms // 1000, to_ms // 1000))
            if kind != "download":
                started.add(key)
    return Expected(
        starts=len(started),
        listens=sum(len(seconds) >= LISTEN_SECONDS for seconds in heard.values()),
        heard_seconds=sum(map(len, heard.values())),
    )
