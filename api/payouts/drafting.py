"""From what is counted to statements: which lines there are, and the inputs that pin all facts behind them."""

import secrets
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlmodel import Session

from models import statements as rules
from models.bulk import chunks
from models.columns import day_from_number
from models.payouts import RatePlan, Statement
from models.queries import downloads, folding, impressions, payable, plans, statements
from models.queries.impressions import CountedAd
from models.queries.payable import Scope
from models.statements import DayCount, LineKey, Taken, Worked, last_day, line_key
from models.tables import Show, User
from models.takings import Owed, Takings, take, terms_of

Progress = Callable[[str, int, int], None]
"""What is being done, how many are done, and of how many."""


@dataclass(slots=True)
class Draft:
    """A statement to be made."""

    owed: Owed
    inputs: rules.Inputs
    sealed: rules.Inputs
    """What the inputs pin and do not show; `models.statements.pack`."""
    worked: Worked
    settled: list[Taken]
    """The days that it pays, or takes something back of."""
    carried: list[Statement]
    """The statements that it brings forward."""


@dataclass(slots=True)
class _Facts:
    """All that the drafts of one close are made of."""

    month: date
    position: dict[int, int]
    takings: Takings
    lines: dict[Owed, dict[LineKey, list[Taken]]]
    carried: dict[Owed, list[Statement]]
    plans: dict[int, list[tuple[RatePlan, Show]]]
    """By creator."""
    gross: dict[LineKey, int] = field(default_factory=dict)
    counting_rules: dict[str, Any] = field(default_factory=dict)
    creators: dict[int, User] = field(default_factory=dict)
    placements: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    campaigns: dict[int, dict[str, Any]] = field(default_factory=dict)
    seconds: dict[int, int] = field(default_factory=dict)
    """Episode -> whole seconds that its rollups were made with."""
    ads: list[CountedAd] = field(default_factory=list)
    """As the impressions of the lines' episodes were counted."""

    @property
    def last_day(self) -> date:
        """Of the month."""
        return last_day(self.month)


def draft(
    session: Session, month: date, position: dict[int, int], standing: set[Owed], progress: Progress
) -> list[Draft]:
    """What a close of this month would make now, in order of creator and currency.

    `standing` are the statements of the month that exist: what came since waits for the next close.
    """
    progress("Reading counts", 0, 1)
    facts = _gather(session, month, position, standing)
    owed = sorted(facts.lines.keys() | facts.carried.keys())
    drafts = []
    for done, creator in enumerate(owed):
        progress("Drafting statements", done, len(owed))
        if (made := _draft(facts, creator)) is not None:
            drafts.append(made)
    progress("Drafting statements", len(owed), len(owed))
    return drafts


def _gather(session: Session, month: date, position: dict[int, int], standing: set[Owed]) -> _Facts:
    takings = take(session, Scope(last=last_day(month)), lambda owed: owed not in standing)
    carried: dict[Owed, list[Statement]] = defaultdict(list)
    for statement in statements.list_carried(session, month):
        owed = statement.creator_id, statement.currency
        if owed not in standing:
            carried[owed].append(statement)
    lines = _complete(session, takings, _lines(takings, month))
    owners = {owner for owner, _ in (*lines, *carried)}
    of_owner: dict[int, list[tuple[RatePlan, Show]]] = defaultdict(list)
    for plan, show in plans.list_plans_of_owners(session, owners):
        of_owner[show.owner_id].append((plan, show))
    facts = _Facts(month, position, takings, lines, carried, of_owner)
    facts.counting_rules = downloads.get_rules(session)._asdict()
    facts.creators = statements.list_users(session, owners)
    episodes = sorted({key.episode_id for of_owed in lines.values() for key in of_owed})
    keys = [(episode_id,) for episode_id in episodes]
    facts.seconds = dict(folding.list_counted_durations(session.connection(), keys))
    facts.ads = sorted(impressions.list_counted(session.connection(), episodes))
    _know_campaigns(session, facts)
    return facts


# -- which lines there are ------------------------------------------------------------------------------------------


