"""The lists that an operator gave, put together: what `api.hits.classify` asks for."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from api.hits import agents_table
from api.hits.agents import Agents
from api.hits.classify import AddressFacts, AgentFacts
from api.hits.country import Countries
from api.hits.inclusions import Inclusions, read_inclusions
from api.hits.networks import ListError, Networks, read_networks, try_parse_address
from api.hits.opawg import read_opawg
from api.hits.referrers import Referrers
from api.hits.traits import Trait
from api.hits.watched import Watched
from api.settings import Settings

T = TypeVar("T")

UNKNOWN = AddressFacts("", Trait.NONE)


class Lookup:
    """A Classifier; threads may share it. Files about addresses are read again when they change; others are not."""

    def __init__(
        self,
        agents: Agents,
        referrers: Referrers,
        datacenters: Watched[Networks] | None = None,
        inclusions: Watched[Inclusions] | None = None,
        countries: Watched[Countries] | None = None,
    ) -> None:
        self._agents, self._referrers = agents, referrers
        self._datacenters, self._inclusions, self._countries = datacenters, inclusions, countries
        self._has_lists = any((datacenters, inclusions, countries))

    def agent(self, user_agent: str) -> AgentFacts:
        """Cached by user agent."""
        return self._agents.find(user_agent)

    def address(self, host: str, day: int) -> AddressFacts:
        """`host`: an IP address in text; `day`: UTC day number, for the inclusion list's dates."""
        address = try_parse_address(host) if self._has_lists else None
        if address is None:
            return UNKNOWN
        traits, country = Trait.NONE, ""
        if self._datacenters and self._datacenters.current().has(address):
            traits |= Trait.DATACENTER
        if self._inclusions and self._inclusions.current().has(address, day):
            traits |= Trait.INCLUDED
        if self._countries:
            country = self._countries.current().find(address)
        return AddressFacts(country, traits)

    def referrer(self, referrer: str) -> Trait:
        """PRELOAD or NONE."""
        return self._referrers.traits(referrer)


def make_classifier(settings: Settings) -> Lookup:
    """Read all lists that the settings name. Raises ListError, naming setting, file and line."""
    opawg = _named("AGENTS", lambda: read_opawg(Path(settings.agents))) if settings.agents else None
    return Lookup(
        Agents(opawg.agents if opawg else agents_table.LISTS),
        Referrers(opawg.preloaders if opawg else ()),
        _watched("DATACENTERS", settings.datacenters, read_networks),
        _watched("INCLUSIONS", settings.inclusions, read_inclusions),
        _watched("GEO", settings.geo, Countries),
    )


def _watched(setting: str, path: str, read: Callable[[Path], T]) -> Watched[T] | None:
    return _named(setting, lambda: Watched(Path(path), read)) if path else None


def _named(setting: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ListError as error:
        raise ListError(f"EARSHOT_{setting}: {error}") from error
