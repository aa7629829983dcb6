"""Each rule finds what it is for, and leaves the listener beside it alone. Counts never change."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from api.holds.rules import RULES
from models.columns import day_number
from models.tables import Episode
from tests.api.holds.conftest import Scene
from tests.api.holds.downloads import fetch_as
from tests.api.holds.spikes import put_listens, put_playbacks
from tests.device import Phone
from tests.factories import make_episode


def honest(scene: Scene, tale: Episode) -> Phone:
    """Somebody who fetches an episode and hears it."""
    scene.house.hit(tale.uuid)
    phone = scene.phone()
    scene.hear(phone, tale, (0, 600), wall_ms=601_234)
    return phone


def over_24_hours(scene: Scene, tale: Episode) -> set[bytes]:
    phone = scene.phone()
    for start in range(0, 500, 50):
        scene.hear(phone, tale, (start, start + 50), wall_ms=9_000_000)
    return {phone.bytes}


def forked_log(scene: Scene, tale: Episode) -> set[bytes]:
    phone = scene.phone()
    scene.hear(phone, tale, (0, 45))
    clone = Phone(phone.device_id)
    scene.hear(clone, tale, (100, 200))
    return {phone.bytes}


def broken_log(scene: Scene, tale: Episode) -> set[bytes]:
    phone = scene.phone()
    phone.write(tale.uuid, "pause", 0, 60_000, scene.house.now_ms - 5000)
    phone.ids[-1] = "ab" * 32
    scene.house.send(phone, 1, 1)
    return {phone.bytes}


def log_gap(scene: Scene, tale: Episode) -> set[bytes]:
    phone = scene.phone()
    phone.write(tale.uuid, "pause", 0, 60_000, scene.house.now_ms - 5000)
    scene.hear(phone, tale, (60, 120))
    return {phone.bytes}


def crowd_from_network(scene: Scene, tale: Episode) -> set[bytes]:
    now = datetime.fromtimestamp(scene.house.now_ms / 1000, UTC)
    crowd = [scene.phone(network=-7, registered=now - timedelta(seconds=40 * number)) for number in range(52)]
    slow = [scene.phone(network=8, registered=now - timedelta(minutes=5 * number)) for number in range(52)]
    for number, phone in enumerate((*crowd, *slow)):
        scene.hear(phone, tale, (number, number + 100))
        scene.house.hit(tale.uuid)
    return {phone.bytes for phone in crowd}


def no_delivery(scene: Scene, tale: Episode) -> set[bytes]:
    now = datetime.fromtimestamp(scene.house.now_ms / 1000, UTC)
    farm = [scene.phone(registered=now) for _ in range(60)]
    for number, phone in enumerate(farm):
        scene.hear(phone, tale, (number, number + 100))
    return {phone.bytes for phone in farm}


def identical_coverage(scene: Scene, tale: Episode) -> set[bytes]:
    farm = [scene.phone() for _ in range(25)]
    for phone in farm:
        scene.house.hit(tale.uuid)
        scene.hear(phone, tale, (10, 50), (70, 230))
    for number in range(25):  # whole, as most people listen, each in a time of its own
        scene.house.hit(tale.uuid)
        scene.hear(scene.phone(), tale, (0, 600), wall_ms=600_100 + number)
    return {phone.bytes for phone in farm}


def identical_to_the_millisecond(scene: Scene, tale: Episode) -> set[bytes]:
    farm = [scene.phone() for _ in range(25)]
    for phone in farm:
        scene.house.hit(tale.uuid)
        scene.hear(phone, tale, (0, 600), wall_ms=600_000)
    return {phone.bytes for phone in farm}


CASES: dict[str, tuple[str, Callable[[Scene, Episode], set[bytes]]]] = {
    "longer than a day": ("over_24_hours", over_24_hours),
    "a clone": ("forked_log", forked_log),
    "a rewrite": ("broken_log", broken_log),
    "a hole": ("log_gap", log_gap),
    "a crowd": ("crowd_from_network", crowd_from_network),
    "no file": ("no_delivery", no_delivery),
    "the same seconds": ("identical_coverage", identical_coverage),
    "the same clock": ("identical_coverage", identical_to_the_millisecond),
}


@pytest.mark.parametrize("case", CASES)
def test_a_rule_finds_what_it_is_for_and_no_count_changes(scene: Scene, tale: Episode, case: str) -> None:
    rule, cheat = CASES[case]
    good = honest(scene, tale)
    guilty = cheat(scene, tale)
    scene.count()
    before = scene.house.totals()
    scene.scan()
    assert set(scene.rules()) == {rule}
    assert scene.flagged() == guilty
    assert good.bytes not in scene.flagged()
    assert scene.held() == {("open", rule): len(guilty)}
    assert scene.house.totals() == before
    assert scene.scan().playbacks == 0, "looking twice finds nothing new"
    assert len(scene.rules()) == len(set(scene.rules()))


def test_many_agents_of_one_address(scene: Scene, tale: Episode) -> None:
    fetch_as(scene, tale, 30, agents=26)
    fetch_as(scene, tale, 31, agents=25)
    scene.count()
    before = scene.house.totals()
    scene.scan()
    assert scene.rules() == ["many_agents_one_address"]
    assert scene.house.rows("SELECT count(*), count(DISTINCT address) FROM held_download") == [(26, 1)]
    assert scene.house.totals() == before


def test_a_spike_is_told_from_a_release(scene: Scene) -> None:
    """The same number of listens: usual on a day of release, and far too many three weeks later."""
    with Session(scene.house.engine) as session:
        show_id = make_episode(session).show_id
        for age in (60, 46, 32, 18):
            at = datetime.fromtimestamp((scene.today - age) * 86_400 + 3600, UTC)
            put_listens(session, scene, show_id, at, {0: 900, 1: 400, 2: 200, **dict.fromkeys(range(3, 14), 50)})
    scene.scan(*range(-60, 0))
    assert scene.rules() == []
    with Session(scene.house.engine) as session:
        episode_id = put_listens(session, scene, show_id, None, {5: 900})
    put_playbacks(scene, episode_id, -5, 950)
    scene.scan(*range(-60, 0))
    assert scene.rules() == ["listen_spike"]
    hold = scene.holds()[0]
    assert hold.show_id == show_id
    told = scene.house.rows("SELECT kind, payload FROM webhook_event")
    assert [kind for kind, _ in told] == ["spike.found"]
    assert json.loads(told[0][1])["measured"] == {
        "listens": 950,
        "usual": 50,
        "spread": 0,
        "compared_days": 27,
        "kind_of_day": "later",
        "excess": 900,
    }
    assert scene.held() == {("open", "listen_spike"): 900}


def test_a_spike_that_is_held_does_not_become_usual(scene: Scene) -> None:
    with Session(scene.house.engine) as session:
        show_id = make_episode(session).show_id
        for age in range(63, 0, -7):
            at = datetime.fromtimestamp((scene.today - age) * 86_400 + 3600, UTC)
            episode_id = put_listens(session, scene, show_id, at, {0: 20, 1: 500 if age in {7, 14} else 10})
            if age in {7, 14}:
                put_playbacks(scene, episode_id, 1 - age, 500)
    scene.scan(*range(-60, 0))
    assert [(hold.rule, scene.today - day_number(hold.day)) for hold in scene.holds()] == [
        ("listen_spike", 13),
        ("listen_spike", 6),
    ]
    assert scene.scan(*range(-60, 0)).new_holds == 0


def test_every_rule_is_on_the_page_with_its_parameters() -> None:
    page = (Path(__file__).parents[3] / "docs" / "fraud.md").read_text()
    for rule in RULES:
        assert f"### {rule.name}\n" in page
        section = page.split(f"### {rule.name}\n")[1].split("\n###")[0].replace(",", "")
        for name, value in rule.parameters.items():
            assert f"`{name}` {value}" in section, rule.name
