"""What pages ask of the store about holds. Numbers are those of the API; nothing here tells devices apart."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlmodel import Session

from dashboard import data, store
from models.advertising import Hold, HoldDecision
from models.queries import hold_decisions, payable
from models.queries.hold_decisions import Flagged
from models.queries.payable import LISTENS, HeldSum, PaidEpisode, Scope
from models.tables import Role, Show, User

MAX_HOLDS = 200
MEASURED = {
    "devices": "Devices",
    "registered": "Devices that registered",
    "listening": "Of them listening on this day",
    "seconds": "Seconds that each heard",
    "stretches": "Stretches that each heard",
    "wall_ms": "Time it took, by the device's clock",
    "missing": "Events missing",
    "delivered": "Devices or addresses that fetched the file",
    "listens": "Listens of the day",
    "downloads": "Downloads of the day",
    "excess": "Of them more than is plausible",
    "usual": "Usual for such a day",
    "spread": "How much such days differ",
    "compared_days": "Days compared with",
    "kind_of_day": "Kind of day",
    "agents": "User agents",
}
PARAMETERS = {
    "wall_ms": "Longest time, by the device's clock",
    "devices": "Fewest devices",
    "minutes": "Within so many minutes",
    "times": "So many times what is usual",
    "more": "And so many more",
    "days": "Days that are looked back",
    "deviations": "So many times what days differ",
    "least_days": "Fewest days to compare with",
    "spared": "So many times what is usual are left",
    "agents": "Fewest user agents",
}
HOUR_MS = 3_600_000


class Kept(NamedTuple):
    """What is not paid of a day under a rule: each listen and impression once, under one rule."""

    day: date
    rule: str
    state: str
    """`open` or `void`."""
    listens: int
    impressions: int
    """As their campaigns are billed."""


class HoldRow(NamedTuple):
    """A hold and what it flags, which other holds may flag too."""

    hold: Hold
    playbacks: int
    devices: int
    downloads: int
    reason: str
    """Of the last decision."""
    shows: list[str]
    """Titles of the shows that it flags anything of."""


class HoldDetail(NamedTuple):
    """A hold with all there is to say."""

    row: HoldRow
    kept: list[Kept]
    """Of its day and the episodes that it flags, by all rules."""
    measured: dict[str, Any]
    parameters: dict[str, Any]
    episodes: list[tuple[str, int, int, int]]
    """Title, playbacks, devices, consumers' days."""
    decisions: list[tuple[HoldDecision, str]]


def key(row: Hold | Show) -> int:
    """The small key of a stored row."""
    return cast("int", row.id)


def holds(state: str | None, rule: str | None, show: Show | None) -> list[HoldRow]:
    """Holds for admins, the latest day first; of a show: those that flag anything of it."""
    show_id = key(show) if show is not None else None
    with store.read() as session:
        found = hold_decisions.list_holds(
            session, state=state, rule=rule, show_id=show_id, limit=MAX_HOLDS, offset=0
        )  # fmt: skip
        return _rows(session, found, show_id)


def count(state: str | None, rule: str | None, show: Show | None) -> int:
    """How many there are in all."""
    with store.read() as session:
        return hold_decisions.count_holds(
            session, state=state, rule=rule, show_id=key(show) if show is not None else None
        )


def of_creator(user: User) -> list[HoldRow]:
    """Holds that flag anything of this user's shows, in numbers of these shows alone; the latest day first."""
    found: dict[int, HoldRow] = {}
    for show in data.shows(user):
        with store.read() as session:
            rows = hold_decisions.list_holds(
                session, state=None, rule=None, show_id=key(show), limit=MAX_HOLDS, offset=0
            )  # fmt: skip
            for row in _rows(session, rows, key(show)):
                known = found.get(key(row.hold))
                found[key(row.hold)] = row if known is None else _merge(known, row)
    return sorted(found.values(), key=lambda row: (row.hold.day, key(row.hold)), reverse=True)


def _merge(one: HoldRow, other: HoldRow) -> HoldRow:
    return one._replace(
        playbacks=one.playbacks + other.playbacks,
        devices=one.devices + other.devices,
        downloads=one.downloads + other.downloads,
        shows=one.shows + other.shows,
    )


