"""An attacker with an advertiser's key asks all that may be asked, subtracts, and finds no group of fewer than 50."""

import random
from collections.abc import Iterable, Iterator
from itertools import combinations, pairwise
from statistics import mean
from typing import Any, NamedTuple

import pytest
from sqlmodel import Session

from models.privacy_cells import LEAST
from tests.api.advertising.conftest import Market, day
from tests.api.advertising.reached import devices, put_impressions, put_listeners, put_reached, put_split
from tests.api.advertising.test_reports import ask, query
from tests.factories import make_show

DAYS = 14
VALUES = {"app": ("Castaway", "Overlook", "Tinpod"), "country": ("SI", "AT", "HU", "MT")}
SEEDS = (1, 2, 3)


# -- a campaign's own numbers ----------------------------------------------------------------------------------------


class World(NamedTuple):
    """What was counted: episode, then day (counted from today), then delivered."""

    campaign: dict[str, Any]
    episodes: dict[str, dict[int, int]]
    splits: dict[str, dict[int, dict[str, int]]]


def world(market: Market, seed: int) -> World:
    """A campaign in three episodes, with days and values of few and of many; one episode has next to nothing."""
    chance = random.Random(seed)
    campaign = market.campaign(from_day=day(-DAYS), to_day=day(10))
    episodes = {market.episode: 400, market.add_episode(): 60, market.add_episode(): 3}
    found: dict[str, dict[int, int]] = {}
    totals = dict.fromkeys(range(-DAYS, 0), 0)
    for episode, size in episodes.items():
        ad = market.placement(campaign, episode_id=episode, from_day=day(0))
        found[episode] = {offset: chance.randrange(size) for offset in range(-DAYS, 0)}
        put_impressions(market.engine, ad, episode, {at: {"delivered": n} for at, n in found[episode].items()})
        for at, number in found[episode].items():
            totals[at] += number
    splits = {
        kind: {at: parted(chance, number, values) for at, number in totals.items()} for kind, values in VALUES.items()
    }
    for kind, days in splits.items():
        put_split(market.engine, ad, kind, days)
    reached = devices(seed, 4000)
    put_reached(
        market, campaign, market.show, {at: chance.sample(reached, chance.randrange(5, 90)) for at in range(-DAYS, 0)}
    )
    return World(campaign, found, splits)


def parted(chance: random.Random, number: int, values: tuple[str, ...]) -> dict[str, int]:
    """So many, nearly all of the first value."""
    found = dict.fromkeys(values, 0)
    for value in chance.choices(values, weights=[60, *[2] * (len(values) - 1)], k=number):
        found[value] += 1
    return found


Named = dict[tuple[str, ...], int | None]
"""What a number is about -> the number, None where hidden."""


def numbers_of(market: Market, campaign: dict[str, Any], to: int) -> Named:
    """Every number of every answer about the campaign up to a day."""
    path, found = f"/v1/campaigns/{campaign['id']}", Named()
    report = ask(market, "mine", f"{path}/report?to={day(to)}")
    found |= {("total", name): number for name, number in report["totals"].items()}
    for row in report["days"]:
        found |= {(f"day {row['day']}", name): row[name] for name in ("delivered", "confirmed", "offline_confirmed")}
    for row in report["episodes"]:
        found |= {(f"episode {row['episode_id']}", name): row[name] for name in report["totals"]}
    for kind in ("apps", "devices", "countries"):
        found |= {(f"{kind} {row['value']}", "delivered"): row["delivered"] for row in report[kind]}
    reach = ask(market, "mine", f"{path}/reach?to={day(to)}&by=day")
    found |= {(f"reach {row['day']}", "devices"): row["value"] for row in reach["rows"]}
    frequency = ask(market, "mine", f"{path}/frequency")
    found |= {(f"frequency {row['frequency']}", "devices"): row["devices"] for row in frequency["rows"]}
    return found


def small_differences(numbers: Iterable[int | None]) -> list[int]:
    """What two of the numbers, or a number and nothing, differ by, where that is something and fewer than 50."""
    listed = [0, *(number for number in numbers if number is not None)]
    return sorted({abs(left - right) for left, right in combinations(listed, 2) if 0 < abs(left - right) < LEAST})


