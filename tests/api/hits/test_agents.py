"""Earshot's own table of user agents."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.hits import agents, agents_bots, agents_table
from api.hits.agents import Agents
from api.hits.classify import AgentFacts
from api.hits.traits import Trait

DOWNLOADS = json.loads((Path(__file__).parents[2] / "vectors" / "downloads.json").read_text())
KIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"
CLASSES = {"phone", "tablet", "computer", "watch", "speaker", "tv", "car", ""}
TABLE = Agents(agents_table.LISTS)

LISTENING = {
    "Podcasts/1410.53 CFNetwork/1111 Darwin/19.0.0 (x86_64)": ("Apple Podcasts", "computer"),
    "Podcasts/4025.300.2 CFNetwork/1568.200.51 Darwin/24.1.0": ("Apple Podcasts", "phone"),
    "%E6%92%AD%E5%AE%A2/1660.5 CFNetwork/1335.0.3 Darwin/21.6.0": ("Apple Podcasts", "phone"),
    "播客/1660.5 CFNetwork/1335.0.3 Darwin/21.6.0": ("Apple Podcasts", "phone"),
    "播客/1660.5 CFNetwork/1335.0.3 Darwin/21.6.0".encode().decode("latin-1"): ("Apple Podcasts", "phone"),
    "AirPodcasts/4022.700.8 CFNetwork/1410.0.3 Darwin/22.6.0": ("Apple Podcasts", "speaker"),
    "iTunes/12.9.5 (Windows; Microsoft Windows 10 x64) AppleWebKit/7607": ("iTunes", "computer"),
    "AppleCoreMedia/1.0.0.16G78 (HomePod; U; CPU OS 12_4 like Mac OS X; en_us)": ("AppleCoreMedia", "speaker"),
    "AppleCoreMedia/1.0.0.19A583 (Macintosh; U; Intel Mac OS X 10_15; en_us)": ("AppleCoreMedia", "computer"),
    "AppleCoreMedia/1.0.0.17A860 (iPad; U; CPU OS 13_1_2 like Mac OS X; en_us)": ("AppleCoreMedia", "tablet"),
    "AppleCoreMedia/1.0.0.20K71 (Apple TV; U; CPU OS 16_1 like Mac OS X; en_au)": ("AppleCoreMedia", "tv"),
    "AppleCoreMedia/1.0.0.15G77 (iPhone; U; CPU OS 11_4_1 like Mac OS X; en_us)": ("AppleCoreMedia", "phone"),
    "Overcast/3.0 (+http://overcast.fm/; iOS podcast app)": ("Overcast", "phone"),
    "Overcast (+http://overcast.fm/; Apple Watch podcast app)": ("Overcast", "watch"),
    "Pocket Casts": ("Pocket Casts", "phone"),
    "Castro 2023.9/1483": ("Castro", "phone"),
    "AntennaPod/3.5.0": ("AntennaPod", "phone"),
    "PodcastAddict/v5 (+https://podcastaddict.com/; Android podcast app)": ("Podcast Addict", "phone"),
    "CastBox/8.30.0 (fm.castbox.audiobook.radio.podcast; Android 13)": ("Castbox", "phone"),
    "Spotify/8.6.72 Android/29 (SM-G973F)": ("Spotify", "phone"),
    "Spotify/1.1.10 Win32/0 (PC laptop)": ("Spotify", "computer"),
    "Player FM": ("Player FM", "phone"),
    "Fountain/0.5.3 ios https://www.fountain.fm": ("Fountain", "phone"),
    "gPodder/3.11.1 (+http://gpodder.org/) Linux": ("gPodder", "computer"),
    "Kasts/24.08.2": ("Kasts", "computer"),
    "audiobookshelf (+https://audiobookshelf.org; like iTMS)": ("Audiobookshelf", "computer"),
    "com.google.android.apps.youtube.music/6.42.55(Linux; U; Android 14; en_US) gzip": ("YouTube Music", "phone"),
    "AlexaMediaPlayer/2.1.4676.0 (Linux;Android 5.1.1) ExoPlayerLib/1.5.9": ("Amazon Alexa", "speaker"),
    "AmazonMusic/9.15.2 iPhone7,2 CFNetwork/978.0.7 Darwin/18.7.0": ("Amazon Music", "phone"),
    "Linux UPnP/1.0 Sonos/57.3-77280 (ZPS1)": ("Sonos", "speaker"),
    f"Mozilla/5.0 (X11; Linux armv7l) {CHROME} Safari/537.36 CrKey/1.54.250320": ("Chromecast", "tv"),
    "Roku/DVP-12.0 (12.0.0.4182)": ("Roku", "tv"),
    "BBC%20Sounds/2.27.0.16542 CFNetwork/1404.0.5 Darwin/22.3.0": ("BBC Sounds", "phone"),
    "VLC/3.0.18 LibVLC/3.0.18": ("VLC", "computer"),
    "Garmin fenix 5X Plus/14.0": ("Garmin", "watch"),
    f"Mozilla/5.0 (X11; GNU/Linux) {CHROME} Safari/537.36 Tesla/2024.8.9": ("Tesla", "car"),
    "someApp/2.21.9 (Linux;Android 11) ExoPlayerLib/2.14.0": ("ExoPlayer", "phone"),
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36": ("Chrome", "computer"),
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/126.0.0.0": ("Edge", "computer"),
    f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36": ("Chrome", "phone"),
    f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Safari/537.36": ("Chrome", "tablet"),
    f"Mozilla/5.0 (Linux; Android 9; CUBOT_X19) {CHROME} Mobile Safari/537.36": ("Chrome", "phone"),
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {KIT} Version/17.4 Safari/605.1.15": ("Safari", "computer"),
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) {KIT} Version/16.0 Mobile/15E148 Safari/604.1": (
        "Safari",
        "phone",
    ),
    "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0": ("Firefox", "computer"),
    "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.1; Trident/6.0)": ("IE", "computer"),
    f"Mozilla/5.0 (iPad; CPU OS 16_3_1 like Mac OS X) {KIT} Mobile/15E148": ("iOS web view", "tablet"),
}
"""What a person listens with: app and class of device."""
BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) {CHROME} Mobile Safari/537.36 (compatible; bingbot/2.0)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "CCBot/2.0 (https://commoncrawl.org/faq/)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "iTMS",
    "Spotify/1.0",
    "Overcast/1.0 Podcast Sync (123 subscribers; feed-id=456789; +http://overcast.fm/)",
    "PocketCasts/1.0 (Pocket Casts Feed Parser; +http://pocketcasts.com/)",
    "Podcastindex.org/podping-watcher",
    "curl/8.5.0",
    "Wget/1.21.4",
    "python-requests/2.32.3",
    "Python/3.11 aiohttp/3.9.3",
    "Go-http-client/2.0",
    "okhttp/4.12.0",
    "Java/17.0.1",
    "Lavf/60.16.100",
    f"Mozilla/5.0 (X11; Linux x86_64) {CHROME.replace('Chrome', 'HeadlessChrome')} Safari/537.36",
    "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    "Earshot/0.2",
    # Known to no list, but their words say it.
    "TotallyNew-Bot/0.1",
    "frobnicatebot",
    "My Link Checker 3",
    "site crawler of the library",
    "AudioTranscriber/2",
    "Mozilla/5.0 (compatible; Frobnicate/1.0; +https://frobnicate.example/about)",
)
UNKNOWN = ("SomethingNew/3.0", "RobotWars", "Abbott/2", "Botswana Radio/1", "Mozilla/5.0", "\udcff\ud800", "\0")
"""People may listen with these: nothing says otherwise."""


@pytest.mark.parametrize(("user_agent", "expected"), LISTENING.items(), ids=LISTENING)
def test_what_people_listen_with_is_known(user_agent: str, expected: tuple[str, str]) -> None:
    assert TABLE.find(user_agent) == AgentFacts(*expected, Trait.NONE)


@pytest.mark.parametrize("user_agent", BOTS)
def test_bots_are_known(user_agent: str) -> None:
    facts = TABLE.find(user_agent)
    assert (facts.traits, facts.device_class) == (Trait.BOT, "")


@pytest.mark.parametrize("user_agent", UNKNOWN, ids=repr)
def test_an_unknown_program_is_no_bot(user_agent: str) -> None:
    assert TABLE.find(user_agent) == AgentFacts("", "", Trait.NONE)


@pytest.mark.parametrize("user_agent", DOWNLOADS["watch"]["agents"])
def test_a_watch_is_told_from_its_phone(user_agent: str) -> None:
    assert TABLE.find(user_agent) == AgentFacts("Apple Podcasts", "watch", Trait.WATCH)


@pytest.mark.parametrize(
    "user_agent", ["Podcasts/1 watchOS/9.0 model/Watch6,2", "atc/1.0", "x atc/1.0 watchOS/8.5", "(null) watchOS/9"]
)
def test_the_watch_rule_takes_nothing_else(user_agent: str) -> None:
    assert not agents.is_watch(user_agent)


@pytest.mark.parametrize("user_agent", ["", "-", "  ", "\r\n"])
def test_a_request_without_a_user_agent_is_a_bots(user_agent: str) -> None:
    assert TABLE.find(user_agent) == AgentFacts("", "", Trait.BOT)


def test_a_line_break_hides_nothing() -> None:
    assert TABLE.find("\nOvercast\r\n/3.0").app == "Overcast"


@given(st.text(max_size=60))
def test_any_text_has_an_answer(user_agent: str) -> None:
    facts = TABLE.find(user_agent)
    assert facts.device_class in CLASSES
    assert facts.traits in {Trait.NONE, Trait.BOT, Trait.WATCH}


def test_the_table_knows_each_class_of_device() -> None:
    listed = {device_class for _, device_class in agents_table.DEVICES}
    assert listed | {entry.device_class for entry in agents_table.APPS} == CLASSES
    assert all(entry.is_bot for entry in agents_bots.BOTS)
    assert not any(entry.is_bot for entry in agents_table.APPS)


def test_a_known_user_agent_is_not_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    table, looked = Agents(agents_table.LISTS), []
    monkeypatch.setattr(agents, "is_watch", lambda text: looked.append(text) or False)
    facts = {table.find("Overcast/3.0") for _ in range(5)}
    assert (len(facts), looked) == (1, ["Overcast/3.0"])


def test_the_latest_user_agents_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "MOST_KNOWN", 2)
    table, looked = Agents(agents_table.LISTS), []
    monkeypatch.setattr(agents, "is_watch", lambda text: looked.append(text) or False)
    for user_agent in ("one", "two", "one", "three", "one", "two"):
        table.find(user_agent)
    assert looked == ["one", "two", "three", "two"]


def test_an_endless_user_agent_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    table, looked = Agents(agents_table.LISTS), []
    monkeypatch.setattr(agents, "is_watch", lambda text: looked.append(text) or False)
    assert table.find("Overcast/" + "9" * 1_000_000).app == "Overcast"
    assert [len(text) for text in looked] == [agents.MOST_CHARACTERS]


def test_threads_may_share_a_table() -> None:
    table, expected = Agents(agents_table.LISTS), [(app, place) for app, place in LISTENING.values()]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: [table.find(user_agent) for user_agent in LISTENING], range(64)))
    assert all([(facts.app, facts.device_class) for facts in one] == expected for one in found)