def _lines(takings: Takings, month: date) -> dict[Owed, dict[LineKey, list[Taken]]]:
    """The open days of each line that there is to be."""
    found: dict[tuple[Owed, LineKey], list[Taken]] = defaultdict(list)
    for taken in takings.days:
        plan, owed = takings.plan_of(taken.count), takings.owed(taken.count)
        if plan is not None and owed is not None:
            found[owed, line_key(taken.count, plan)].append(taken)
    lines: dict[Owed, dict[LineKey, list[Taken]]] = defaultdict(dict)
    for (owed, key), days in found.items():
        if rules.has_line(key, days, month):
            lines[owed][key] = days
    return lines


def _complete(
    session: Session, takings: Takings, lines: dict[Owed, dict[LineKey, list[Taken]]]
) -> dict[Owed, dict[LineKey, list[Taken]]]:
    """Add the days of each line's month that are settled and unchanged: a line says all there are by now."""
    wanted = {key: days for of_owed in lines.values() for key, days in of_owed.items()}
    for month in sorted({key.month for key in wanted}):
        episodes = sorted({key.episode_id for key in wanted if key.month == month})
        for chunk in chunks(episodes):
            scope = Scope(first=month, last=last_day(month), episodes=chunk)
            for count in payable.list_day_counts(session.connection(), scope):
                if count.campaign_id and count.campaign_id not in takings.campaigns:
                    continue  # nothing of this campaign is open, so it has no line
                _add_quiet_day(takings, wanted, count)
    for days in wanted.values():
        days.sort(key=lambda taken: taken.count.day)
    return lines


def _add_quiet_day(takings: Takings, wanted: dict[LineKey, list[Taken]], count: DayCount) -> None:
    plan = takings.plan_of(count)
    days = wanted.get(line_key(count, plan)) if plan else None
    if days is not None and all(taken.count.day != count.day for taken in days):
        days.append(Taken(count))


# -- what advertisers are charged -----------------------------------------------------------------------------------


def _know_campaigns(session: Session, facts: _Facts) -> None:
    """Charge each campaign for all that is settled now, less what it was charged before, over this close's lines."""
    keys: dict[int, list[LineKey]] = defaultdict(list)
    quantities: dict[LineKey, int] = {}
    for of_owed in facts.lines.values():
        for key, days in of_owed.items():
            quantities[key] = sum(taken.quantity for taken in days)
            if key.campaign_id:
                keys[key.campaign_id].append(key)
    charged = statements.list_charged(session, keys)
    for campaign_id, of_campaign in keys.items():
        campaign = facts.takings.campaigns[campaign_id][0]
        paid = sorted(key for key in of_campaign if quantities[key])
        before = sum(facts.takings.settled[campaign_id].values())
        taken = sum(quantities[key] for key in paid)
        charge = terms_of(campaign).charge(before + taken) - charged.get(campaign_id, 0) if paid else 0
        exacts = [quantities[key] * campaign.price_cents for key in paid]
        facts.gross |= dict(zip(paid, rules.apportion(charge, exacts, unit=1000), strict=True))
        facts.campaigns[campaign_id] = {
            "settled_before": before,
            "taken": taken,
            "charged_before_cents": charged.get(campaign_id, 0),
            "charged_cents": charge,
        }
    for placement in statements.list_placements(session, keys):
        facts.placements.setdefault(placement.campaign_id, []).append(_placement(placement))


def _placement(placement: Any) -> dict[str, Any]:
    return {
        "id": placement.id,
        "uuid": str(placement.uuid),
        "campaign_id": placement.campaign_id,
        "show_id": placement.show_id,
        "episode_id": placement.episode_id,
        "start_ms": placement.start_ms,
        "end_ms": placement.end_ms,
        "from_day": str(placement.from_day),
        "to_day": str(placement.to_day),
    }


# -- one statement --------------------------------------------------------------------------------------------------


def _draft(facts: _Facts, owed: Owed) -> Draft | None:
    """A statement; None where there is nothing to say and what was carried over is still too little."""
    lines, carried = facts.lines.get(owed, {}), facts.carried.get(owed, [])
    sealed = _sealed(facts, lines)
    inputs = _inputs(facts, owed, lines, carried) | {"sealed": rules.seal(sealed)}
    worked = rules.work_out(inputs)
    if not lines and worked.is_carried:
        return None
    days = [taken for key in sorted(lines) for taken in lines[key] if taken.quantity]
    return Draft(owed, inputs, sealed, worked, days, carried)


