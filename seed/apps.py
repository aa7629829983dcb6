"""What people hear podcasts with, and what else asks for audio: user agents, what each is, and how it asks."""

from dataclasses import dataclass

from seed import fetching
from seed.fetching import Habit

IPHONE_PLAYER = "AppleCoreMedia/1.0.0.{} (iPhone; U; CPU OS {} like Mac OS X; en_us)"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Safari/605.1.15"
)


@dataclass(frozen=True, slots=True)
class Agent:
    """A user agent, and what Earshot should find it to be."""

    text: str
    app: str = ""
    """Empty: nobody knows it."""
    device: str = ""
    cause: str = ""
    """Why none of its hits counts, when it is nobody who listens."""


@dataclass(frozen=True, slots=True)
class App:
    """Something that asks for audio."""

    weight: float
    """How many have it, relative to the others."""
    habit: Habit
    agents: tuple[Agent, ...]
    is_automatic: bool = False
    """Loads new episodes by itself, soon after they are out."""


def _phones(app: str, *texts: str) -> tuple[Agent, ...]:
    return tuple(Agent(text, app, "phone") for text in texts)


APPS = (
    App(
        27,
        fetching.load_whole,
        _phones(
            "Apple Podcasts",
            "Podcasts/4025.510.2 CFNetwork/1568.200.51 Darwin/24.1.0",
            "Podcasts/4023.300.4 CFNetwork/1498.700.2 Darwin/23.6.0",
        ),
        is_automatic=True,
    ),
    App(
        21,
        fetching.load_by_range,
        (
            *_phones(
                "Spotify",
                "Spotify/9.0.12 iOS/18.1 (iPhone15,2)",
                "Spotify/9.0.10 Android/34 (SM-S911B)",
                "Spotify/9.0.8 Android/33 (Pixel 7)",
            ),
            Agent("Spotify/1.2.51 Win32_x86_64/0 (PC laptop)", "Spotify", "computer"),
        ),
    ),
    App(
        9,
        fetching.load_whole,
        _phones("Overcast", "Overcast/3.0 (+http://overcast.fm/; iOS podcast app)"),
        is_automatic=True,
    ),
    App(7, fetching.load_whole, _phones("Pocket Casts", "Pocket Casts"), is_automatic=True),
    App(7, fetching.load_whole, _phones("AntennaPod", "AntennaPod/3.6.1", "AntennaPod/3.5.0"), is_automatic=True),
    App(
        4,
        fetching.load_whole,
        _phones(
            "Podcast Addict",
            "PodcastAddict/v5 - Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/AP2A.240905.003)",
        ),
    ),
    App(2, fetching.load_whole, _phones("Castro", "Castro 2026.8"), is_automatic=True),
    App(
        1,
        fetching.load_whole,
        (Agent("gPodder/3.11.5 (http://gpodder.org/) Linux", "gPodder", "computer"),),
        is_automatic=True,
    ),
    App(
        4,
        fetching.ask_then_load,
        (
            Agent("AlexaMediaPlayer/2.1.4676.0 (Linux;Android 5.1.1) ExoPlayerLib/1.5.9", "Amazon Alexa", "speaker"),
            Agent("Linux UPnP/1.0 Sonos/80.1-55240 (ZPS22)", "Sonos", "speaker"),
        ),
    ),
    App(2, fetching.load_by_range, (Agent("Roku/DVP-12.5 (12.5.0.4178)", "Roku", "tv"),)),
    App(
        3,
        fetching.stream_in_parts,
        (Agent("AppleCoreMedia/1.0.0.22B83 (iPad; U; CPU OS 18_1 like Mac OS X; en_us)", "AppleCoreMedia", "tablet"),),
    ),
    App(
        9,
        fetching.play_in_page,
        (
            Agent(CHROME.format(130), "Chrome", "computer"),
            Agent(FIREFOX, "Firefox", "computer"),
            Agent(SAFARI, "Safari", "computer"),
        ),
    ),
    App(1, fetching.load_whole, (Agent("BrollyPlayer/0.3 (+https://brolly.example)"),)),
)
"""What most people have. The last is in nobody's list."""

PLAYERS = {
    "Android 15": App(
        0, fetching.load_whole, _phones("ExoPlayer", "Murmur/4.2.0 (Linux; Android 15) ExoPlayerLib/2.19.1")
    ),
    "iOS 19": App(0, fetching.stream_in_parts, _phones("AppleCoreMedia", IPHONE_PLAYER.format("22B83", "18_1"))),
}
"""Platform -> how the demo's own apps, those that sync, ask for audio: with what the system gives them."""

WATCH = Agent(
    "atc/1.0 watchOS/11.1 model/Watch6,14 hwp/t8301 build/22R574 (6; dt:245)", "Apple Podcasts", "watch", cause="watch"
)
PRELOADER = "https://podverse.fm/"
"""A page known to load audio before anybody asked to hear it."""


def _bots(*texts: str) -> tuple[Agent, ...]:
    return tuple(Agent(text, cause="bot") for text in texts)


BOTS = (
    App(4, fetching.look_only, _bots("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")),
    App(3, fetching.take_whole, _bots("python-requests/2.32.3")),
    App(2, fetching.take_whole, _bots("curl/8.5.0", "Wget/1.21.4")),
    App(3, fetching.look_only, _bots("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)")),
    App(2, fetching.take_whole, _bots("Mozilla/5.0 (compatible; KettleCrawler/1.0; +https://crawler.example/bot)")),
)
