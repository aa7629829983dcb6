"""Compares the downloads that are expected of the demo's access log with what the API says, number by number."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2

from seed.calls import ask

UNKNOWN = "unknown"
DOWNLOAD = "download"
SPANS = ("a day", "7 days", "30 days")


async def find_differences(http: httpx2.AsyncClient, key: str, report: Mapping[str, Any]) -> list[str]:
    """A line for each number that differs, of every show and episode; empty when all agree, or none is expected."""
    expected = report.get("downloads")
    if expected is None:
        return []
    period = {"from": expected["first"], "to": expected["last"]}

    async def read(path: str, **parameters: str) -> Any:
        return await ask(http, "GET", f"/v1/{path}", key=key, params={**period, **parameters})

    lines = []
    for show in report["shows"]:
        path = f"shows/{show['id']}/downloads"
        names = {episode["name"]: episode["id"] for episode in show["episodes"]}
        of_show = expected["by_show"][show["episodes"][0]["name"].partition("/")[0]]
        own = [row for row in expected["by_episode_day"] if row["episode"] in names]
        by_day = await read(path)
        if (other := _other_rules(by_day["counting"], expected)) is not None:
            return [other]
        lines += compare(show["title"], "downloads", _downloads(own, "day"), _found(by_day, "day"))
        for kind in ("app", "device", "country"):
            found = _found(await read(path, by=kind), kind)
            lines += compare(show["title"], "downloads", _named(of_show[kind]), found)
        lines += _consumers(show["title"], of_show["consumers"], (await read(f"{path}/consumers"))["rows"])
        for name, id_ in names.items():
            found = {row["outcome"]: row["hits"] for row in (await read(f"episodes/{id_}/hits"))["rows"]}
            lines += compare(name, "hits", _outcomes(own, name), found)
    return lines


def _other_rules(counting: Mapping[str, Any], expected: Mapping[str, Any]) -> str | None:
    rules, wanted = ((each["window"], each["excess_cap"]) for each in (counting, expected))
    if rules == wanted:
        return None
    return (
        f"Downloads are counted by the window {rules[0]} and a cap of {rules[1]} here; what is expected of the demo's "
        f"is by {wanted[0]} and {wanted[1]}, so they cannot be compared."
    )


def _downloads(rows: list[Mapping[str, Any]], by: str) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        sums[row[by]] += row["outcomes"].get(DOWNLOAD, 0)
    return sums


def _outcomes(rows: list[Mapping[str, Any]], episode: str) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        for outcome, hits in row["outcomes"].items() if row["episode"] == episode else ():
            sums[outcome] += hits
    return sums


def _found(answer: Mapping[str, Any], by: str) -> dict[str, int]:
    return {row[by] or UNKNOWN: row["downloads"] for row in answer["rows"]}


def _named(counts: Mapping[str, int]) -> dict[str, int]:
    return {value or UNKNOWN: count for value, count in counts.items()}


def _consumers(title: str, consumers: Mapping[str, list[int]], rows: list[Mapping[str, Any]]) -> Iterator[str]:
    """Where they are counted; an estimate need not be the expected number."""
    exact = [row for row in rows if row["is_exact"]]
    found = {(row["day"], row["days"]): row["consumers"] for row in exact}
    for day, numbers in consumers.items():
        for span, words, expected in zip((1, 7, 30), SPANS, numbers, strict=True):
            if (day, span) in found and found[day, span] != expected:
                yield f"{title}, {words} to {day}: consumers expected {expected}, found {found[day, span]}"


def compare(title: str, what: str, expected: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    """A line for each number that differs; what one side does not mention is zero."""
    return [
        f"{title}, {name}: {what} expected {expected.get(name, 0)}, found {found.get(name, 0)}"
        for name in sorted({*expected, *found})
        if expected.get(name, 0) != found.get(name, 0)
    ]