def _inputs(facts: _Facts, owed: Owed, lines: dict[LineKey, list[Taken]], carried: list[Statement]) -> rules.Inputs:
    """Every fact that the amounts come from, as values of JSON."""
    creator_id, currency = owed
    episodes = {key.episode_id for key in lines}
    campaigns = sorted({key.campaign_id for key in lines} - {0})
    return {
        "format": rules.INPUTS_FORMAT,
        "rule_version": rules.RULE_VERSION,
        "counting_rules": facts.counting_rules,
        "month": str(facts.month),
        "creator": str(facts.creators[creator_id].uuid),
        "currency": currency,
        "position": {str(partition): offset for partition, offset in sorted(facts.position.items())},
        "plans": [plans.pin(row, show) for row, show in facts.plans[creator_id]],
        "episodes": [_episode(facts, episode_id) for episode_id in sorted(episodes)],
        "campaigns": [_campaign(facts, campaign_id) for campaign_id in campaigns],
        "ads": [_ad(ad) for ad in facts.ads if ad.episode_id in episodes and ad.campaign_id in campaigns],
        "counts": [_count(taken) for key in sorted(lines) for taken in lines[key]],
        "gross": [[*key[1:-1], str(key.month), facts.gross[key]] for key in sorted(lines) if key in facts.gross],
        "brought_forward": [statements.pin_carried(statement) for statement in carried],
        "minimum_cents": _minimum(facts, owed),
    }


def _sealed(facts: _Facts, lines: dict[LineKey, list[Taken]]) -> rules.Inputs:
    """What of campaigns is not of this creator's shows alone: placements everywhere, budgets, and what is settled."""
    campaigns = sorted({key.campaign_id for key in lines} - {0})
    return {
        "salt": secrets.token_hex(16),  # else small numbers could be guessed until their hash fits
        "placements": [row for campaign_id in campaigns for row in facts.placements.get(campaign_id, [])],
        "campaigns": [_limits(facts, campaign_id) for campaign_id in campaigns],
    }


def _minimum(facts: _Facts, owed: Owed) -> int:
    """The largest of the creator's shows' in this currency, as their plans are on the month's last day."""
    creator_id, currency = owed
    return rules.minimum([plans.to_plan(row) for row, _ in facts.plans[creator_id]], currency, facts.month)


def _episode(facts: _Facts, episode_id: int) -> dict[str, Any]:
    episode = facts.takings.episodes[episode_id]
    return {
        "id": episode_id,
        "uuid": str(episode.uuid),
        "title": episode.title,
        "show_id": episode.show_id,
        "show": str(episode.show_uuid),
        "duration_seconds": facts.seconds.get(episode_id, 0),
    }


def _ad(ad: CountedAd) -> list[Any]:
    *part, from_day, to_day, percent = ad
    return [*part, str(day_from_number(from_day)), str(day_from_number(to_day)), percent]


def _limits(facts: _Facts, campaign_id: int) -> dict[str, Any]:
    campaign = facts.takings.campaigns[campaign_id][0]
    limits = ("budget_cents", "impression_cap", "daily_cap")
    return {"id": campaign_id, **{name: getattr(campaign, name) for name in limits}, **facts.campaigns[campaign_id]}


def _campaign(facts: _Facts, campaign_id: int) -> dict[str, Any]:
    campaign, advertiser = facts.takings.campaigns[campaign_id]
    terms = ("price_cents", "currency", "billing", "confirm_percent")
    return {
        "id": campaign_id,
        "uuid": str(campaign.uuid),
        "name": campaign.name,
        "advertiser": str(advertiser.uuid),
        "from_day": str(campaign.from_day),
        "to_day": str(campaign.to_day),
        **{name: getattr(campaign, name) for name in terms},
    }


def _count(taken: Taken) -> list[Any]:
    count = taken.count
    numbers = count.counted, count.held, count.void, count.settled, count.payable
    return [count.episode_id, count.campaign_id, str(count.day), *numbers, taken.quantity, taken.unbilled]
