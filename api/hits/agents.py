"""What a user agent is: app, class of device, bot or not. Worked out once for each that comes, then remembered."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from api.hits.agents_browsers import load_browsers
from api.hits.agents_patterns import FirstMatch
from api.hits.classify import AgentFacts
from api.hits.traits import Trait

MOST_CHARACTERS = 1024
"""Of a user agent that are looked at; bounds what the memory of known ones may take."""
MOST_KNOWN = 100_000
"""User agents remembered, the latest."""

WATCH = AgentFacts("Apple Podcasts", "watch", Trait.WATCH)
NAMELESS = AgentFacts("", "", Trait.BOT)
"""A request without a user agent.

Every podcast app names itself; who does not is a script, mostly in a data centre, and cannot be told from others behind
its address, which is half of what a consumer is. OP3 leaves such requests out too."""

BOT_WORDS = (
    # "Cubot" makes phones, so a word that ends in "cubot" is none of these.
    r"(?i)(?:^|[^a-z])(?:[a-z]*(?:[^u]|[^c]u))?bots?(?:[^a-z]|$)",
    r"(?i)crawl|spider|scrap(?:er|y|ing)|(?:^|[^a-z])(?:archiver|indexer|monitor(?:ing)?|uptime)(?:[^a-z]|$)",
    r"(?i)(?:link|feed|health|http|url|site)[ _-]?(?:check|checker|validator|verifier|prober?)(?:[^a-z]|$)",
    r"(?i)transcri(?:be|ber|ption)s?(?:[^a-z]|$)|speech-?to-?text",
    # A browser has no web page about itself in its user agent.
    r"(?i)^Mozilla/[0-9.]+ \(compatible; .*https?://",
)
"""What programs that no person listens with call themselves. Only asked when no list knows the user agent."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One program that asks for audio."""

    name: str
    pattern: str
    """A regular expression, found anywhere in the user agent."""
    is_bot: bool = False
    device_class: str = ""
    """Where it runs when the user agent does not say."""


@dataclass(frozen=True, slots=True)
class AgentLists:
    """All that is known about user agents; the first entry that matches decides."""

    entries: Sequence[Entry]
    devices: Sequence[tuple[str, str]]
    """Pattern and class of device."""


class Agents:
    """Asked for a user agent, this tells what it is. Threads may share it."""

    def __init__(self, lists: AgentLists) -> None:
        self._entries = FirstMatch([(entry.pattern, entry) for entry in lists.entries])
        self._devices = FirstMatch(lists.devices)
        self._bot_words = FirstMatch([(pattern, True) for pattern in BOT_WORDS])
        self._browsers = load_browsers()
        self._find = lru_cache(MOST_KNOWN)(self._work_out)

    def find(self, user_agent: str) -> AgentFacts:
        """Never raises: what nothing is known about is an answer."""
        return self._find(user_agent[:MOST_CHARACTERS])

    def _work_out(self, user_agent: str) -> AgentFacts:
        text = _clean(user_agent)
        if is_watch(text):
            return WATCH
        if not text or text == "-":
            return NAMELESS
        entry = self._entries.find(text)
        if entry is not None and entry.is_bot:
            return AgentFacts(entry.name, "", Trait.BOT)
        if entry is None and self._bot_words.find(text):
            return AgentFacts("", "", Trait.BOT)
        app = entry.name if entry else self._browsers.find(text)
        device_class = self._devices.find(text) or (entry.device_class if entry else "")
        return AgentFacts(app, device_class, Trait.NONE)


def is_watch(user_agent: str) -> bool:
    """Whether this is an Apple Watch, which fetches what its phone has fetched already. IAB PTM v2.3, filtering."""
    is_download = user_agent.startswith("atc/") and "watchOS" in user_agent
    return is_download or "(null)/(null) watchOS" in user_agent


def _clean(user_agent: str) -> str:
    """One line of valid Unicode. Bytes of UTF-8 that were taken for Latin-1, as HTTP servers do, are put right."""
    text = "".join(user_agent.splitlines()).strip()
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text.encode("utf-8", "replace").decode()
