"""Verifies a statement of Earshot from its creator's own export, by herself.

    python verify_statement.py statement-2026-10-EUR-1a2b3c4d.ndjson.gz

Needs Python 3.11 and nothing else. It shares no code with Earshot: it counts listens and confirmed impressions from
what was heard, compares them with the counts that the statement pins, works out lines and amounts by the published
rules (docs/payouts.md and docs/proof.md), and compares them with the statement.
Exit code 0: all agrees. 1: something differs. 2: the file cannot be verified.
"""

import gzip
import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from hashlib import sha256
from itertools import pairwise
from math import floor

FORMAT = "earshot-statement/1"
RULES = "payout/1 listen/30s"
LISTEN_SECONDS = 30
"""Distinct seconds that make a listen; all of a shorter recording."""


class UnreadableError(Exception):
    """The file is no export, not whole, or made by other rules."""


@dataclass
class Tally:
    """What was heard of an episode, or of a campaign in it, on a day."""

    counted: int = 0
    held: int = 0
    void: int = 0
    erased: int = 0
    """Of those counted: from devices that were erased since; the statement may have counted fewer of these."""
    erased_held: int = 0
    erased_void: int = 0

    def add(self, flag, is_erased):
        """One more."""
        self.counted += 1
        self.held += flag == "held"
        self.void += flag == "void"
        self.erased += is_erased
        self.erased_held += is_erased and flag == "held"
        self.erased_void += is_erased and flag == "void"

    def allows(self, counted, held, void):
        """Whether the statement may say so."""
        return (
            self.counted - self.erased <= counted <= self.counted
            and self.held - self.erased_held <= held <= self.held
            and self.void - self.erased_void <= void <= self.void
        )

    def __str__(self):
        return f"{self.counted} counted, {self.held} held, {self.void} void"


@dataclass
class Export:
    """What the file holds."""

    statement: dict
    lines: list
    inputs: dict
    tallies: dict = field(default_factory=lambda: defaultdict(Tally))
    """(episode, campaign or 0, day) -> Tally."""
    delivered: dict = field(default_factory=dict)
    """(episode, campaign, day) -> Tally, as the operator says."""
    playbacks: int = 0


def main(arguments):
    """Verify the file that is named; the exit code."""
    if len(arguments) != 1:
        print("Name one file: python verify_statement.py export.ndjson.gz", file=sys.stderr)
        return 2
    try:
        export = read(arguments[0])
    except (UnreadableError, OSError, EOFError, ValueError, KeyError) as error:
        print(f"{arguments[0]} cannot be verified: {error}", file=sys.stderr)
        return 2
    problems = check_hash(export) + check_counts(export) + check_lines(export)
    for problem in problems:
        print(problem)
    if problems:
        print("The statement does NOT agree with this export.")
        return 1
    print("The statement agrees with this export, line by line.")
    return 0


# -- reading ---------------------------------------------------------------------------------------------------------


