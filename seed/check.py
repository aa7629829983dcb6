"""Compares what is expected with what the API says, number by number."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import httpx2

from seed.calls import ask
from seed.expected import Counts

FIELDS = tuple(Counts.__dataclass_fields__)
EPOCH = date(1970, 1, 1)
Row = dict[str, Any]


async def find_differences(http: httpx2.AsyncClient, key: str, report: dict[str, Any]) -> list[str]:
    """A line for each number that differs, by day and by episode of every show; empty when all agree."""
    rows = report["by_episode_day"]
    if not rows:
        return []
    first, last = (EPOCH + timedelta(days=pick(row["day"] for row in rows)) for pick in (min, max))
    lines = []
    for show in report["shows"]:
        ids = {episode["name"]: episode["id"] for episode in show["episodes"]}
        own = [row for row in rows if row["episode"] in ids]
        expected_by_day = _sum_by((str(EPOCH + timedelta(days=row["day"])), row) for row in own)
        expected_by_episode = _sum_by((ids[row["episode"]], row) for row in own)
        for by, name, expected in (("day", "day", expected_by_day), ("episode", "episode_id", expected_by_episode)):
            parameters = {"from": str(first), "to": str(last), "by": by}
            path = f"/v1/shows/{show['id']}/stats"
            found = (await ask(http, "GET", path, key=key, params=parameters))["rows"]
            lines += compare(show["title"], expected, {row[name]: _counts(row) for row in found})
    return lines


def _sum_by(rows: Iterable[tuple[str, Row]]) -> dict[str, Counts]:
    sums: dict[str, Counts] = {}
    for name, row in rows:
        sums.setdefault(name, Counts()).add(_counts(row))
    return sums


def _counts(row: Row) -> Counts:
    return Counts(**{field: row[field] for field in FIELDS})


def compare(title: str, expected: Mapping[str, Counts], found: Mapping[str, Counts]) -> list[str]:
    """A line for each number that differs; what one side does not mention is zero."""
    return [
        f"{title}, {name}: {field} expected {getattr(wanted, field)}, found {getattr(got, field)}"
        for name in sorted({*expected, *found})
        for wanted, got in [(expected.get(name, Counts()), found.get(name, Counts()))]
        for field in FIELDS
        if getattr(wanted, field) != getattr(got, field)
    ]
