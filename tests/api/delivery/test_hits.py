"""What a hit says, and what it does not."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api import clock
from api.app import create_app
from api.delivery.hits import DAY_MS
from api.events.records import unpack
from api.hits.classify import AddressFacts, AgentFacts
from api.hits.identity import identify
from api.hits.traits import Trait
from api.settings import Settings
from tests.api.conftest import People
from tests.api.delivery.conftest import AUDIO, get, logged

SECRET = "one secret"
PROXY, LISTENER = "192.0.2.1", "203.0.113.7"


@pytest.fixture
def settings(tmp_path, sqlite_url: str) -> Settings:
    """With a proxy in front whose word is taken."""
    return Settings(
        home=tmp_path, store_url=sqlite_url, secret=SECRET, trusted_proxies=PROXY, country_header="CF-IPCountry"
    )


@pytest.fixture
def engine(sqlite_engine: Engine) -> Engine:
    """One engine is enough: hits go to the log."""
    return sqlite_engine


@pytest.fixture
def client(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    """The API, asked by the proxy."""
    with TestClient(create_app(settings), client=(PROXY, 50_000)) as client:
        yield client


class Lists:
    """A classifier that knows one agent, one address and one referrer."""

    def agent(self, user_agent: str) -> AgentFacts:
        known = AgentFacts("AntennaPod", "phone", Trait.BOT)
        return known if user_agent == "AntennaPod/3.4" else AgentFacts("", "", Trait.NONE)

    def address(self, host: str, day: int) -> AddressFacts:
        is_today = day == clock.now_ms() // DAY_MS
        known = AddressFacts("NL", Trait.DATACENTER)
        return known if host == LISTENER and is_today else AddressFacts("", Trait.NONE)

    def referrer(self, referrer: str) -> Trait:
        return Trait.PRELOAD if referrer == "https://preloader.example/" else Trait.NONE


class BrokenLists:
    """A classifier with a bug."""

    def agent(self, _user_agent: str) -> AgentFacts:
        raise RuntimeError("a bug")

    address = referrer = agent


def use(people: People, classifier: object) -> None:
    object.__setattr__(people.client.app.state.delivery.hits, "classifier", classifier)


def test_a_hit_says_what_was_asked_and_sent(people: People, episode: dict) -> None:
    before = clock.now_ms()
    get(people, episode, Range="bytes=0-99")
    (hit,) = logged(people, 1)
    assert before <= hit.at_ms <= clock.now_ms()
    assert (hit.episode, hit.audio_sha256) == (episode["id"], episode["audio"]["sha256"])
    assert (hit.method, hit.status, hit.range, hit.sent_bytes) == ("GET", 206, "bytes=0-99", 100)


def test_a_hit_has_what_the_lists_say_about_it_and_none_of_the_texts(people: People, episode: dict) -> None:
    use(people, Lists())
    told = {"User_Agent": "AntennaPod/3.4", "Referer": "https://preloader.example/", "X_Forwarded_For": LISTENER}
    get(people, episode, **told)
    (hit,) = logged(people, 1)
    assert (hit.app, hit.device_class, hit.country) == ("AntennaPod", "phone", "NL")
    assert hit.traits == Trait.BOT | Trait.DATACENTER | Trait.PRELOAD
    (record,) = people.client.app.state.log.read(0, 0, 10)
    for text in (*told.values(), PROXY):
        assert text.encode() not in record.payload


def test_the_proxys_word_about_the_country_goes_before_the_list(people: People, episode: dict) -> None:
    use(people, Lists())
    get(people, episode, X_Forwarded_For=LISTENER, CF_IPCountry="BE")
    get(people, episode, X_Forwarded_For=LISTENER, CF_IPCountry="XX")
    assert [hit.country for hit in logged(people, 2)] == ["BE", "NL"]


@pytest.mark.parametrize(
    ("header", "is_probe"), [("bytes=0-1", True), ("bytes=0-0", False), ("bytes=0-", False), ("bytes=0-1,5-6", False)]
)
def test_a_range_of_the_first_two_bytes_is_a_probe(people: People, episode: dict, header: str, is_probe: bool) -> None:
    get(people, episode, Range=header, User_Agent="AntennaPod/3.4")
    (hit,) = logged(people, 1)
    assert bool(hit.traits & Trait.PROBE) is is_probe


def test_a_hit_of_which_nothing_can_be_found_out_is_kept(people: People, episode: dict) -> None:
    use(people, BrokenLists())
    answer = get(people, episode, X_Forwarded_For=LISTENER)
    assert (answer.status_code, answer.content) == (200, AUDIO)
    (hit,) = logged(people, 1)
    assert (hit.sent_bytes, hit.app, hit.country, hit.traits) == (len(AUDIO), "", "", 0)
    assert hit.consumer[:8] != bytes(8)


def test_the_consumer_is_the_one_that_an_imported_log_would_name(people: People, episode: dict) -> None:
    get(people, episode, User_Agent="App/1", X_Forwarded_For=LISTENER)
    (hit,) = logged(people, 1)
    address, consumer, earlier = identify(SECRET, LISTENER, "App/1", hit.at_ms // DAY_MS)
    assert (hit.consumer, hit.earlier) == (address.to_bytes(8) + consumer.to_bytes(8), earlier)


def test_all_hits_of_an_address_have_one_key_in_the_log(people: People, episode: dict) -> None:
    for agent in ("App/1", "App/2"):
        get(people, episode, User_Agent=agent, X_Forwarded_For="2001:db8::1")
        get(people, episode, User_Agent=agent, X_Forwarded_For="2001:db8::ffff")
    get(people, episode, X_Forwarded_For=LISTENER)
    found = logged(people, 5)
    records = people.client.app.state.log.read(0, 0, 10)
    assert [record.key for record in records] == [hit.consumer[:8] for hit in found]
    assert len({record.key for record in records}) == 2
    assert len({hit.consumer for hit in found}) == 3


def test_a_hit_belongs_to_the_moment_it_was_asked_for(
    people: People, episode: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    midnight = (clock.now_ms() // DAY_MS + 1) * DAY_MS
    instants = iter([midnight - 1])
    # Whoever asks for the time later than when the request came gets the next day.
    monkeypatch.setattr(clock, "now_ms", lambda: next(instants, midnight + 5000))
    get(people, episode, User_Agent="App/1", X_Forwarded_For=LISTENER)
    (hit,) = logged(people, 1)
    assert hit.at_ms == midnight - 1
    address, consumer, _ = identify(SECRET, LISTENER, "App/1", midnight // DAY_MS - 1)
    assert hit.consumer == address.to_bytes(8) + consumer.to_bytes(8)


def test_endless_headers_do_not_fill_the_log(people: People, episode: dict) -> None:
    get(people, episode, User_Agent="x" * 5000, Referer="y" * 5000, Range="bytes=0-" + "9" * 5000)
    (hit,) = logged(people, 1)
    (record,) = people.client.app.state.log.read(0, 0, 10)
    assert len(record.payload) < 2000
    assert unpack(record.payload) == hit
