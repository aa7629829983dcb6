"""Money worked out a second time, in plain Python, one playback and one impression after the other.

Reads the raw rows: playbacks, flags, placements, plans, what is settled. Shares no code with what it judges.
"""

import struct
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from uuid import UUID

from sqlalchemy import Engine, text

from models.engine import read_only

EPOCH = date(1970, 1, 1)
Key = tuple[int, int, date]
"""Episode, campaign (0: listens), UTC day."""


@dataclass
class Fate:
    """What became of a day's listens or impressions."""

    counted: int = 0
    held: int = 0
    void: int = 0
    settled: int = 0
    pending: int = 0
    unbilled: int = 0
    unplanned: int = 0

    @property
    def payable(self) -> int:
        return self.counted - self.held - self.void

    @property
    def accounted(self) -> int:
        return self.held + self.void + self.settled + self.pending + self.unbilled + self.unplanned


class Oracle:
    """The whole of a store, read afresh for each question."""

    def __init__(self, engine: Engine) -> None:
        self.engine = read_only(engine)

    def rows(self, statement: str) -> list[tuple]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    # -- counts -----------------------------------------------------------------------------------------------------

    def fates(self) -> dict[Key, Fate]:
        """Every day's listens and impressions, each in one place."""
        found: dict[Key, Fate] = defaultdict(Fate)
        verdicts = self._verdicts()
        durations = dict(self.rows("SELECT id, duration_ms / 1000 FROM episode"))
        ads = self._ads()
        for day, device, episode, coverage in self.rows("SELECT day, device, episode_id, coverage FROM playback"):
            heard = seconds(bytes(coverage), durations[episode])
            verdict = verdicts.get((day, bytes(device), episode), "")
            if len(heard) >= min(30, durations[episode]):
                add(found[episode, 0, to_date(day)], verdict)
            for campaign, start_ms, end_ms, first, last, percent in ads.get(episode, []):
                part = set(range(start_ms // 1000, min(end_ms // 1000, durations[episode])))
                share = len(part & heard) * 100
                if part & heard and share >= percent * len(part) and first <= day <= last:
                    add(found[episode, campaign, to_date(day)], verdict)
        for key, quantity in self.settled().items():
            found[key].settled += quantity
        self._decide(found)
        return dict(found)

    def _verdicts(self) -> dict[tuple[int, bytes, int], str]:
        found: dict[tuple[int, bytes, int], str] = {}
        flags = self.rows(
            "SELECT f.day, f.device, f.episode_id, h.state FROM held_playback f JOIN hold h ON h.id = f.hold_id"
        )
        for day, device, episode, state in flags:
            key = day, bytes(device), episode
            if state == "void" or (state == "open" and found.get(key) != "void"):
                found[key] = state
        return found

    def _ads(self) -> dict[int, list[tuple]]:
        found: dict[int, list[tuple]] = defaultdict(list)
        for episode, *ad in self.rows(
            "SELECT p.episode_id, p.campaign_id, p.start_ms, p.end_ms, p.from_day, p.to_day, c.confirm_percent "
            "FROM placement p JOIN campaign c ON c.id = p.campaign_id"
        ):
            found[episode].append(tuple(ad))
        return found

    def settled(self) -> dict[Key, int]:
        """By statements that are not void."""
        found: dict[Key, int] = defaultdict(int)
        for episode, campaign, day, quantity in self.rows(
            "SELECT d.episode_id, d.campaign_id, d.day, d.quantity FROM settled_day d "
            "JOIN statement s ON s.id = d.statement_id WHERE s.state <> 'void'"
        ):
            found[episode, campaign, to_date(day)] += quantity
        return dict(found)

    # -- what a close would do ---------------------------------------------------------------------------------------

    def _decide(self, fates: dict[Key, Fate]) -> None:
        by_campaign: dict[int, list[Key]] = defaultdict(list)
        first_plans = self._first_plans()
        for (episode, campaign, day), fate in fates.items():
            if episode not in first_plans or day < first_plans[episode]:
                fate.unplanned = fate.payable - fate.settled
            elif campaign:
                by_campaign[campaign].append((episode, campaign, day))
            else:
                fate.pending = fate.payable - fate.settled
        for campaign, keys in by_campaign.items():
            self._bill(campaign, {key: fates[key] for key in sorted(keys, key=lambda key: (key[2], key[0]))})

    def _first_plans(self) -> dict[int, date]:
        """Episode -> the day on which its show's first plan begins; from there on there always is one."""
        found = self.rows(
            "SELECT e.id, MIN(r.from_day) FROM rate_plan r JOIN episode e ON e.show_id = r.show_id GROUP BY e.id"
        )
        return {episode: to_date(day) for episode, day in found}

    def _bill(self, campaign: int, days: dict[Key, Fate]) -> None:
        """One impression after the other, as long as there is money and room."""
        ((price, budget, cap, daily),) = self.rows(
            f"SELECT price_cents, budget_cents, impression_cap, daily_cap FROM campaign WHERE id = {campaign}"
        )
        of_day: dict[date, int] = defaultdict(int)
        for (_, _, day), fate in days.items():
            fate.pending = min(0, fate.payable - fate.settled)
            of_day[day] += fate.settled + fate.pending
        for (_, _, day), fate in days.items():
            for _ in range(fate.payable - fate.settled - fate.pending):
                total = sum(of_day.values()) + 1
                is_free = Fraction(total * price, 1000) <= budget and (cap is None or total <= cap)
                if is_free and (daily is None or of_day[day] < daily):
                    of_day[day] += 1
                    fate.pending += 1
                else:
                    fate.unbilled += 1

    # -- the ledger ---------------------------------------------------------------------------------------------------

    def balances(self) -> dict[tuple[str, str], int]:
        """Account and currency; every transaction is looked at on its own."""
        sums: dict[tuple[int, str], int] = defaultdict(int)
        found: dict[tuple[str, str], int] = defaultdict(int)
        for transaction, account, currency, cents in self.rows(
            "SELECT transaction_id, account, currency, amount_cents FROM ledger_entry"
        ):
            sums[transaction, currency] += cents
            found[account, currency] += cents
        assert not any(sums.values()), "a transaction does not sum to zero"
        assert not any(
            sum(cents for (_, other), cents in found.items() if other == currency) for _, currency in found
        ), "the ledger does not sum to zero"
        return {key: cents for key, cents in found.items() if cents}

    def owed(self) -> dict[tuple[str, str], int]:
        """Creator's account -> approved and not paid, as credits."""
        found: dict[tuple[str, str], int] = defaultdict(int)
        for creator, currency, cents in self.rows(
            "SELECT a.uuid, s.currency, s.total_cents FROM statement s JOIN account a ON a.id = s.creator_id "
            "WHERE s.state = 'approved' OR (s.state = 'held' AND s.held_from = 'approved')"
        ):
            found[f"creator:{as_uuid(creator)}", currency] -= cents
        return {key: cents for key, cents in found.items() if cents}


def add(fate: Fate, verdict: str) -> None:
    fate.counted += 1
    fate.held += verdict == "open"
    fate.void += verdict == "void"


def seconds(coverage: bytes, duration: int) -> set[int]:
    """The whole seconds heard."""
    bounds = struct.unpack(f"<{len(coverage) // 4}I", coverage)
    heard = set()
    for first, end in zip(bounds[::2], bounds[1::2], strict=True):
        heard |= set(range(first, min(end, duration)))
    return heard


def to_date(day: int) -> date:
    return EPOCH + timedelta(days=day)


def as_uuid(value: object) -> str:
    return str(UUID(str(value)))