@pytest.mark.parametrize("seed", SEEDS)
def test_no_two_numbers_of_a_campaign_differ_by_fewer_than_50(market: Market, seed: int) -> None:
    campaign = world(market, seed).campaign
    asked = {to: numbers_of(market, campaign, to) for to in range(-DAYS, 1)}
    everything = [number for numbers in asked.values() for number in numbers.values()]
    assert len(everything) > 500
    assert small_differences(everything) == []
    # The same days in spans that begin otherwise would be another way to the same differences: there is none.
    for first in range(-DAYS + 1, 0):
        for name in ("report", "reach"):
            answer = market.call("mine", "GET", f"/v1/campaigns/{campaign['id']}/{name}?from={day(first)}")
            assert answer.status_code == 422
    # An admin reads the very numbers, and so could tell.
    plain = ask(market, "admin", f"/v1/campaigns/{campaign['id']}/report")
    assert small_differences(row["delivered"] for row in plain["days"])


class Range(NamedTuple):
    """From where to where a number must be."""

    low: int
    high: int


def told(number: int | None) -> Range:
    """What an answer says of a number."""
    return Range(0, LEAST - 1) if number is None else Range(number, number + LEAST - 1)


def worked_out(world: World, asked: dict[int, Named]) -> Iterator[tuple[int, Range]]:
    """Groups, and what can be worked out of each: of a day; of an episode, an app or a country up to a day, and on a
    day. From sums up to two days that follow each other, and from sums less all other parts of them."""
    days = sorted(asked)
    total = {to: told(asked[to]["total", "delivered"]) for to in days}
    for before, to in pairwise(days):
        true = sum(counts.get(to, 0) for counts in world.episodes.values())
        yield true, Range(total[to].low - total[before].high, total[to].high - total[before].low)
    axes = {f"episode {episode}": counts for episode, counts in world.episodes.items()}
    yield from _parts(asked, total, axes)
    for kind, name in (("app", "apps"), ("country", "countries")):
        found = world.splits[kind]
        yield from _parts(
            asked, total, {f"{name} {value}": {at: found[at][value] for at in found} for value in VALUES[kind]}
        )


def _parts(
    asked: dict[int, Named], total: dict[int, Range], axes: dict[str, dict[int, int]]
) -> Iterator[tuple[int, Range]]:
    for to, whole in total.items():
        ranges = {axis: told(asked[to].get((axis, "delivered"))) for axis in axes}
        for axis, counts in axes.items():
            others = [found for name, found in ranges.items() if name != axis]
            low = whole.low - sum(found.high for found in others)
            high = whole.high - sum(found.low for found in others)
            own = ranges[axis]
            yield sum(n for at, n in counts.items() if at <= to), Range(max(low, own.low), min(high, own.high))
    for axis, counts in axes.items():
        for before, to in pairwise(sorted(asked)):
            was, is_now = (told(asked[at].get((axis, "delivered"))) for at in (before, to))
            yield counts[to], Range(is_now.low - was.high, is_now.high - was.low)


@pytest.mark.parametrize("seed", SEEDS)
def test_of_no_small_group_can_be_worked_out_how_large_it_is(market: Market, seed: int) -> None:
    made = world(market, seed)
    asked = {to: numbers_of(market, made.campaign, to) for to in range(-DAYS, 0)}
    groups = [(true, found) for true, found in worked_out(made, asked) if 0 < true < LEAST]
    assert len(groups) > 30
    for true, found in groups:
        assert found.low <= true <= found.high
        # It can be seen that there is somebody; hardly how many.
        assert max(found.low, 0) <= len(made.episodes)
        assert found.high >= LEAST - 1


def seen_through_a_budget(market: Market, heard: dict[int, int]) -> list[Any]:
    """All that an advertiser is told who sets her budget to one number after another, and then tries caps."""
    campaign = market.campaign(price_cents=1000, budget_cents=50)
    ad = market.placement(campaign, episode_id=market.add_episode())
    for at, number in heard.items():
        market.count(ad, at, confirmed=number)
    path, told = f"/v1/campaigns/{campaign['id']}", []
    own = {"exhausted_at", "updated_at", "id", "name", "created_at"}
    for change in [{"budget_cents": n} for n in BUDGETS] + [{"daily_cap": n} for n in (50, 100, 150)]:
        answer = market.call("mine", "PATCH", path, change)
        bodies = answer.json(), ask(market, "mine", f"{path}/pacing")
        told += [(answer.status_code, {k: v for k, v in body.items() if k not in own}) for body in bodies]
    return told


