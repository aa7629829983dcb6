"""Placements change while workers fold: whoever comes first, what is counted agrees with the log."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from api.measurement.impressions_redo import recount_impressions
from api.measurement.worker import Worker
from api.settings import Settings
from models.columns import DAY_MS
from models.tables import Episode
from tests.api.measurement.house import House, wrong
from tests.api.measurement.test_impressions import fetch
from tests.device import Phone
from tests.placed import change_placement, make_campaign, place

PARTITIONS = 2


@pytest.fixture
def house(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """An installation that folds record by record."""
    chosen = settings.model_copy(update={"partitions": PARTITIONS, "micro_batch": 1})
    found = House(engine, chosen, monkeypatch)
    yield found
    found.close()


def test_placements_that_change_while_two_workers_fold_are_counted_right(house: House, tale: Episode) -> None:
    campaign = make_campaign(house.engine, house.today - 60, house.today + 30)
    ads = [place(house.engine, campaign, tale, seconds) for seconds in ((60, 90), (100, 130))]
    for number in range(20):
        phone = Phone(str(UUID(int=number % 7 + 1)))
        phone.write(tale.uuid, "pause", 0, 125_000, (house.today - number % 3) * DAY_MS + number * 1000)
        house.send(phone, 1, 1)
        fetch(house, tale, 0, 140_000, day=-(number % 3))
    house.worker.reached()
    workers = [Worker(house.engine, house.log, house.settings) for _ in range(PARTITIONS)]

    def fold(partition: int) -> None:
        is_at_end = False
        while not is_at_end:
            with suppress(OperationalError):  # a store that is busy is tried again
                is_at_end = workers[partition].fold_some(partition) is None

    def move() -> None:
        for number in range(8):
            change_placement(house.engine, ads[number % 2], start_ms=(50 + number) * 1000)
            recount_impressions(house.engine)

    with ThreadPoolExecutor(PARTITIONS + 1) as pool:
        done = [pool.submit(fold, partition) for partition in range(PARTITIONS)] + [pool.submit(move)]
        for future in done:
            future.result()
    assert wrong(house.recount()) == {}
    rows = house.rows("SELECT sum(delivered), sum(confirmed) FROM placement_day GROUP BY placement_id")
    assert len(rows) == 2
    assert all(row[0] and row[1] for row in rows)
