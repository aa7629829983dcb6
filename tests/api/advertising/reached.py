"""Reach and impressions as the worker would have counted them, put straight into the store."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Engine
from sqlmodel import Session, select

from api.measurement.reach_step import first_of_month
from models import reach
from models.advertising import Campaign, Placement, PlacementDay, PlacementSplit
from models.columns import day_from_number, day_number
from models.queries import reach_cells
from models.queries.impressions import add_campaign_frequencies
from models.tables import Episode, Show
from tests.api.advertising.conftest import Market, today

Heard = Mapping[tuple[str, int], Iterable[int]]
"""Show's UUID and day (counted from today) -> devices, as the numbers that go into sketches."""


def devices(seed: object, size: int) -> list[int]:
    """Random ones."""
    numbers = random.Random(f"{seed}")
    return [numbers.getrandbits(64) - (1 << 63) for _ in range(size)]


def put_listeners(market: Market, heard: Heard) -> None:
    """These devices had a listen to these shows on these days."""
    with Session(market.engine) as session:
        ids = {str(show.uuid): show.id for show in session.exec(select(Show))}
    items: dict[Any, set[int]] = defaultdict(set)
    for (show, offset), found in heard.items():
        day = day_number(today()) + offset
        for key in (ids[show], False, day), (ids[show], True, first_of_month(day)):
            items[key].update(found)
    cells = [(key, reach.add(reach.NOTHING, found)) for key, found in items.items()]
    with market.engine.begin() as connection:
        reach_cells.put_cells(connection, reach_cells.SHOW_REACH, cells)


def put_reached(market: Market, campaign: dict[str, Any], show: str, heard: Mapping[int, Iterable[int]]) -> None:
    """These devices had a confirmed impression each on these days (counted from today)."""
    with Session(market.engine) as session:
        campaign_id = session.exec(select(Campaign.id).where(Campaign.uuid == UUID(campaign["id"]))).one()
        show_id = session.exec(select(Show.id).where(Show.uuid == UUID(show))).one()
    now = day_number(today())
    first: dict[int, int] = {}
    times: Counter[int] = Counter()
    for day, found in sorted(heard.items()):
        for device in set(found):
            first.setdefault(device, now + day)
            times[device] += 1
    rows = Counter((campaign_id, first[device], min(5, number)) for device, number in times.items())
    cells = [
        ((campaign_id, show_id, False, now + day), reach.add(reach.NOTHING, found)) for day, found in heard.items()
    ]
    with market.engine.begin() as connection:
        add_campaign_frequencies(connection, [(*key, number) for key, number in sorted(rows.items())])
        reach_cells.put_cells(connection, reach_cells.CAMPAIGN_REACH, cells)


def put_impressions(
    engine: Engine, placement: dict[str, Any], episode: str, days: Mapping[int, Mapping[str, int]]
) -> None:
    """Impressions of an episode by day (counted from today); what is not named is half of what was delivered."""
    with Session(engine) as session:
        placement_id = session.exec(select(Placement.id).where(Placement.uuid == UUID(placement["id"]))).one()
        episode_id = session.exec(select(Episode.id).where(Episode.uuid == UUID(episode))).one()
        for offset, numbers in days.items():
            names = ("started", "heard_25", "heard_50", "heard_75", "heard_100", "confirmed", "offline_confirmed")
            counts = {**dict.fromkeys(names, numbers["delivered"] // 2), **numbers}
            day = day_from_number(day_number(today()) + offset)
            session.add(PlacementDay(placement_id=placement_id, episode_id=episode_id, day=day, **counts))
        session.commit()


def put_split(engine: Engine, placement: dict[str, Any], kind: str, days: Mapping[int, Mapping[str, int]]) -> None:
    """Delivered impressions of `app`, `device` or `country` by day."""
    with Session(engine) as session:
        placement_id = session.exec(select(Placement.id).where(Placement.uuid == UUID(placement["id"]))).one()
        for offset, values in days.items():
            day = day_from_number(day_number(today()) + offset)
            for value, number in values.items():
                row = {"placement_id": placement_id, "kind": kind, "day": day, "value": value}
                session.add(PlacementSplit(**row, delivered=number))
        session.commit()
