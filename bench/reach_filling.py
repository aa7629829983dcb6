"""A store with a year of reach in it: cells of sketches put straight into their tables, a million devices with habits.

Everything that comes before a cell is left out; the cells are made by the code that makes them when playbacks come.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine
from sqlmodel import Session

from api.measurement.reach_step import days_of_month, first_of_month
from models import reach
from models.advertising import Advertiser, Campaign
from models.columns import day_number
from models.queries import reach_cells
from models.queries.impressions import add_campaign_frequencies
from models.queries.reach_cells import CAMPAIGN_REACH, SHOW_REACH
from models.reach import Sketches
from models.tables import Role, Show, User

SHOWS = 50
DAYS = 365
DEVICES_A_DAY = 10_000
"""Of each show."""
REGULARS = 20_000
"""Devices that often hear a show; most of a day's are among them."""
REGULAR_SHARE = 0.7
WORLD = 1_000_000
"""Devices in all; those who are no regulars are any of them."""
CAMPAIGN_DAYS = 90
CAMPAIGN_SHOWS = 10

Items = NDArray[np.int64]


def first_day(today: date) -> date:
    """Not the first of a month, so that no span of the bench is one of whole months."""
    first = today - timedelta(days=DAYS)
    return first if first.day > 1 else first - timedelta(days=1)


def fill(engine: Engine, today: date, *, devices_a_day: int, tell: Callable[[int], None]) -> tuple[list[int], int]:
    """A year of 50 shows, and a campaign in some of them; their keys. `tell` hears how many shows are in."""
    rng = np.random.default_rng(20)
    world = rng.integers(-(1 << 63), (1 << 63) - 1, size=WORLD, dtype=np.int64)
    shows, campaign = _catalogue(engine, today)
    first = day_number(first_day(today))
    frequencies = np.zeros(WORLD, np.int64)
    for place, show_id in enumerate(shows):
        with engine.begin() as connection:
            cells = _days(rng, world, devices_a_day, place, frequencies)
            _put_show(connection, show_id, campaign if place < CAMPAIGN_SHOWS else None, first, cells)
        tell(place + 1)
    with engine.begin() as connection:
        _put_frequencies(connection, campaign, first, frequencies)
    return shows, campaign


def _days(
    rng: np.random.Generator, world: Items, devices_a_day: int, place: int, frequencies: Items
) -> Iterator[Sketches]:
    """A show's cells, day by day. Neighbours among the shows share half of their regulars."""
    begin = place * REGULARS // 2 % (WORLD - REGULARS)
    from_regulars = round(devices_a_day * REGULAR_SHARE)
    for number in range(DAYS):
        regulars = begin + rng.permutation(REGULARS)[:from_regulars]
        others = rng.integers(0, WORLD, size=devices_a_day - len(regulars))
        chosen = np.r_[regulars, others]
        if place < CAMPAIGN_SHOWS and number >= DAYS - CAMPAIGN_DAYS:
            np.add.at(frequencies, chosen, 1)
        yield reach.add(reach.NOTHING, world[chosen].tolist())


def _put_show(
    connection: Connection, show_id: int, campaign: int | None, first: int, cells: Iterator[Sketches]
) -> None:
    days = {first + number: cell for number, cell in enumerate(cells)}
    whole = {
        month: reach.merge([days[day] for day in days_of_month(month) if day in days])
        for month in {first_of_month(day) for day in days}
    }
    rows = [((show_id, False, day), cell) for day, cell in days.items()]
    rows += [((show_id, True, month), cell) for month, cell in whole.items()]
    reach_cells.put_cells(connection, SHOW_REACH, rows)
    if campaign is not None:
        last = first + DAYS - CAMPAIGN_DAYS
        of_campaign = [((campaign, *key), cell) for key, cell in rows if not key[1] and key[2] >= last]
        reach_cells.put_cells(connection, CAMPAIGN_REACH, of_campaign)


def _put_frequencies(connection: Connection, campaign: int, first: int, frequencies: Items) -> None:
    day = first + DAYS - CAMPAIGN_DAYS
    counted = np.bincount(np.minimum(frequencies[frequencies > 0], 5), minlength=6)
    # Spread over the days on which devices were first reached.
    rows = [
        (campaign, day + number, frequency, int(counted[frequency]) // CAMPAIGN_DAYS)
        for number in range(CAMPAIGN_DAYS)
        for frequency in range(1, 6)
    ]
    add_campaign_frequencies(connection, rows)


def _catalogue(engine: Engine, today: date) -> tuple[list[int], int]:
    now = datetime.now(UTC)
    with Session(engine, expire_on_commit=False) as session:
        owner = User(email="reach@example.com", role=Role.CREATOR, password_hash="!", created_at=now)
        advertiser = Advertiser(name="Bench", created_at=now)
        session.add_all([owner, advertiser])
        session.flush()
        shows = [
            Show(owner_id=owner.id, slug=f"bench-{number}", title="Bench", uuid=uuid4(), created_at=now, updated_at=now)
            for number in range(SHOWS)
        ]
        campaign = Campaign(
            advertiser_id=advertiser.id,
            name="Bench",
            price_cents=2000,
            currency="EUR",
            budget_cents=100_000_000,
            from_day=today - timedelta(days=CAMPAIGN_DAYS),
            to_day=today,
            created_by=owner.id,
            created_at=now,
            updated_at=now,
        )
        session.add_all([*shows, campaign])
        session.commit()
        return [show.id or 0 for show in shows], campaign.id or 0
