"""What the seed expects of downloads, and the hits that it makes: against the rules, and against Earshot's own eyes."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from api.hits.lookup import make_classifier
from api.hits.traits import Trait
from api.settings import Settings
from models.queries.downloads import Rules
from seed.access_log import write_log
from seed.apps import APPS, BOTS, PLAYERS, PRELOADER, WATCH, Agent
from seed.audience import Listener, begin
from seed.catalogue import DAY_MS, audio_of, day_start_ms, file_bytes, header_bytes, make_catalogue
from seed.expected_downloads import EXCESS_CAP, WINDOW, cause_of, expect, reached_bytes
from seed.fetchers import LOG_DAYS, SCRAPER_AGENTS, Hit, make_hits
from seed.fetching import MINUTE_BYTES, Asked

TODAY = date(2026, 11, 20)
SHOWS = make_catalogue(1, TODAY)
SHOW, EPISODE = SHOWS[0], SHOWS[0].episodes[-1]
SIZE, ENOUGH = file_bytes(SHOW, EPISODE), header_bytes(SHOW, EPISODE) + MINUTE_BYTES
NOON_MS = day_start_ms(TODAY) - DAY_MS // 2
KNOWN = Agent("AntennaPod/3.6.1", "AntennaPod", "phone")
WHOLE = Asked(0, 200, SIZE)


def make_hit(asked: Asked = WHOLE, **changes: object) -> Hit:
    return Hit(NOON_MS, "192.0.2.7", "DE", KNOWN, "", EPISODE, asked)._replace(**changes)


def outcomes(*hits: Hit) -> dict[str, int]:
    return dict(sum(expect(hits, SHOWS).outcomes.values(), Counter()))


CAUSES = {
    "a whole file": (make_hit(), None),
    "a HEAD of a bot": (make_hit(Asked(0, method="HEAD"), agent=BOTS[0].agents[0]), "not_get"),
    "not modified": (make_hit(Asked(0, 304)), "status"),
    "a bot": (make_hit(agent=BOTS[0].agents[0]), "bot"),
    "a watch": (make_hit(agent=WATCH), "watch"),
    "two bytes": (make_hit(Asked(0, 206, 2, 0, 1)), "probe"),
    "three bytes": (make_hit(Asked(0, 206, 3, 0, 2)), None),
    "a page that preloads": (make_hit(referrer=PRELOADER), "referrer"),
}


@pytest.mark.parametrize("name", CAUSES)
def test_the_first_cause_that_applies(name: str) -> None:
    hit, cause = CAUSES[name]
    assert cause_of(hit) == cause


UNIONS = {
    "apart": (((0, 100), (500, 100)), 200),
    "overlapping": (((0, 100), (50, 100)), 150),
    "one within another": (((0, 100), (20, 10), (90, 30)), 120),
    "in any order": (((500, 100), (0, 550)), 600),
}


@pytest.mark.parametrize("name", UNIONS)
def test_bytes_that_were_sent_twice_count_once(name: str) -> None:
    parts, total = UNIONS[name]
    assert reached_bytes(make_hit(Asked(0, 206, sent, first)) for first, sent in parts) == total


WINDOWS = {
    "header and minute, to the byte": ((make_hit(Asked(0, 206, ENOUGH, 0)),), {"download": 1}),
    "a byte less": ((make_hit(Asked(0, 206, ENOUGH - 1, 0)),), {"short": 1}),
    "a byte less, and the byte": (
        (make_hit(Asked(0, 206, ENOUGH - 1, 0)), make_hit(Asked(9, 206, 1, ENOUGH - 1))),
        {"download": 1, "duplicate": 1},
    ),
    "two user agents": ((make_hit(), make_hit(agent=APPS[0].agents[0])), {"download": 2}),
    "two days": ((make_hit(), make_hit(at_ms=NOON_MS - DAY_MS)), {"download": 2}),
    "one household's two addresses": (
        (make_hit(address="2001:db8:1:2::3"), make_hit(address="2001:db8:1:2:9::3")),
        {"download": 1, "duplicate": 1},
    ),
    "two households": ((make_hit(address="2001:db8:1:2::3"), make_hit(address="2001:db8:1:3::3")), {"download": 2}),
    "a probe is in no window": ((make_hit(Asked(0, 206, 2, 0, 1)), make_hit()), {"probe": 1, "download": 1}),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_windows(name: str) -> None:
    hits, expected = WINDOWS[name]
    assert outcomes(*hits) == expected


@pytest.mark.parametrize(("agents", "expected"), [(EXCESS_CAP, "download"), (EXCESS_CAP + 1, "excess")])
def test_an_address_beyond_the_cap_downloads_nothing(agents: int, expected: str) -> None:
    hits = [make_hit(agent=replace(KNOWN, text=f"Player/{number}")) for number in range(agents)]
    assert outcomes(*hits) == {expected: agents}


def test_unique_consumers_are_of_the_days_up_to_one() -> None:
    days = [make_hit(address=f"192.0.2.{number}", at_ms=NOON_MS - number * DAY_MS) for number in (7, 6, 1, 0)]
    first, last = TODAY - timedelta(days=9), TODAY - timedelta(days=1)
    found = expect([*days, make_hit(address="192.0.2.9")], SHOWS).to_json(SHOWS, first, last)
    assert found["by_show"][SHOW.text.slug]["consumers"][str(last)] == [2, 4, 5]
    assert found["by_show"][SHOWS[1].text.slug]["consumers"][str(last)] == [0, 0, 0]


def test_the_expectation_is_of_what_an_installation_counts_by_unless_told_otherwise() -> None:
    assert Rules() == (WINDOW, EXCESS_CAP)


@pytest.fixture(scope="module")
def hits() -> list[Hit]:
    return make_hits(1, 300, 40, SHOWS, TODAY)


def test_the_log_has_each_of_its_days_in_order_and_every_cause(hits: list[Hit]) -> None:
    moments = [hit.at_ms for hit in hits]
    assert moments == sorted(moments)
    today = day_start_ms(TODAY) // DAY_MS
    assert {moment // DAY_MS for moment in moments} == set(range(today - LOG_DAYS, today))
    causes = {"not_get", "status", "bot", "watch", "probe", "referrer", "excess", "short", "duplicate"}
    assert set(outcomes(*hits)) == {"download", *causes}


def test_what_phones_play_they_have_fetched_by_then(hits: list[Hit]) -> None:
    agents = {agent for player in PLAYERS.values() for agent in player.agents}
    fetched = Counter(hit.episode.name for hit in hits if hit.agent in agents)
    own = {episode.name for show in SHOWS for episode in show.episodes}
    played = Counter(
        episode.name
        for number in range(40)
        for moment, episode in begin(Listener(1, number), SHOWS, TODAY).plays
        if moment >= day_start_ms(TODAY) - LOG_DAYS * DAY_MS and episode.name in own
    )
    assert sum(played.values()) > 100
    assert all(fetched[name] >= plays for name, plays in played.items())


def test_no_answer_goes_beyond_its_file(hits: list[Hit]) -> None:
    sizes = {episode.id: file_bytes(show, episode) for show in SHOWS for episode in show.episodes}
    for hit in hits:
        if hit.asked.status == 206:
            assert 0 < (hit.asked.first or 0) + hit.asked.sent_bytes <= sizes[hit.episode.id]


def test_sizes_are_those_of_the_files() -> None:
    for show in SHOWS:
        assert len(audio_of(show, show.episodes[0])) == file_bytes(show, show.episodes[0])


NOBODYS = [
    ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "100.64.0.0/10", "2001:db8::/32")
]


def test_every_address_is_nobodys_and_in_one_country(hits: list[Hit]) -> None:
    countries: dict[str, str] = {}
    for hit in hits:
        assert countries.setdefault(hit.address, hit.country) == hit.country
    for address in countries:
        assert any(ip_address(address) in network for network in NOBODYS), address


def test_the_same_seed_and_day_make_the_same_log(tmp_path: Path, hits: list[Hit]) -> None:
    again = make_hits(1, 300, 40, make_catalogue(1, TODAY), TODAY)
    other = make_hits(2, 300, 40, make_catalogue(2, TODAY), TODAY)
    texts = [write_log(tmp_path, each).read_text() for each in (hits, again, other)]
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].count("\n") == len(hits)


def test_earshot_finds_each_user_agent_to_be_what_it_is(tmp_path: Path) -> None:
    classifier = make_classifier(Settings(home=tmp_path))
    traits = {"": Trait.NONE, "bot": Trait.BOT, "watch": Trait.WATCH}
    listed = [agent for app in (*APPS, *PLAYERS.values()) for agent in app.agents]
    for agent in [*listed, WATCH, *SCRAPER_AGENTS]:
        facts = classifier.agent(agent.text)
        assert (facts.app, facts.device_class, facts.traits) == (agent.app, agent.device, traits[agent.cause]), agent
    for bot in BOTS:
        assert all(classifier.agent(agent.text).traits == Trait.BOT for agent in bot.agents)
    assert classifier.referrer(PRELOADER) == Trait.PRELOAD