def detail(user: User, uuid: str) -> HoldDetail | None:
    """A hold by the id in a page's address; for admins."""
    try:
        wanted = UUID(uuid)
    except ValueError:
        return None
    if user.role != Role.ADMIN:
        return None
    with store.read() as session:
        hold = hold_decisions.get_hold(session, wanted)
        if hold is None:
            return None
        (row,) = _rows(session, [hold], None)
        flagged = hold_decisions.list_flagged(session, [hold])
        names = hold_decisions.list_episode_names(session, {found.episode_id for found in flagged})
        evidence = json.loads(hold.evidence)
        scope = Scope(first=hold.day, last=hold.day)
        sums = payable.list_held_sums(session.connection(), scope)
        return HoldDetail(
            row,
            _sum_kept(found for found in sums if found.episode_id in names),
            evidence.get("measured", {}),
            evidence.get("parameters", {}),
            _by_episode(flagged, {number: name[1] for number, name in names.items()}),
            hold_decisions.list_decisions(session, key(hold)),
        )


def _by_episode(flagged: list[Flagged], titles: dict[int, str]) -> list[tuple[str, int, int, int]]:
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in flagged:
        for place, number in enumerate((row.playbacks, row.devices, row.downloads)):
            sums[row.episode_id][place] += number
    found = [(titles[episode_id], *numbers) for episode_id, numbers in sums.items()]
    return sorted(found, key=lambda row: -row[1] - row[3])


def _rows(session: Session, found: list[Hold], show_id: int | None) -> list[HoldRow]:
    flagged: dict[int, list[Flagged]] = defaultdict(list)
    for row in hold_decisions.list_flagged(session, found, show_id):
        flagged[row.hold_id].append(row)
    episodes = {row.episode_id for rows in flagged.values() for row in rows}
    known = payable.list_paid_episodes(session.connection(), episodes)
    reasons = hold_decisions.list_reasons(session, [key(hold) for hold in found])
    return [_row(hold, flagged[key(hold)], known, reasons.get(key(hold), "")) for hold in found]


def _row(hold: Hold, flagged: list[Flagged], known: dict[int, PaidEpisode], reason: str) -> HoldRow:
    return HoldRow(
        hold,
        sum(row.playbacks for row in flagged),
        sum(row.devices for row in flagged),
        sum(row.downloads for row in flagged),
        reason,
        sorted({known[row.episode_id].show_title for row in flagged}),
    )


def kept(rows: Sequence[HoldRow], user: User, show: Show | None = None) -> list[Kept]:
    """What is not paid of the days of these holds, the last day first; of one show, or of all that the user may see."""
    if not rows:
        return []
    days = {row.hold.day for row in rows}
    scope = Scope(first=min(days), last=max(days), creator_id=data.owner_id(user))
    with store.read() as session:
        sums = [row for row in payable.list_held_sums(session.connection(), scope) if row.day in days]
        if show is not None:
            known = payable.list_paid_episodes(session.connection(), {row.episode_id for row in sums})
            sums = [row for row in sums if known[row.episode_id].show_id == key(show)]
    return _sum_kept(sums)


def _sum_kept(sums: Iterable[HeldSum]) -> list[Kept]:
    found: dict[tuple[date, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in sums:
        found[row.day, row.rule, row.state][row.campaign_id != LISTENS] += row.number
    ordered = sorted(found.items(), key=lambda item: (-item[0][0].toordinal(), item[0][1:]))
    return [Kept(*at, *numbers) for at, numbers in ordered]


def measured_name(name: str) -> str:
    """`Devices` for `devices`; the plain name where there are no words for it."""
    return MEASURED.get(name, name.replace("_", " ").capitalize())


def parameter_name(name: str) -> str:
    """`Fewest devices` for `devices`."""
    return PARAMETERS.get(name, name.replace("_", " ").capitalize())


def measured_value(name: str, value: Any) -> str:
    """`1,000`, `0.3 h`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if name == "wall_ms":
        return f"{value / HOUR_MS:,.1f} h" if value >= HOUR_MS else f"{value / 60_000:,.0f} min"
    return f"{value:,}"
