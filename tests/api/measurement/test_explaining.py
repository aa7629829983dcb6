"""Why each hit counted or not: the answer is the count, hit by hit."""

import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.events.records import Hit, pack
from api.hits.traits import Trait
from api.measurement.explaining import NOT_ASKED, PASSED, STOPPED, ExplainedHit, explain
from api.measurement.rules import OUTCOMES, RULES
from api.settings import Settings
from models.columns import DAY_MS, EPOCH
from models.tables import Episode
from tests.api.conftest import People
from tests.api.measurement.house import House
from tests.factories import BYTES_PER_MS

MINUTE = 60_000 * BYTES_PER_MS
"""Bytes that a download of the episode takes."""
REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("download", {}),
    ("duplicate", {}),
    ("not_get", {"method": "HEAD"}),
    ("status", {"status": 304}),
    ("redirected", {"status": 302}),
    ("not_audio", {"traits": Trait.NOT_AUDIO}),
    ("bot", {"traits": Trait.BOT}),
    ("datacenter", {"traits": Trait.DATACENTER | Trait.WATCH}),
    ("watch", {"traits": Trait.WATCH}),
    ("probe", {"status": 206, "range": "bytes=0-1", "sent_bytes": 2}),
    ("referrer", {"traits": Trait.PRELOAD}),
    ("short", {"consumer": b"another.consumer", "sent_bytes": MINUTE - 1}),
]


@pytest.fixture
def settings(tmp_path: Path, store_url: str) -> Settings:
    """With windows that reach beyond the day."""
    return Settings(home=tmp_path, store_url=store_url, download_window="last_touch", excess_cap=2)


@pytest.fixture
def heard(house: House, tale: Episode) -> House:
    """A day with every outcome, and a few hits of the days around it."""
    for place, (_, fields) in enumerate(REQUESTS):
        hit(house, tale, house.now_ms + 1000 * place, **fields)
    many = [b"offices." + uuid4().bytes[:8] for _ in range(3)]
    for consumer in many:
        hit(house, tale, house.now_ms, consumer=consumer)
    hit(house, tale, house.now_ms - DAY_MS, consumer=b"a.third.consumer", sent_bytes=100)
    hit(house, tale, house.now_ms - DAY_MS + 1000, consumer=b"a.third.consumer", status=206, range="bytes=100-")
    hit(house, tale, house.now_ms - 1000, consumer=b"a.third.consumer")
    house.count()
    return house


def hit(house: House, episode: Episode, at_ms: int, **fields: Any) -> None:
    """One request; a download, unless something else is said."""
    told = {"consumer": b"address.consumer", "method": "GET", "status": 200, "range": "", "sent_bytes": MINUTE} | fields
    record = Hit(at_ms, str(episode.uuid), user_agent="", referrer="", audio_sha256="f" * 64, **told)
    house.append(record.consumer[:8], pack(record))


def explained(house: House, episode: Episode, day: int = 0) -> Any:
    with house.engine.connect() as connection:
        return explain(connection, episode.id or 0, day_of(house, day))


def day_of(house: House, day: int = 0) -> date:
    return EPOCH + timedelta(days=house.today + day)


def stored(house: House, day: int = 0) -> dict[str, int]:
    rows = house.rows(f"SELECT outcome, hits FROM hit_outcome WHERE hits <> 0 AND day = {house.today + day}")
    return {outcome: int(hits) for outcome, hits in rows}


@pytest.mark.parametrize("day", [0, -1, -2])
def test_the_outcomes_are_those_of_the_day(heard: House, tale: Episode, day: int) -> None:
    found = explained(heard, tale, day)
    assert found.outcomes == stored(heard, day)
    assert found.total == len(found.hits) == sum(found.outcomes.values())
    assert Counter(hit.outcome for hit in found.hits) == found.outcomes
    assert len({hit.id for hit in found.hits}) == found.total
    if day == 0:
        # The third consumer's hits belong to a window that began the day before.
        assert found.outcomes == dict(Counter([outcome for outcome, _ in REQUESTS])) | {"duplicate": 2, "excess": 3}
        assert set(found.outcomes) == set(OUTCOMES)


def test_every_path_ends_where_its_outcome_says(heard: House, tale: Episode) -> None:
    for hit in explained(heard, tale).hits:
        assert [step.cause for step in hit.path] == [rule.cause for rule in RULES]
        verdicts = [step.verdict for step in hit.path]
        place = OUTCOMES.index(hit.outcome) - 1
        if hit.outcome == "download":
            assert set(verdicts) == {PASSED}
        else:
            assert verdicts == [PASSED] * place + [STOPPED] + [NOT_ASKED] * (len(RULES) - place - 1)
            assert [step.detail for step in hit.path[place + 1 :]] == [""] * (len(RULES) - place - 1)


def test_a_hit_says_how_far_its_window_came(heard: House, tale: Episode) -> None:
    by_outcome = {hit.outcome: hit for hit in explained(heard, tale).hits}
    assert (f"{MINUTE - 1:,}" in detail(by_outcome["short"], "short"), f"{MINUTE:,}") == (True, f"{MINUTE:,}")
    assert detail(by_outcome["status"], "status") == "304"
    assert detail(by_outcome["excess"], "excess") == "at most 2 user agents times episodes a day"
    # Of the day before, the second hit completed what the first began.
    [first, second] = explained(heard, tale, -1).hits
    assert (first.outcome, second.outcome) == ("download", "duplicate")
    assert detail(first, "short").startswith(f"{MINUTE + 100:,} bytes")
    assert (second.first_byte, second.end_byte, second.sent_bytes) == (100, 100 + MINUTE, MINUTE)


