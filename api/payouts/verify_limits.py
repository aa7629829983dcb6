"""Whether budgets and caps kept back what they should, and advertisers are charged for the rest: over all statements of
a close, since their creators share them."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sqlmodel import Session

from models import statements as rules
from models.payouts import Statement
from models.queries import proving
from models.statements import DayCount, Inputs, LineKey, Terms

CountKey = tuple[int, int, date]
"""episode, campaign, day."""


def wrong_limits(session: Session, statement: Statement) -> list[str]:
    """What is wrong with a statement's impressions; nothing, when every campaign of it pays for just what it should."""
    sealed = rules.unpack_sealed(statement.inputs)
    limits = {row["id"]: row for row in (sealed or {"campaigns": []})["campaigns"]}
    mine = rules.unpack(statement.inputs)
    if not limits:
        return ["Its campaigns' limits are not pinned."] if mine["campaigns"] else []
    siblings = proving.list_siblings(session, statement)
    try:
        inputs = [rules.unpack(sibling.inputs) for sibling in siblings]
    except (OSError, EOFError, ValueError) as error:
        return [f"The inputs of a statement of the same close cannot be read: {error}."]
    first_id = siblings[0].id or 0
    settled = proving.list_settled_of_campaigns(session, statement, first_id, limits)
    charged = proving.list_charged_before(session, statement, first_id, limits)
    problems: list[str] = []
    for campaign in mine["campaigns"]:
        number = campaign["id"]
        of_campaign = {key[2]: 0 for key in settled if key[1] == number}
        for key, quantity in settled.items():
            if key[1] == number:
                of_campaign[key[2]] += quantity
        found = _wrong_campaign(campaign, limits[number], mine, inputs, of_campaign, charged.get(number, 0))
        problems += [f"{campaign['name']}: {text}" for text in found]
    return problems


def _wrong_campaign(
    campaign: Mapping[str, Any],
    limits: Mapping[str, Any],
    mine: Inputs,
    inputs: list[Inputs],
    settled: Mapping[date, int],
    charged_before: int,
) -> Iterator[str]:
    number = campaign["id"]
    terms = Terms(campaign["price_cents"], limits["budget_cents"], limits["impression_cap"], limits["daily_cap"])
    counts = [DayCount(*key, *row[3:7]) for each in inputs for key, row in _rows(each, number)]
    taken = {
        (found.count.episode_id, found.count.campaign_id, found.count.day): (found.quantity, found.unbilled)
        for found in rules.take_impressions(terms, counts, settled)
    }
    wrong = [key for key, row in _rows(mine, number) if taken[key] != (row[8], row[9])]
    if wrong:
        yield f"{len(wrong)} days pay for another number than its budget and caps leave, the first {wrong[0][2]}."
    quantity = sum(paid for paid, _ in taken.values())
    before = sum(settled.values())
    charge = terms.charge(before + quantity) - charged_before if any(_charges(inputs, number)) else 0
    pinned = limits["settled_before"], limits["taken"], limits["charged_before_cents"], limits["charged_cents"]
    if pinned != (before, quantity, charged_before, charge):
        yield (
            f"settled before, taken, charged before and charged are {(before, quantity, charged_before, charge)}, "
            f"and not {pinned}."
        )
    lines = dict(_charges(inputs, number))
    should = dict(zip(sorted(lines), _split(inputs, number, campaign["price_cents"], charge), strict=False))
    if lines != should:
        yield f"its charge of {charge} is split otherwise over the lines."


def _rows(inputs: Inputs, number: int) -> Iterator[tuple[CountKey, list[Any]]]:
    for row in inputs["counts"]:
        if row[1] == number:
            yield (row[0], row[1], date.fromisoformat(row[2])), row


def _charges(inputs: list[Inputs], number: int) -> Iterator[tuple[LineKey, int]]:
    for each in inputs:
        for episode, campaign, plan, month, cents in each["gross"]:
            if campaign == number:
                yield LineKey("ads", episode, campaign, plan, date.fromisoformat(month)), cents


def _split(inputs: list[Inputs], number: int, price_cents: int, charge: int) -> list[int]:
    """The charge over the lines that pay for anything, as they were worked out."""
    quantities = {
        line.key: line.quantity
        for each in inputs
        for line in rules.work_out(each).lines
        if line.key.campaign_id == number and line.quantity
    }
    return rules.apportion(charge, [quantities[key] * price_cents for key in sorted(quantities)], unit=1000)
