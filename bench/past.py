"""A store with a year of listening in it.

The worker's own step fills it, micro-batch by micro-batch, so every table has the rows it would have. Only what comes
before that step is left out, the log and the hashing: the ids are random, which the store cannot tell.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from api.consumers import MEASUREMENT
from api.events.chain import GENESIS
from api.events.records import EventTuple, SyncBatch
from api.measurement.fold import PreparedBatch
from api.measurement.prepare import Prepared
from api.measurement.store_step import commit_step
from bench.traffic import DAY_MS, sitting
from models.queries import offsets

PAST_DAYS = 365
MICRO_BATCH = 2000
"""Batches in one commit: about 40,000 events, what the worker folds at once when it has much to do."""
PATTERNS = 500
"""Different sittings; each is taken again by many devices, on other days and with other episodes."""
LATE_SHARE = 0.3
MAX_LATE_DAYS = 10

Moment = tuple[str, int, int, int, int, bool]
"""kind, ms since the sitting began, from_ms, to_ms, wall_ms, is_offline."""


@dataclass(slots=True)
class Chain:
    """Where a device's log stands."""

    last_seq: int = 0
    last_id: str = GENESIS


def fill(
    engine: Engine, devices: Sequence[bytes], episodes: Sequence[str], *, events: int, now_ms: int, episode_ms: int,
    tell: Callable[[int], None],
) -> dict[bytes, Chain]:  # fmt: skip
    """Have about `events` events counted over the year before `now_ms`; where each device's log stands then. `tell`
    hears how many are in so far."""
    rng = random.Random(events)
    patterns = [_pattern(rng, episode_ms) for _ in range(PATTERNS)]
    chains = {device: Chain() for device in devices}
    visits = round(events * PATTERNS / sum(map(len, patterns)))
    with engine.begin() as connection:
        offsets.append_consumer(connection, MEASUREMENT, 0)
    done = 0
    for first in range(0, visits, MICRO_BATCH):
        batches = []
        for visit in range(first, min(first + MICRO_BATCH, visits)):
            device = rng.choice(devices)
            received_ms = now_ms - (visits - visit) * PAST_DAYS * DAY_MS // visits
            batches.append(_batch(rng, device, chains[device], rng.choice(patterns), rng.choice(episodes), received_ms))
        # The consumer stays where it is: the log that is folded afterwards begins at 0.
        commit_step(engine, MEASUREMENT, 0, 0, Prepared(next_offset=0, batches=batches))
        done += sum(len(prepared.ids) for prepared in batches)
        tell(done)
    return chains


def _pattern(rng: random.Random, episode_ms: int) -> list[Moment]:
    return [
        (kind, at_ms, from_ms, to_ms, wall_ms, is_offline)
        for kind, _, _, at_ms, from_ms, to_ms, wall_ms, is_offline in sitting(rng, "", "", 0, episode_ms)
    ]


def _batch(
    rng: random.Random, device: bytes, chain: Chain, pattern: Sequence[Moment], episode: str, received_ms: int
) -> PreparedBatch:
    """One sitting, told at once or days later, chained to what the device told before."""
    late_ms = rng.randrange(1, MAX_LATE_DAYS) * DAY_MS if rng.random() < LATE_SHARE else rng.randrange(1000, 600_000)
    began_ms = received_ms - late_ms - pattern[-1][1]
    first_seq = chain.last_seq + 1
    events: list[EventTuple] = [
        (seq, kind, episode, f"s{first_seq}", began_ms + at_ms, from_ms, to_ms, wall_ms, is_offline)
        for seq, (kind, at_ms, from_ms, to_ms, wall_ms, is_offline) in enumerate(pattern, first_seq)
    ]
    drawn = rng.randbytes(32 * len(events))
    ids = [drawn[place : place + 32] for place in range(0, len(drawn), 32)]
    last_seq, head = first_seq + len(events) - 1, ids[-1].hex()
    batch = SyncBatch(device, received_ms, rng.randbytes(32), chain.last_id, head, first_seq, last_seq, events)
    chain.last_seq, chain.last_id = last_seq, head
    return PreparedBatch(batch, ids, received_ms // DAY_MS)
