"""What is found out about a hit from its address and headers, before they are forgotten. Signatures for all callers."""

from dataclasses import dataclass
from typing import Protocol

from api.hits.traits import Trait


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """What a user agent is."""

    app: str
    """A name to show, `Apple Podcasts`; empty when unknown."""
    device_class: str
    """`phone`, `tablet`, `computer`, `watch`, `speaker`, `tv`, `car`, or empty when unknown."""
    traits: Trait
    """BOT or WATCH."""


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """What an address is."""

    country: str
    """ISO 3166 alpha-2; empty when unknown."""
    traits: Trait
    """DATACENTER or INCLUDED."""


class Classifier(Protocol):
    """Looks user agents, addresses and referrers up. Never raises for odd input: unknown is an answer."""

    def agent(self, user_agent: str) -> AgentFacts:
        """Cached by user agent."""
        ...

    def address(self, host: str, day: int) -> AddressFacts:
        """`host`: an IP address in text; `day`: UTC day number, for the inclusion list's dates."""
        ...

    def referrer(self, referrer: str) -> Trait:
        """PRELOAD or NONE."""
        ...
