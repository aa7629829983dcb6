"""What is worked out once for each address and user agent of a log, however many of its lines have it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.delivery.importing.blocks import Texts
from api.hits.classify import AddressFacts, AgentFacts, Classifier
from api.hits.identity import hash_address, hash_agent, key_of, mix

Column = NDArray[Any]
REMEMBERED = 500_000
"""Addresses and user agents of which it is kept; beyond, it is worked out again."""


def distinct(codes: Column, size: int) -> tuple[Column, Column]:
    """The numbers below `size` that are there, in order, and the place of each number among them: as `np.unique`, but
    without sorting."""
    is_there = np.zeros(size, bool)
    is_there[codes] = True
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[codes]


class Known:
    """Asked for columns of addresses or user agents, gives columns of what they are."""

    def __init__(self, classifier: Classifier, secret: str) -> None:
        self._classifier, self._secret = classifier, secret
        self._hashes: dict[tuple[int, bool], dict[str, int]] = {}
        """By rotation, and whether of addresses."""
        self._agents: dict[str, int] = {}
        """Into `_facts`."""
        self._facts: list[AgentFacts] = []
        """Different ones only."""
        self._places: dict[AgentFacts, int] = {}

    def hashes(self, ip: Texts, agent: Texts, rotation: Column) -> tuple[Column, Column]:
        """Address and consumer of each line, under the key of its rotation."""
        address, consumer = (np.zeros(len(rotation), np.uint64) for _ in range(2))
        for number in np.unique(rotation).tolist():
            chosen = np.flatnonzero(rotation == number)
            address[chosen] = self._hashed(ip, chosen, number, is_address=True)
            consumer[chosen] = mix(address[chosen], self._hashed(agent, chosen, number, is_address=False))
        return address, consumer

    def _hashed(self, texts: Texts, chosen: Column, rotation: int, *, is_address: bool) -> Column:
        if sum(map(len, self._hashes.values())) > REMEMBERED:
            self._hashes.clear()
        known = self._hashes.setdefault((rotation, is_address), {})
        key, hashed = key_of(self._secret, rotation), hash_address if is_address else hash_agent
        used, inverse = distinct(texts.codes[chosen], len(texts.values))
        return _looked_up(known, texts.values, used, lambda text: hashed(key, text))[inverse]

    def address_facts(self, ip: Texts, day: Column) -> tuple[Column, Column, dict[str, int]]:
        """Traits and country of each line, and the countries that these point into."""
        traits, country = np.zeros(len(day), np.uint16), np.zeros(len(day), np.int64)
        countries: dict[str, int] = {"": 0}
        for number in np.unique(day).tolist():
            chosen = np.flatnonzero(day == number)
            used, inverse = distinct(ip.codes[chosen], len(ip.values))
            facts = [self._classifier.address(ip.values[code], number) for code in used.tolist()]
            different, place = _by_identity(facts)
            traits[chosen] = np.array([int(fact.traits) for fact in different], np.uint16)[place[inverse]]
            named = [countries.setdefault(fact.country, len(countries)) for fact in different]
            country[chosen] = np.array(named, np.int64)[place[inverse]]
        return traits, country, countries

    def agent_facts(self, agent: Texts) -> tuple[Column, Column, list[tuple[str, str]]]:
        """Traits, and app and device class of each line; and the list that these point into."""
        if len(self._agents) > REMEMBERED:
            self._agents.clear()
        used, inverse = distinct(agent.codes, len(agent.values))
        numbers = _looked_up(self._agents, agent.values, used, self._number).astype(np.int64)
        traits = np.array([int(fact.traits) for fact in self._facts], np.uint16)[numbers]
        names: dict[tuple[str, str], int] = {}
        place = np.zeros(len(self._facts), np.int64)
        for number in np.unique(numbers).tolist():
            fact = self._facts[number]
            place[number] = names.setdefault((fact.app, fact.device_class), len(names))
        return traits[inverse], place[numbers][inverse], list(names)

    def _number(self, agent: str) -> int:
        facts = self._classifier.agent(agent)
        if facts not in self._places:
            self._places[facts] = len(self._facts)
            self._facts.append(facts)
        return self._places[facts]


def _by_identity(facts: list[AddressFacts]) -> tuple[list[AddressFacts], Column]:
    """The different objects, and the place of each among them. Without lists all are one and the same."""
    different = {id(fact): fact for fact in facts}
    if len(different) == 1:
        return list(different.values()), np.zeros(len(facts), np.int64)
    places = {key: place for place, key in enumerate(different)}
    return list(different.values()), np.array([places[id(fact)] for fact in facts], np.int64)


def _looked_up(known: dict[str, int], values: Sequence[str], used: Column, of: Callable[[str], int]) -> Column:
    """The number for each of the used values, found out with `of` when it is not known."""
    texts = list(map(values.__getitem__, used.tolist()))
    numbers = list(map(known.get, texts))
    for place in [place for place, number in enumerate(numbers) if number is None]:
        numbers[place] = known[texts[place]] = of(texts[place])
    return np.array(numbers, np.uint64)