BUDGETS = (51, 60, 61, 62, 99, 100, 101, 111, 112, 149, 150, 151, 199, 200, 201, 500)
"""In single impressions: a budget is an offset that the attacker chooses freely."""


def test_no_budget_tells_more_than_whole_fifties(market: Market) -> None:
    seen = [seen_through_a_budget(market, {-2: first, -1: second}) for first, second in ((51, 60), (99, 50), (50, 50))]
    assert seen[0] == seen[1] == seen[2]
    assert seen[0] != seen_through_a_budget(market, {-2: 100, -1: 50})


# -- freely chosen shows and days ------------------------------------------------------------------------------------

GROUPS = (13, 18, 22, 27, 31, 36)
"""Devices that one show has and the others have not."""
CROWDS = (900, 1700, 2600, 1300)


class Hidden(NamedTuple):
    """Shows as the attacker knows them: each of `hiding` has the devices of `base`, and a few more on one day."""

    base: str
    hiding: list[str]
    crowds: list[str]


@pytest.fixture
def hidden(market: Market) -> Hidden:
    """Shows with a group each, and others to hide among."""
    with Session(market.engine) as session:
        others = [str(make_show(session).uuid) for _ in range(len(GROUPS) + len(CROWDS))]
    hiding, crowds = others[: len(GROUPS)], others[len(GROUPS) :]
    base = devices("base", 1500)
    heard: dict[tuple[str, int], list[int]] = {(market.show, -20): base[:800], (market.show, -5): base[700:]}
    for show, size in zip(hiding, GROUPS, strict=True):
        heard |= {(show, -20): base[:800], (show, -5): base[700:], (show, -9): devices(f"group {size}", size)}
    for show, size in zip(crowds, CROWDS, strict=True):
        heard |= {(show, -30): devices(show, size), (show, -4): devices(show, size * 2)[size // 2 :]}
    put_listeners(market, heard)
    return Hidden(market.show, hiding, crowds)


def value(market: Market, path: str) -> int:
    """The number of an answer; what is hidden counts as nothing."""
    return ask(market, "mine", path)["reach"]["value"] or 0


def estimates(market: Market, hidden: Hidden, show: str) -> list[int]:
    """What the group comes to by each pair of questions with and without it: other shows beside it, spans with and
    without its day."""
    sides = [(), *((crowd,) for crowd in hidden.crowds), *combinations(hidden.crowds, 2)]
    found = []
    for beside in sides:
        span = f"from={day(-25)}&to={day(0)}"
        without = value(market, f"/v1/reach?{query([hidden.base, *beside])}&{span}")
        found.append(value(market, f"/v1/reach?{query([hidden.base, show, *beside])}&{span}") - without)
    for first in (-12, -10, -9):
        with_day = value(market, f"/v1/reach?{query([show])}&from={day(first)}&to={day(-1)}")
        found.append(with_day - value(market, f"/v1/reach?{query([show])}&from={day(-8)}&to={day(-1)}"))
    return found


def test_the_planner_tells_no_group_apart_however_often_it_is_asked(market: Market, hidden: Hidden) -> None:
    for show, size in zip(hidden.hiding, GROUPS, strict=True):
        found = estimates(market, hidden, show)
        assert [number for number in found if 0 < abs(number) < LEAST] == []
        # A sample always says the same of a group, so there is nothing that an average could bring nearer to the truth.
        assert abs(mean(found) - size) > LEAST // 5
        span = f"from={day(-25)}&to={day(0)}"
        adds = ask(market, "mine", f"/v1/reach/incremental?{query([hidden.base], add=show)}&{span}")
        assert adds["rows"][0]["value"] is None
        alone = ask(market, "mine", f"/v1/reach?{query([show])}&from={day(-9)}&to={day(-9)}")
        assert alone["reach"]["value"] is None
        overlap = ask(market, "mine", f"/v1/reach/overlap?{query([hidden.base, show])}&{span}")["rows"]
        assert small_differences(row["value"] for row in overlap) == []


def test_an_admin_could_tell_each_of_these_groups(market: Market, hidden: Hidden) -> None:
    span = f"from={day(-25)}&to={day(0)}"
    adds = "&".join(f"add={show}" for show in hidden.hiding)
    found = ask(market, "admin", f"/v1/reach/incremental?{query([hidden.base])}&{adds}&{span}")
    assert [row["value"] for row in found["rows"]] == list(GROUPS)
