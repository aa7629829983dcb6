"""The mathematics of statements: exact amounts, rounding, budgets and caps, lines. Pure: facts in, lines out.

`work_out` is all that turns the inputs of a statement into its lines. The close stores what it says of the inputs that
it pins, and whoever verifies a statement asks it again. The rules and their reasons are in docs/payouts.md.
"""

import json
import sys
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from gzip import compress, decompress
from hashlib import sha256
from typing import Any, NamedTuple

from models.metrics import LISTEN_SECONDS
from models.payouts import EXACT_PER_CENT, LineKind

RULE_VERSION = f"payout/1 listen/{LISTEN_SECONDS}s"
"""Of what follows here and of what a listen is. It changes when any statement would come to another amount."""

INPUTS_FORMAT = 1
"""Of the inputs' JSON."""

Inputs = dict[str, Any]
"""All facts that a statement's amounts were computed from; the keys are in docs/payouts.md."""


# -- months --------------------------------------------------------------------------------------------------------


def month_of(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def last_day(month: date) -> date:
    """The last day of a month."""
    return next_month(month) - timedelta(days=1)


# -- amounts -------------------------------------------------------------------------------------------------------


def exact_for_listens(quantity: int, price_cents: int) -> int:
    """What so many listens come to at a price per 1,000, in 1/EXACT_PER_CENT of a cent."""
    return quantity * price_cents * (EXACT_PER_CENT // 1000)


def exact_for_ads(quantity: int, price_cents: int, share_bp: int) -> int:
    """What a share of the price of so many impressions comes to, in 1/EXACT_PER_CENT of a cent."""
    return quantity * price_cents * share_bp * (EXACT_PER_CENT // (1000 * 10_000))


def round_half_up(exact: int) -> int:
    """Cents; a half goes up, so -0.5 becomes 0."""
    return (2 * exact + EXACT_PER_CENT) // (2 * EXACT_PER_CENT)


def apportion(total: int, exacts: Sequence[int], unit: int = EXACT_PER_CENT) -> list[int]:
    """Split `total` into whole numbers near `exacts / unit` by largest remainder; of equal ones the first has more.

    They add up to `total` whatever it is. Where it is the rounded sum of `exacts`, each is off by less than one.
    """
    if not exacts:
        if total:
            raise ValueError(f"{total} cannot be split over nothing")
        return []
    parts = [exact // unit for exact in exacts]
    each, more = divmod(total - sum(parts), len(parts))
    ranked = sorted(range(len(parts)), key=lambda place: -(exacts[place] % unit))
    lucky = set(ranked[:more])
    return [part + each + (place in lucky) for place, part in enumerate(parts)]


# -- what is counted, and what of it a close pays --------------------------------------------------------------------


class DayCount(NamedTuple):
    """An episode's listens, or its impressions of a campaign, on a UTC day."""

    episode_id: int
    campaign_id: int
    """0: listens."""
    day: date
    counted: int
    held: int
    void: int
    settled: int
    """By statements that stand."""

    @classmethod
    def of(cls, episode_id: int, campaign_id: int, day: date, numbers: Sequence[int]) -> "DayCount":
        """From counted, held, void and settled. What is flagged is part of what is counted, and never more than it:
        a count can shrink, when a recording is replaced, before the flags are looked at again."""
        counted, held, void, settled = numbers
        void = min(void, counted)
        return cls(episode_id, campaign_id, day, counted, min(held, counted - void), void, settled)

    @property
    def payable(self) -> int:
        """What is neither held nor void."""
        return self.counted - self.held - self.void

    @property
    def change(self) -> int:
        """Payable now, and not settled; below zero where something was settled that is not payable any more."""
        return self.payable - self.settled


@dataclass(frozen=True, slots=True)
class Taken:
    """What becomes of a day's count in a close; counted = settled + quantity + held + void + unbilled + unplanned."""

    count: DayCount
    quantity: int = 0
    """Paid now; below zero: taken back."""
    unbilled: int = 0
    """Beyond budget or caps."""
    unplanned: int = 0
    """Its show has no rate plan for that day yet."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How much a campaign pays for, and at what price."""

    price_cents: int
    budget_cents: int
    impression_cap: int | None = None
    daily_cap: int | None = None

    @property
    def most_impressions(self) -> int:
        """That its budget and its cap allow in all."""
        cap = sys.maxsize if self.impression_cap is None else self.impression_cap
        return min(cap, self.budget_cents * 1000 // self.price_cents) if self.price_cents else cap

    def charge(self, impressions: int) -> int:
        """What so many come to for the advertiser: whole cents, never above the budget."""
        return impressions * self.price_cents // 1000


def take_listens(counts: Iterable[DayCount]) -> list[Taken]:
    """All that is payable and not settled."""
    return [Taken(count, count.change) for count in counts]


def take_impressions(terms: Terms, counts: Iterable[DayCount], settled: Mapping[date, int]) -> list[Taken]:
    """What of a campaign's impressions is paid: first settled, first served.

    `settled` is all that the campaign has settled by day, whether or not the day is among `counts`. What was settled
    and is not payable any more makes room first; new ones are taken in order of day and episode while there is room.
    """
    by_day = dict(settled)
    ranked = sorted(counts, key=lambda count: (count.day, count.episode_id))
    for count in ranked:
        by_day[count.day] = by_day.get(count.day, 0) + min(count.change, 0)
    room = max(terms.most_impressions - sum(by_day.values()), 0)
    taken = []
    for count in ranked:
        quantity = count.change
        if quantity > 0:
            of_day = sys.maxsize if terms.daily_cap is None else max(terms.daily_cap - by_day[count.day], 0)
            quantity = min(quantity, room, of_day)
            room -= quantity
            by_day[count.day] += quantity
        taken.append(Taken(count, quantity, unbilled=count.change - quantity))
    return taken


# -- rate plans ----------------------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """A rate plan, as far as amounts depend on it."""

    id: int
    show_id: int
    from_day: date
    currency: str
    listen_price_cents: int
    ad_share_bp: int
    minimum_cents: int


class Plans:
    """Which plan a show has on which day."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        self._of_show: dict[int, list[Plan]] = {}
        for plan in sorted(plans, key=lambda plan: plan.from_day):
            self._of_show.setdefault(plan.show_id, []).append(plan)

    def on(self, show_id: int, day: date) -> Plan | None:
        """The last one that began by then."""
        plans = self._of_show.get(show_id, [])
        place = bisect_right(plans, day, key=lambda plan: plan.from_day)
        return plans[place - 1] if place else None


def minimum(plans: Sequence[Plan], currency: str, month: date) -> int:
    """Of a creator's plans in this currency: the largest of her shows', as they are on the month's last day."""
    known, day = Plans(plans), last_day(month)
    today = [known.on(show_id, day) for show_id in {plan.show_id for plan in plans}]
    return max((plan.minimum_cents for plan in today if plan and plan.currency == currency), default=0)


# -- lines ---------------------------------------------------------------------------------------------------------


class LineKey(NamedTuple):
    """What a line is of; lines stand in this order, which decides between equal remainders."""

    kind: str
    episode_id: int
    campaign_id: int
    plan_id: int
    month: date


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a statement; fields as in `models.payouts.StatementLine`."""

    key: LineKey
    quantity: int
    counted: int
    held: int
    void: int
    unbilled: int
    exact: int
    amount_cents: int
    gross_cents: int


class Worked(NamedTuple):
    """What a statement comes to."""

    lines: list[Line]
    total_cents: int
    brought_forward_cents: int
    minimum_cents: int

    @property
    def payable_cents(self) -> int:
        """To be paid out, if it comes to the minimum."""
        return self.total_cents + self.brought_forward_cents

    @property
    def is_carried(self) -> bool:
        """Too little to be paid out."""
        return is_carried(self.payable_cents, self.minimum_cents)


def is_carried(payable_cents: int, minimum_cents: int) -> bool:
    """Whether an amount waits for the next statement: it is below the minimum, or nothing, or less than nothing."""
    return payable_cents < minimum_cents or payable_cents <= 0


def line_key(count: DayCount, plan: Plan) -> LineKey:
    """The line that a day belongs to."""
    kind = LineKind.ADS if count.campaign_id else LineKind.LISTENS
    return LineKey(kind.value, count.episode_id, count.campaign_id, plan.id, month_of(count.day))


def has_line(key: LineKey, days: Iterable[Taken], month: date) -> bool:
    """Whether there is anything to say: some is paid or taken back, or some of this very month is kept back."""
    return any(
        taken.quantity or (key.month == month and (taken.count.held or taken.count.void or taken.unbilled))
        for taken in days
    )


def work_out(inputs: Inputs) -> Worked:
    """The lines of a statement and what they come to, from its inputs and nothing else."""
    plans = plans_of(inputs)
    rates = {row["id"]: row for row in inputs["plans"]}
    shows = {row["id"]: row["show_id"] for row in inputs["episodes"]}
    prices = {row["id"]: row["price_cents"] for row in inputs["campaigns"]}
    charged = {_key(row): row[-1] for row in inputs["gross"]}
    sums: dict[LineKey, list[int]] = {}
    for episode_id, campaign_id, day, counted, held, void, settled, _payable, quantity, unbilled in inputs["counts"]:
        count = DayCount(episode_id, campaign_id, date.fromisoformat(day), counted, held, void, settled)
        plan = plans.on(shows[episode_id], count.day)
        if plan is None:
            raise ValueError(f"episode {episode_id} has no rate plan on {day}")
        row = sums.setdefault(line_key(count, plan), [0] * 5)
        for place, number in enumerate((quantity, counted, held, void, unbilled)):
            row[place] += number
    keys = sorted(sums)
    exacts = [_exact(key, sums[key][0], rates[key.plan_id], prices) for key in keys]
    total = round_half_up(sum(exacts))
    amounts = apportion(total, exacts)
    lines = [
        _line(key, sums[key], exact, amount, charged.get(key, 0))
        for key, exact, amount in zip(keys, exacts, amounts, strict=True)
    ]
    return Worked(lines, total, sum(row["cents"] for row in inputs["brought_forward"]), inputs["minimum_cents"])


def plans_of(inputs: Inputs) -> Plans:
    """The rate plans that are pinned."""
    return Plans(list_plans(inputs))


def list_plans(inputs: Inputs) -> list[Plan]:
    """The same, one by one."""
    return [_plan(row) for row in inputs["plans"]]


def _line(key: LineKey, sums: Sequence[int], exact: int, amount: int, gross: int) -> Line:
    quantity, counted, held, void, unbilled = sums
    return Line(key, quantity, counted, held, void, unbilled, exact, amount, gross)


def _exact(key: LineKey, quantity: int, rates: Mapping[str, Any], prices: Mapping[int, int]) -> int:
    if key.kind == LineKind.LISTENS:
        return exact_for_listens(quantity, rates["listen_price_cents"])
    return exact_for_ads(quantity, prices[key.campaign_id], rates["ad_share_bp"])


def _plan(row: Mapping[str, Any]) -> Plan:
    values = {name: row[name] for name in Plan._fields}
    return Plan(**(values | {"from_day": date.fromisoformat(row["from_day"])}))


def _key(row: Sequence[Any]) -> LineKey:
    episode_id, campaign_id, plan_id, month, _ = row
    return LineKey(LineKind.ADS.value, episode_id, campaign_id, plan_id, date.fromisoformat(month))


# -- what is pinned ------------------------------------------------------------------------------------------------


def canonical(inputs: Inputs) -> bytes:
    """The one text of these inputs: JSON with sorted keys, no spaces, UTF-8."""
    return json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def pack(inputs: Inputs, sealed: Inputs | None = None) -> tuple[bytes, bytes]:
    """As a statement keeps them, and the SHA-256 of the inputs. The same inputs give the same bytes.

    `sealed` is what the creator may not see, since it is about others too; of it the inputs have only the hash.
    """
    text = canonical(inputs)
    kept = text if sealed is None else text + b"\n" + canonical(sealed)
    return compress(kept, mtime=0), sha256(text).digest()


def seal(sealed: Inputs) -> str:
    """What stands in the inputs for what they do not show: its SHA-256, in hex."""
    return sha256(canonical(sealed)).hexdigest()


def unpack(packed: bytes) -> Inputs:
    """The inputs of a statement. Whoever relies on them compares `sha256(canonical(...))` with its hash."""
    found: Inputs = json.loads(decompress(packed).split(b"\n")[0])
    return found


def unpack_sealed(packed: bytes) -> Inputs | None:
    """What is sealed in a statement. Whoever relies on it compares its `seal` with the inputs'."""
    _, _, text = decompress(packed).partition(b"\n")
    found: Inputs | None = json.loads(text) if text else None
    return found
