"""Workers of several partitions add to the same cells at once: nothing is lost, and nobody waits in a circle."""

import random
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, text

from api.measurement.fold import Fold
from api.measurement.reach_step import write_reach
from models import reach
from models.reach import Sketches

WORKERS = 4
STEPS = 12
SHOWS = range(1, 4)
DAYS = range(20_000, 20_004)


def steps_of(worker: int) -> list[list[tuple[int, int, bytes]]]:
    """What each step of a worker finds listened to, in no order: show, day, device."""
    chance = random.Random(worker)
    return [
        [(chance.choice(SHOWS), chance.choice(DAYS), chance.randbytes(16)) for _ in range(30)] for _ in range(STEPS)
    ]


def test_workers_at_once_write_what_one_would_have_written(engine: Engine) -> None:
    def work(worker: int) -> None:
        for listened in steps_of(worker):
            with engine.begin() as connection:
                write_reach(
                    connection,
                    Fold(episodes={}, listened=listened),
                    [(7, show, day, device) for show, day, device in listened],
                )

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))
    found = [row for worker in range(WORKERS) for step in steps_of(worker) for row in step]
    with engine.connect() as connection:
        for table in ("show_reach", "campaign_reach"):
            rows = connection.execute(
                text(f"SELECT show_id, is_month, day, hll, theta FROM {table} ORDER BY show_id, is_month, day")
            ).all()
            assert len(rows) == len(SHOWS) * (len(DAYS) + 1)
            for show, is_month, day, *sketches in rows:
                devices = [device for at, on, device in found if at == show and (is_month or on == day)]
                items = [reach.item_of(device) for device in devices]
                assert Sketches(*map(bytes, sketches)) == reach.add(reach.NOTHING, items)
