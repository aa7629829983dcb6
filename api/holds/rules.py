"""The fraud rules: what each looks for, and its parameters. How they look is in `finding_*.py`; docs/fraud.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HOUR_MS = 3_600_000
LOOK_BACK_DAYS = 30
"""A crowd stays known for so long: as long as the networks of new devices are remembered."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to hold payment."""

    name: str
    title: str
    """What it found, as a page says it."""
    parameters: Mapping[str, int] = field(default_factory=dict)
    clause: str = ""
    """Where docs/fraud.md explains it; by default under its name."""

    @property
    def source(self) -> str:
        """The clause of docs/fraud.md."""
        return f"docs/fraud.md#{self.clause or self.name}"


OVER_24_HOURS = Rule(
    "over_24_hours",
    "A device that played for longer than a day has",
    {"wall_ms": 24 * HOUR_MS},
)
FORKED_LOG = Rule("forked_log", "A device whose log tells two stories: a clone, a restored backup, a rewrite")
BROKEN_LOG = Rule("broken_log", "A device whose log does not give the head that it claims")
LOG_GAP = Rule("log_gap", "A device of whose log a stretch is missing; ends by itself when the stretch arrives")
CROWD_FROM_NETWORK = Rule(
    "crowd_from_network",
    "Many devices that registered from one network within an hour",
    {"devices": 50, "minutes": 60},
)
NO_DELIVERY = Rule(
    "no_delivery",
    "Far more devices heard an episode than anybody fetched its file",
    {"times": 2, "more": 50, "days": 28},
)
IDENTICAL_COVERAGE = Rule(
    "identical_coverage",
    "Many devices that heard the very same seconds of an episode on one day",
    {"devices": 25},
)
LISTEN_SPIKE = Rule(
    "listen_spike",
    "Far more listens than such a day of the show has had",
    {"deviations": 8, "times": 4, "more": 200, "days": 84, "least_days": 4, "spared": 3},
)
DOWNLOAD_SPIKE = Rule(
    "download_spike",
    "Far more downloads than such a day of the show has had",
    {"deviations": 8, "times": 4, "more": 200, "days": 84, "least_days": 4},
)
MANY_AGENTS_ONE_ADDRESS = Rule(
    "many_agents_one_address",
    "Many user agents of one address that downloaded one episode on one day",
    {"agents": 25},
)

RULES = (
    OVER_24_HOURS,
    FORKED_LOG,
    BROKEN_LOG,
    LOG_GAP,
    CROWD_FROM_NETWORK,
    NO_DELIVERY,
    IDENTICAL_COVERAGE,
    LISTEN_SPIKE,
    DOWNLOAD_SPIKE,
    MANY_AGENTS_ONE_ADDRESS,
)
BY_NAME = {rule.name: rule for rule in RULES}
SPIKES = frozenset({LISTEN_SPIKE.name, DOWNLOAD_SPIKE.name})
"""Whose findings are told to whoever wants to know (`spike.found`)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found of a UTC day."""

    rule: Rule
    subject: str
    """The same at each look."""
    measured: Mapping[str, Any]
    playbacks: tuple[tuple[int, bytes], ...] = ()
    """(episode_id, device), the most suspicious first."""
    most: int | None = None
    """So many of them at most are to be held, those that are held already included; None: all."""
    downloads: frozenset[tuple[int, int, int]] = frozenset()
    """(episode_id, address, agent)."""
    show_id: int | None = None

    @property
    def evidence(self) -> dict[str, Any]:
        """What was measured, and by which parameters."""
        return {"measured": dict(self.measured), "parameters": dict(self.rule.parameters)}
