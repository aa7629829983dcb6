"""What each rule finds of a UTC day in a store; no rule writes."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from sqlalchemy import Connection

from api.holds import finding_rates, rules
from api.holds.judging import crowded
from api.holds.rules import Finding, Rule
from models.advertising import HoldState
from models.columns import day_number
from models.coverage import heard_seconds, is_listen, unpack_coverage
from models.queries import erasures, hold_findings, holds
from models.queries.hold_findings import TroubledLog

ERASED = "erased:"
"""What the subject of a hold begins with whose device was erased."""


def name_device(device: bytes) -> str:
    """A device in a hold's subject: says of a known id that it is this one, and cannot be turned back."""
    return f"device:{erasures.hash_device(device).hex()[:16]}"


def name_number(number: int) -> str:
    """A hash of the store as people compare them."""
    return f"{number & (1 << 64) - 1:016x}"


@dataclass(frozen=True)
class Look:
    """One look at a stretch of days; what does not depend on the day is read once."""

    connection: Connection
    first: int
    last: int
    today: int

    @cached_property
    def crowds(self) -> dict[int, frozenset[bytes]]:
        """Network -> the devices that registered from it in a crowd."""
        devices, minutes = (rules.CROWD_FROM_NETWORK.parameters[name] for name in ("devices", "minutes"))
        found = {
            network: frozenset(crowded(hold_findings.list_registrations(self.connection, network), devices, minutes))
            for network in hold_findings.list_crowded_networks(self.connection, devices)
        }
        return {network: members for network, members in found.items() if members}

    @cached_property
    def rates(self) -> finding_rates.Rates:
        """Listens and downloads of shows, with what came before the days of this look."""
        return finding_rates.load_rates(self.connection, self.first, self.last)

    def released(self, rule: Rule) -> dict[str, tuple[int, str]]:
        """Subject -> day on which it was last released, and by which evidence; days counted by the decision."""
        found = holds.list_released(self.connection, rule.name)
        return {base_of(subject): (day_number(at.date()), evidence) for subject, _, at, evidence in found}


Find = Callable[[Look, int], Iterator[Finding]]


def base_of(subject: str) -> str:
    """A subject without the number that tells a second hold of it from the first."""
    return subject.partition("/")[0]


# -- one device ----------------------------------------------------------------------------------------------------


def find_over_24_hours(look: Look, day: int) -> Iterator[Finding]:
    """Devices with more of their own clock's time than the day has."""
    rule = rules.OVER_24_HOURS
    known = holds.list_devices_held(look.connection, rule.name, day, day)
    # What stands in for an erased device is found by its own length, too, and was decided with the device.
    stand_ins = {device for subject, _, device in known if subject.startswith(ERASED)}
    for device, wall_ms in hold_findings.list_wall_sums(look.connection, day, rule.parameters["wall_ms"]):
        if device in stand_ins:
            continue
        playbacks = hold_findings.list_playbacks_of_devices(look.connection, day, [device])
        yield Finding(rule, name_device(device), {"wall_ms": wall_ms}, tuple(sorted(playbacks)))


def find_log_troubles(look: Look, day: int) -> Iterator[Finding]:
    """Devices whose hash chain is not whole, as far as nobody has said that it is all right."""
    troubled = {log.device: log for log in hold_findings.list_troubled_logs(look.connection, day)}
    heard: dict[bytes, set[tuple[int, bytes]]] = defaultdict(set)
    for episode_id, device in hold_findings.list_playbacks_of_devices(look.connection, day, troubled):
        heard[device].add((episode_id, device))
    released = {rule.name: look.released(rule) for rule in (rules.FORKED_LOG, rules.BROKEN_LOG, rules.LOG_GAP)}
    for device, playbacks in sorted(heard.items()):
        for rule, measured in _troubles(troubled[device]):
            decided = released[rule.name].get(name_device(device))
            if decided is None or _is_new_trouble(look, rule, device, measured, *decided):
                yield Finding(rule, name_device(device), measured, tuple(sorted(playbacks)))


def _troubles(log: TroubledLog) -> Iterator[tuple[Rule, dict[str, object]]]:
    if log.is_forked:
        yield rules.FORKED_LOG, {}
    if log.is_broken:
        yield rules.BROKEN_LOG, {}
    if missing := json.loads(log.missing):
        yield rules.LOG_GAP, {"missing": [[first, last] for first, last, *_ in missing]}


