"""Keeps which devices a campaign reached, and how often, in step with its confirmed impressions."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable

from sqlalchemy import Connection

from models.queries import impressions as store

DeviceKey = tuple[int, bytes]
"""campaign_id, device."""
Reached = tuple[int, int]
"""Confirmed impressions, and the day of the first."""
MOST_FREQUENT = 5
"""Devices with so many impressions and with more are one row."""


def change_devices(
    connection: Connection,
    keys: Collection[DeviceKey],
    change: Callable[[DeviceKey, Reached | None], Reached | None],
) -> None:
    """Replace what is known of devices by what `change` makes of it, and their frequencies with it; None: not reached.

    A device's events are in one partition, so nobody else changes its rows meanwhile.
    """
    ordered = sorted(keys)
    before: dict[DeviceKey, Reached] = {}
    for campaign_id, device, impressions, first_day in store.list_campaign_devices(connection, ordered):
        before[campaign_id, bytes(device)] = impressions, first_day
    put, gone = [], []
    frequencies: Counter[tuple[int, int, int]] = Counter()
    for key in ordered:
        old = before.get(key)
        new = change(key, old)
        if new == old:
            continue
        if old:
            frequencies[key[0], old[1], min(old[0], MOST_FREQUENT)] -= 1
        if new:
            frequencies[key[0], new[1], min(new[0], MOST_FREQUENT)] += 1
            put.append((*key, *new))
        else:
            gone.append(key)
    store.put_campaign_devices(connection, put)
    store.delete_campaign_devices(connection, gone)
    rows = [(*key, devices) for key, devices in sorted(frequencies.items()) if devices]
    store.add_campaign_frequencies(connection, rows)


def add_confirmed(connection: Connection, confirmed: Iterable[tuple[int, int, bytes]]) -> None:
    """Count impressions that became confirmed: (campaign_id, day, device), one for each."""
    added: Counter[DeviceKey] = Counter()
    first: dict[DeviceKey, int] = {}
    for campaign_id, day, device in confirmed:
        key = campaign_id, device
        added[key] += 1
        first[key] = min(day, first.get(key, day))

    def more(key: DeviceKey, old: Reached | None) -> Reached:
        return (old[0] + added[key], min(old[1], first[key])) if old else (added[key], first[key])

    change_devices(connection, added, more)