def detail(hit: ExplainedHit, cause: str) -> str:
    return next(step.detail for step in hit.path if step.cause == cause)


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(heard: House, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """Where the command looks."""
    monkeypatch.setenv("EARSHOT_HOME", str(tmp_path))
    monkeypatch.setenv("EARSHOT_STORE_URL", store_url)
    monkeypatch.setenv("COLUMNS", "200")
    return heard


def ask(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["explain", *map(str, arguments)])


def test_the_command_shows_outcomes_hits_and_one_hits_way(asked: House, tale: Episode) -> None:
    day = day_of(asked)
    total = sum(stored(asked).values())
    assert f"{total} hits, window last touch" in ask(tale.uuid, day).stdout
    listed = json.loads(ask(tale.uuid, day, "--json", "--hits", total).stdout)
    assert (listed["total"], listed["outcomes"], len(listed["hits"])) == (total, stored(asked), total)
    assert len(json.loads(ask(tale.uuid, day, "--json", "--hits", 3).stdout)["hits"]) == 3
    short = json.loads(ask(tale.guid, day, "--json", "--outcome", "short").stdout)["hits"]
    assert [hit["outcome"] for hit in short] == ["short"]
    way = ask(tale.uuid, day, "--hit", short[0]["id"]).stdout
    assert f"bytes 0 to {MINUTE - 1:,}: short" in way
    assert (way.count(PASSED), way.count(STOPPED), way.count(NOT_ASKED)) == (10, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["yesterday"], 2, "'yesterday' is no day. Days are written YYYY-MM-DD."),
        (["2026-01-01", "--hit", "abc"], 1, "There is no hit 'abc' on that day."),
        (["2026-01-01", "--outcome", "shorts"], 2, "No hit comes to 'shorts'. The outcomes are: download, not_get,"),
    ],
)
def test_the_command_says_what_is_wrong(
    asked: House, tale: Episode, arguments: list[str], code: int, message: str
) -> None:
    result = ask(tale.uuid, *arguments)
    assert (result.exit_code, message in result.output) == (code, True), result.output


def test_the_command_knows_no_other_episode(asked: House, tale: Episode) -> None:
    result = ask("no-such-guid", day_of(asked))
    assert (result.exit_code, "There is no episode with the id, GUID or address 'no-such-guid'." in result.output) == (
        1,
        True,
    )
    assert "Nobody asked for this episode on that day." in ask(tale.uuid, "2020-01-01").stdout


# -- the route ---------------------------------------------------------------------------------------------------------


def test_the_route_tells_admins_what_the_command_tells(heard: House, tale: Episode, people: People) -> None:
    path = f"/v1/episodes/{tale.uuid}/hits/explained?day={day_of(heard)}"
    answer = people.call("admin", "GET", path).json()
    found = explained(heard, tale)
    assert (answer["window"], answer["excess_cap"], answer["total"]) == ("last_touch", 2, found.total)
    assert answer["outcomes"] == stored(heard)
    assert [hit["id"] for hit in answer["hits"]] == [hit.id for hit in found.hits]
    pages = [people.call("admin", "GET", f"{path}&limit=5&offset={offset}").json() for offset in (0, 5, 100)]
    assert [[hit["id"] for hit in page["hits"]] for page in pages] == [
        [hit.id for hit in found.hits[:5]],
        [hit.id for hit in found.hits[5:10]],
        [],
    ]
    only = people.call("admin", "GET", f"{path}&outcome=excess").json()
    assert ({hit["outcome"] for hit in only["hits"]}, only["total"]) == ({"excess"}, found.total)


@pytest.mark.parametrize(("who", "status"), [("nobody", 401), ("owner", 403), ("other", 403), ("advertiser", 403)])
def test_nobody_else_is_told(tale: Episode, people: People, who: str, status: int) -> None:
    """Not even the owner: a hit says when one consumer asked for what."""
    assert people.call(who, "GET", f"/v1/episodes/{tale.uuid}/hits/explained?day=2026-01-01").status_code == status


@pytest.mark.parametrize(
    ("query", "status", "part"),
    [
        ("day=2026-01-01&outcome=shorts", 422, "No hit comes to 'shorts'"),
        ("day=soon", 422, "day"),
        ("", 422, "day"),
        ("day=2026-01-01&limit=501", 422, "limit"),
    ],
)
def test_the_route_refuses_what_it_cannot_answer(
    tale: Episode, people: People, query: str, status: int, part: str
) -> None:
    answer = people.call("admin", "GET", f"/v1/episodes/{tale.uuid}/hits/explained?{query}")
    assert (answer.status_code, part in answer.text) == (status, True), answer.text
    unknown = people.call("admin", "GET", f"/v1/episodes/{uuid4()}/hits/explained?day=2026-01-01")
    assert unknown.status_code == 404


def test_what_is_told_has_no_whole_hash_of_an_address(heard: House, tale: Episode, people: People) -> None:
    answer = people.call("admin", "GET", f"/v1/episodes/{tale.uuid}/hits/explained?day={day_of(heard)}")
    addresses = {f"{address & (1 << 64) - 1:016x}" for (address,) in heard.rows("SELECT address FROM consumer_day")}
    assert [address for address in addresses if address in answer.text] == []