def _is_new_trouble(
    look: Look, rule: Rule, device: bytes, measured: dict[str, object], decided_day: int, evidence: str
) -> bool:
    """Whether anything came to light since a person released the log: another gap, or another batch that forks."""
    if rule is rules.LOG_GAP:
        return bool(json.loads(evidence)["measured"].get("missing") != measured["missing"])
    state = {rules.FORKED_LOG.name: "fork", rules.BROKEN_LOG.name: "broken"}[rule.name]
    days = range(max(decided_day + 1, look.today - rules.LOOK_BACK_DAYS), look.today + 1)
    return hold_findings.has_trouble(look.connection, device, state, days)


# -- many devices --------------------------------------------------------------------------------------------------


def find_crowds(look: Look, day: int) -> Iterator[Finding]:
    """Devices of a crowd: by their registrations, and by what was held of them before, since networks are forgotten."""
    rule = rules.CROWD_FROM_NETWORK
    crowds: dict[str, set[bytes]] = defaultdict(set)
    for network, members in look.crowds.items():
        crowds[f"network:{name_number(network)}"] |= members
    known = holds.list_devices_held(look.connection, rule.name, day - rules.LOOK_BACK_DAYS, day - 1)
    released = {(base_of(subject), device) for subject, state, device in known if state == HoldState.RELEASED}
    for subject, state, device in known:
        if state != HoldState.RELEASED:
            crowds[base_of(subject)].add(device)
    for subject, devices in sorted(crowds.items()):
        suspects = {device for device in devices if (subject, device) not in released}
        playbacks = hold_findings.list_playbacks_of_devices(look.connection, day, suspects)
        if playbacks:
            measured = {"registered": len(devices), "listening": len({device for _, device in playbacks})}
            yield Finding(rule, subject, measured, tuple(sorted(playbacks)))


def find_identical_coverage(look: Look, day: int) -> Iterator[Finding]:
    """Devices that heard the very same seconds; those of one stretch only when it took the same time, too."""
    rule = rules.IDENTICAL_COVERAGE
    groups = hold_findings.list_alike(look.connection, day, rule.parameters["devices"])
    durations = hold_findings.list_durations(look.connection, {group.episode_id for group in groups})
    for group in groups:
        coverage, duration = unpack_coverage(group.coverage), durations.get(group.episode_id, 0)
        heard = heard_seconds(coverage, duration)
        if not is_listen(heard, duration):
            continue
        wall = "" if group.wall_ms is None else f"/{group.wall_ms}"
        number = sha256(group.coverage + wall.encode()).hexdigest()[:16]
        devices = hold_findings.list_devices_alike(look.connection, day, group)
        measured = {"devices": len(devices), "seconds": heard, "stretches": len(coverage) // 2}
        measured |= {} if group.wall_ms is None else {"wall_ms": group.wall_ms}
        playbacks = tuple((group.episode_id, device) for device in sorted(devices))
        yield Finding(rule, f"episode:{group.episode_id}:coverage:{number}", measured, playbacks)


def find_agent_crowds(look: Look, day: int) -> Iterator[Finding]:
    """Addresses that downloaded an episode as many different apps."""
    rule = rules.MANY_AGENTS_ONE_ADDRESS
    for crowd in hold_findings.list_agent_crowds(look.connection, day, rule.parameters["agents"]):
        downloads = frozenset(hold_findings.list_agents(look.connection, day, crowd))
        subject = f"episode:{crowd.episode_id}:address:{name_number(crowd.address)}"
        yield Finding(rule, subject, {"agents": crowd.agents}, downloads=downloads)


FINDERS: tuple[Find, ...] = (
    find_over_24_hours,
    find_log_troubles,
    find_crowds,
    find_identical_coverage,
    find_agent_crowds,
    lambda look, day: finding_rates.find_no_delivery(look.connection, day),
    lambda look, day: finding_rates.find_listen_spikes(look.connection, look.rates, day),
    lambda look, day: finding_rates.find_download_spikes(look.connection, look.rates, day),
)


def find(connection: Connection, days: Sequence[int], today: int) -> Iterator[tuple[int, list[Finding]]]:
    """What the rules find of each of these days, which are in order. A day's findings may build on those of the days
    before it, once they are kept."""
    look = Look(connection, days[0], days[-1], today)
    for day in days:
        yield day, [found for finder in FINDERS for found in finder(look, day)]