def read(path):
    """The export in a file, its playbacks counted as they are read."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        head = json.loads(next(file, "{}"))
        if head.get("type") != "header" or head.get("format") != FORMAT:
            raise UnreadableError(f"it is no export of the format {FORMAT}.")
        version = head["statement"]["rule_version"]
        if version != RULES:
            raise UnreadableError(
                f"it was made by the rules {version}; this script knows {RULES}. Take the one of that release."
            )
        export = Export(head["statement"], head["lines"], head["inputs"])
        count = counter(export)
        end = None
        for line in file:
            if end is not None:
                raise UnreadableError("something follows its last record.")
            record = json.loads(line)
            if record["type"] == "playback":
                count(record)
            elif record["type"] == "delivered":
                key = record["episode"], record["campaign"], record["day"]
                export.delivered[key] = Tally(record["counted"], record["held"], record["void"])
            elif record["type"] == "end":
                end = record["playbacks"]
    if end != export.playbacks:
        raise UnreadableError(f"it is not whole: {export.playbacks} playbacks of {end or 'an unknown number'}.")
    return export


def counter(export):
    """A function that counts one playback."""
    seconds = {row["id"]: row["duration_seconds"] for row in export.inputs["episodes"]}
    confirmed = {row["id"] for row in export.inputs["campaigns"] if row["billing"] == "confirmed"}
    ads = defaultdict(list)
    for episode, _placement, campaign, start_ms, end_ms, from_day, to_day, percent in export.inputs["ads"]:
        if campaign in confirmed:
            first, end = start_ms // 1000, min(end_ms // 1000, seconds[episode])
            ads[episode].append((campaign, first, end, from_day, to_day, percent))

    def count(record):
        export.playbacks += 1
        episode, day, spans = record["episode"], record["day"], record["heard"]
        check_spans(spans)
        flag, is_erased = record["flag"], record.get("erased", False)
        if seconds[episode] and within(spans, 0, seconds[episode]) >= min(LISTEN_SECONDS, seconds[episode]):
            export.tallies[episode, 0, day].add(flag, is_erased)
        for campaign, first, end, from_day, to_day, percent in ads[episode]:
            heard = within(spans, first, end)
            if from_day <= day <= to_day and heard and heard * 100 >= percent * (end - first):
                export.tallies[episode, campaign, day].add(flag, is_erased)

    return count


def check_spans(spans):
    """Seconds that were heard are told once, and in order."""
    bounds = [bound for span in spans for bound in span]
    if any(later <= earlier for earlier, later in pairwise(bounds)):
        raise UnreadableError(f"what a playback heard is out of order: {spans}.")


def within(spans, first, end):
    """Distinct seconds of `[first, end)` that were heard."""
    return sum(max(0, min(to, end) - max(start, first)) for start, to in spans)


# -- checking --------------------------------------------------------------------------------------------------------


def check_hash(export):
    """The inputs are those that the statement pinned."""
    text = json.dumps(export.inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    found, said = sha256(text.encode()).hexdigest(), export.statement["inputs_hash"]
    print(f"Hash of the inputs: {found}")
    return [] if found == said else [f"The inputs have another hash than the statement says: {said}."]


def check_counts(export):
    """What was heard comes to the counts, and each day adds up."""
    by_operator = {row["id"] for row in export.inputs["campaigns"] if row["billing"] == "delivered"}
    problems, seen, erased = [], set(), 0
    for episode, campaign, day, counted, held, void, settled, payable, paid, unbilled in export.inputs["counts"]:
        key = episode, campaign, day
        seen.add(key)
        source = export.delivered if campaign in by_operator else export.tallies
        tally = source.get(key, Tally())
        if not tally.allows(counted, held, void):
            said = f"{counted} counted, {held} held, {void} void"
            problems.append(
                f"{day}, {name_of(export, episode, campaign)}: the statement says {said}; heard were {tally}."
            )
        erased += max(0, counted - (tally.counted - tally.erased))
        if payable != counted - held - void or paid != payable - settled - unbilled:
            problems.append(f"{day}, {name_of(export, episode, campaign)}: the numbers of this day do not add up.")
        if unbilled and not campaign:
            problems.append(f"{day}, {name_of(export, episode, campaign)}: listens have no budget to exceed.")
    if erased:
        print(f"{erased} of those counted are from devices erased since, and cannot be proved exactly any more.")
    if by_operator:
        print("Delivered impressions are the operator's sums: only `earshot payouts verify` can prove them.")
    if any(row[6] for row in export.inputs["counts"]):
        print("What was settled before is as the statement says; compare it with your earlier statements.")
    return problems


def check_lines(export):
    """The counts come to these lines, and the lines to these totals."""
    statement, inputs = export.statement, export.inputs
    worked, total = work_out(inputs)
    stated = {line_key(line): line for line in export.lines}
    names = ("quantity", "counted", "held", "void", "unbilled", "amount_cents")
    problems = []
    print(f"\n{'Month':<9}{'Paid':>10}{'Stated':>14}{'Recomputed':>14}  Agrees  Episode, campaign")
    for key in sorted(stated.keys() | worked.keys()):
        said, found = stated.get(key), worked.get(key)
        agrees = said is not None and found is not None and all(said[name] == found[name] for name in names)
        amounts = ["-" if side is None else f"{side['amount_cents']:,}" for side in (said, found)]
        paid = "-" if said is None else f"{said['quantity']:,}"
        print(
            f"{key[4][:7]:<9}{paid:>10}{amounts[0]:>14}{amounts[1]:>14}  {'yes' if agrees else 'NO':<6}  "
            f"{name_of(export, key[1], key[2])}"
        )
        if not agrees:
            problems.append(f"A line differs: {key[4][:7]}, {name_of(export, key[1], key[2])}.")
    brought = sum(row["cents"] for row in inputs["brought_forward"])
    minimum = inputs["minimum_cents"]
    payable = total + brought
    print(f"{'Total':<9}{'':>10}{statement['total_cents']:>14,}{total:>14,}  {statement['currency']}, minor units\n")
    facts = {
        "total_cents": total,
        "brought_forward_cents": brought,
        "minimum_cents": minimum,
        "is_carried": payable < minimum or payable <= 0,
        "month": inputs["month"],
        "currency": inputs["currency"],
        "rule_version": inputs["rule_version"],
    }
    return problems + [
        f"The statement's {name} is {statement[name]}; it should be {value}."
        for name, value in facts.items()
        if statement[name] != value
    ]


def name_of(export, episode, campaign):
    """Of an episode, and of a campaign in it."""
    titles = {row["id"]: row["title"] for row in export.inputs["episodes"]}
    names = {row["id"]: row["name"] for row in export.inputs["campaigns"]}
    return f"{titles.get(episode, episode)}, {names.get(campaign, campaign) if campaign else 'listens'}"


def line_key(line):
    """What a line is of; lines stand in this order."""
    return line["kind"], line["episode_id"], line["campaign_id"], line["plan_id"], line["month"]


# -- the published rules ---------------------------------------------------------------------------------------------


def work_out(inputs):
    """Lines by key, and the total in cents, from the counts, plans and prices."""
    shows = {row["id"]: row["show_id"] for row in inputs["episodes"]}
    prices = {row["id"]: row["price_cents"] for row in inputs["campaigns"]}
    plans = {row["id"]: row for row in inputs["plans"]}
    lines = {}
    for episode, campaign, day, counted, held, void, _settled, _payable, paid, unbilled in inputs["counts"]:
        plan = plan_on(inputs["plans"], shows[episode], day)
        month = str(date.fromisoformat(day).replace(day=1))
        key = ("ads" if campaign else "listens"), episode, campaign, plan["id"], month
        line = lines.setdefault(key, dict.fromkeys(("quantity", "counted", "held", "void", "unbilled"), 0))
        numbers = {"quantity": paid, "counted": counted, "held": held, "void": void, "unbilled": unbilled}
        for name, number in numbers.items():
            line[name] += number
    keys = sorted(lines)
    exact = []
    for kind, episode, campaign, plan_id, month in keys:
        quantity = lines[kind, episode, campaign, plan_id, month]["quantity"]
        if kind == "listens":
            exact.append(Fraction(quantity * plans[plan_id]["listen_price_cents"], 1000))
        else:
            exact.append(Fraction(quantity * prices[campaign], 1000) * Fraction(plans[plan_id]["ad_share_bp"], 10_000))
    total = floor(sum(exact, Fraction(0)) + Fraction(1, 2))
    for key, cents in zip(keys, largest_remainder(total, exact), strict=True):
        lines[key]["amount_cents"] = cents
    return lines, total


def plan_on(plans, show, day):
    """The last of a show's plans that had begun by that day."""
    begun = [plan for plan in plans if plan["show_id"] == show and plan["from_day"] <= day]
    if not begun:
        raise UnreadableError(f"a show has no rate plan on {day}.")
    return max(begun, key=lambda plan: plan["from_day"])


def largest_remainder(total, exact):
    """Whole cents that add up to the total: the floors, and one more for those that lost most by it."""
    cents = [floor(amount) for amount in exact]
    ranked = sorted(range(len(exact)), key=lambda place: (cents[place] - exact[place], place))
    for place in ranked[: total - sum(cents)]:
        cents[place] += 1
    return cents


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
