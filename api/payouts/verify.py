"""Whether a statement is what its inputs, its counts and the ledger say. Each check agrees, differs, or could not be
made; nothing that could not be made ever counts as agreement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlmodel import Session

from api.payouts import ledger
from api.payouts.verify_counts import Recount, Recounted, recount_inputs
from api.payouts.verify_limits import wrong_limits
from api.payouts.verify_pins import wrong_draft, wrong_pins
from models import statements as rules
from models.payouts import LineKind, Statement, StatementLine, StatementState
from models.queries import ledger as bookings
from models.queries import proving, statements
from models.statements import Inputs, Line, LineKey
from models.tables import User

NUMBERS = ("quantity", "counted", "held", "void", "unbilled", "exact", "amount_cents", "gross_cents")
"""Of a line; all of them are compared."""


class Outcome(StrEnum):
    """What came of a check."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNPROVED = "unproved"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    """`inputs`, `draft`, `pins`, `lines`, `settled`, `before`, `limits`, `ledger` or `counts`."""
    outcome: Outcome
    detail: str
    """What was found, for people."""


@dataclass(frozen=True, slots=True)
class LineCheck:
    """A line as the statement has it, and as it was worked out again."""

    key: LineKey
    stated: Mapping[str, int] | None
    """None: the statement has no such line."""
    recomputed: Mapping[str, int] | None
    """None: there should be no such line."""

    @property
    def agrees(self) -> bool:
        """In every number."""
        return self.stated == self.recomputed


@dataclass(slots=True)
class Report:
    """What verifying a statement found."""

    statement: Statement
    creator: User
    inputs: Inputs | None = None
    """None: they cannot be read."""
    checks: list[Check] = field(default_factory=list)
    lines: list[LineCheck] = field(default_factory=list)
    counts: Recount | None = None
    """Day by day; None where log and archive were not asked, or could not answer."""

    @property
    def verdict(self) -> Outcome:
        """Of all checks: one that differs decides; else one that could not be made."""
        found = {check.outcome for check in self.checks}
        if any(not line.agrees for line in self.lines):
            return Outcome.DIFFERS
        return next((each for each in (Outcome.DIFFERS, Outcome.UNPROVED) if each in found), Outcome.AGREES)

    def add(self, name: str, problems: Iterable[str], agreement: str) -> None:
        """Note a check: what was wrong, or that nothing was."""
        found = list(problems)
        outcome = Outcome.DIFFERS if found else Outcome.AGREES
        self.checks.append(Check(name, outcome, " ".join(found) if found else agreement))


def check_statement(session: Session, statement: Statement, creator: User) -> Report:
    """All that the store alone can say: inputs, lines, what is settled, and the ledger."""
    report = Report(statement, creator)
    report.inputs = _check_inputs(report)
    report.add("draft", wrong_draft(session, statement), "It is as the audit trail noted when it was drafted.")
    if report.inputs is None:
        return report
    stored = statements.list_lines(session, statement.id or 0)
    if _is_of_these_rules(report):
        pins = "Rate plans and statements brought forward are what the inputs pin."
        report.add("pins", wrong_pins(session, statement, report.inputs), pins)
        worked = rules.work_out(report.inputs)
        report.lines = compare_lines(stored, worked.lines)
        report.add("lines", _wrong_lines(report, worked), "The pinned inputs come to these lines and totals.")
    report.add("settled", _wrong_settled(session, report), "What it settles by day is what its inputs say.")
    report.add("before", _wrong_before(session, report), "What was settled before is what earlier statements settled.")
    if _is_of_these_rules(report, quiet=True):
        report.add(
            "limits", wrong_limits(session, statement), "No campaign pays for more than its budget and caps allow."
        )
    report.add("ledger", _wrong_ledger(session, report, stored), "The ledger has just the bookings that belong to it.")
    return report


def check_counts(session: Session, report: Report, found: Recounted) -> None:
    """Compare every day with what log and archive say, and work the lines out from that."""
    inputs = report.inputs
    if inputs is None or not _is_of_these_rules(report, quiet=True):
        return
    report.counts = recount_inputs(inputs, found)
    worked = rules.work_out(report.counts.inputs)
    report.lines = compare_lines(statements.list_lines(session, report.statement.id or 0), worked.lines)
    wrong = report.counts.wrong
    days = len(inputs["counts"])
    examples = " ".join(found.text for found in wrong[:5])
    problems = [f"{len(wrong)} of {days} days differ from log and archive. {examples}"] if wrong else []
    report.add("counts", problems, _agreement(report.counts, days))


def cannot_count(report: Report, reason: str) -> None:
    """Note that log and archive could not be asked, and why."""
    if report.inputs is not None and _is_of_these_rules(report, quiet=True):
        report.checks.append(Check("counts", Outcome.UNPROVED, f"The counts could not be proved. {reason}"))


def _agreement(counts: Recount, days: int) -> str:
    parts = [f"All {days} days, counted again from log and archive, agree."]
    if counts.erased:
        parts.append(
            f"{counts.erased} playbacks that they need are of devices erased since; when these were heard cannot be "
            "proved any more."
        )
    if counts.ended:
        parts.append(
            f"{counts.ended} that were held cannot be proved any more: the hold was taken back since, when what was "
            "missing arrived."
        )
    return " ".join(parts)


# -- inputs and rules -----------------------------------------------------------------------------------------------


def _check_inputs(report: Report) -> Inputs | None:
    statement = report.statement
    try:
        inputs = rules.unpack(statement.inputs)
        sealed = rules.unpack_sealed(statement.inputs)
    except (OSError, EOFError, ValueError) as error:
        report.add("inputs", [f"The pinned inputs cannot be read: {error}."], "")
        return None
    found = sha256(rules.canonical(inputs)).digest()
    if found != bytes(statement.inputs_hash):
        said = bytes(statement.inputs_hash).hex()
        report.add("inputs", [f"The pinned inputs have the hash {found.hex()}; the statement says {said}."], "")
        return None
    problems = []
    if inputs.get("sealed") != (rules.seal(sealed) if sealed is not None else None):
        problems.append("What is sealed is not what the inputs pin.")
    head = {
        "month": (inputs["month"], str(statement.month)),
        "currency": (inputs["currency"], statement.currency),
        "creator": (inputs["creator"], str(report.creator.uuid)),
        "rule version": (inputs["rule_version"], statement.rule_version),
    }
    problems += [
        f"The inputs are of {name} {pinned}, not {said}." for name, (pinned, said) in head.items() if pinned != said
    ]
    report.add("inputs", problems, f"The pinned inputs have the stated hash {found.hex()[:16]}…")
    return inputs


def _is_of_these_rules(report: Report, *, quiet: bool = False) -> bool:
    """Whether we can work it out. A changed rule never changes a statement: it stays what its own rules made of it."""
    version = report.statement.rule_version
    if version == rules.RULE_VERSION:
        return True
    if not quiet:
        detail = (
            f"It was made by the rules {version}; this Earshot has {rules.RULE_VERSION}. It stays as it is. Verify it "
            f"with a release of Earshot that has {version}."
        )
        report.checks.append(Check("lines", Outcome.UNPROVED, detail))
    return False


# -- lines ----------------------------------------------------------------------------------------------------------


def compare_lines(stored: Iterable[StatementLine], worked: Iterable[Line]) -> list[LineCheck]:
    """Lines of the same key side by side, in order of the keys."""
    stated = {_key_of(line): {name: getattr(line, name) for name in NUMBERS} for line in stored}
    recomputed = {line.key: {name: getattr(line, name) for name in NUMBERS} for line in worked}
    return [LineCheck(key, stated.get(key), recomputed.get(key)) for key in sorted(stated.keys() | recomputed.keys())]


def _key_of(line: StatementLine) -> LineKey:
    return LineKey(line.kind, line.episode_id, line.campaign_id, line.plan_id, line.month)


def _wrong_lines(report: Report, worked: rules.Worked) -> list[str]:
    statement = report.statement
    differing = sum(not line.agrees for line in report.lines)
    problems = [f"{differing} of {len(report.lines)} lines are not what the inputs come to."] if differing else []
    pairs = {
        "total": (statement.total_cents, worked.total_cents),
        "amount brought forward": (statement.brought_forward_cents, worked.brought_forward_cents),
        "minimum": (statement.minimum_cents, worked.minimum_cents),
        "mark as carried over": (statement.is_carried, worked.is_carried),
    }
    return problems + [
        f"Its {name} is {said}, and the inputs come to {found}."
        for name, (said, found) in pairs.items()
        if said != found
    ]


# -- what is settled ------------------------------------------------------------------------------------------------


def _quantities(inputs: Inputs, place: int) -> dict[tuple[int, int, date], int]:
    return {(row[0], row[1], date.fromisoformat(row[2])): row[place] for row in inputs["counts"] if row[place]}


def _wrong_settled(session: Session, report: Report) -> list[str]:
    pinned = _quantities(report.inputs or {}, 8)
    stored = proving.list_settled_by(session, report.statement.id or 0)
    wrong = sorted(key for key in pinned.keys() | stored.keys() if pinned.get(key, 0) != stored.get(key, 0))
    return [_days_differ("are settled otherwise than the inputs say", wrong)] if wrong else []


def _wrong_before(session: Session, report: Report) -> list[str]:
    inputs = report.inputs or {}
    pinned = _quantities(inputs, 6)
    asked = {(row[0], row[1], date.fromisoformat(row[2])) for row in inputs["counts"]}
    stood = proving.list_settled_then(session, report.statement, {key[0] for key in asked})
    wrong = sorted(key for key in asked if pinned.get(key, 0) != stood.get(key, 0))
    return [_days_differ("had another number settled by the statements that stood then", wrong)] if wrong else []


def _days_differ(what: str, keys: list[tuple[int, int, date]]) -> str:
    shown = ", ".join(f"{day} (episode {episode}, campaign {campaign})" for episode, campaign, day in keys[:5])
    return f"{len(keys)} days {what}: {shown}."


# -- the ledger -----------------------------------------------------------------------------------------------------


def _wrong_ledger(session: Session, report: Report, stored: list[StatementLine]) -> list[str]:
    expected = _expected_bookings(report, stored)
    standing = bookings.list_standing(session, report.statement.id or 0)
    found: dict[str, dict[str, int]] = {}
    problems = []
    for booking in standing:
        if booking.transaction.kind in found:
            problems.append(f"It is booked as {booking.transaction.kind} more than once.")
        amounts = found.setdefault(booking.transaction.kind, {})
        for entry in booking.entries:
            amounts[entry.account] = amounts.get(entry.account, 0) + entry.amount_cents
            if entry.currency != report.statement.currency:
                problems.append(f"{entry.account} is booked in {entry.currency}, not {report.statement.currency}.")
    differing = [kind for kind in sorted(expected.keys() | found.keys()) if expected.get(kind) != found.get(kind)]
    return problems + [
        f"Booked as {kind}: {found.get(kind) or 'nothing'}; it should be {expected.get(kind) or 'nothing'}."
        for kind in differing
    ]


def _expected_bookings(report: Report, stored: list[StatementLine]) -> dict[str, dict[str, int]]:
    """Kind -> account -> cents, from the lines; docs/payouts.md has the table."""
    statement, inputs = report.statement, report.inputs or {}
    if statement.state == StatementState.VOID or statement.approved_at is None:
        return {}
    creator = ledger.creator_account(report.creator)
    advertisers = {row["id"]: row["advertiser"] for row in inputs["campaigns"]}
    amounts: dict[str, int] = {ledger.LISTENS: 0, creator: -statement.total_cents}
    for line in stored:
        if line.kind == LineKind.LISTENS:
            amounts[ledger.LISTENS] += line.amount_cents
        else:
            account = f"advertiser:{advertisers.get(line.campaign_id, '?')}"
            amounts[account] = amounts.get(account, 0) + line.gross_cents
    amounts[ledger.AD_MARGIN] = -sum(amounts.values())
    expected = {ledger.APPROVED: _without_zeros(amounts)}
    if statement.state == StatementState.PAID and statement.carried_into_id is None:
        cents = statement.total_cents + statement.brought_forward_cents
        expected[ledger.PAID] = _without_zeros({creator: cents, ledger.BANK: -cents})
    return {kind: booked for kind, booked in expected.items() if booked}


def _without_zeros(amounts: dict[str, int]) -> dict[str, int]:
    return {account: cents for account, cents in amounts.items() if cents}


def as_json(report: Report) -> dict[str, Any]:
    """For programs."""
    statement, inputs = report.statement, report.inputs or {"episodes": [], "campaigns": []}
    titles = {row["id"]: (row["uuid"], row["title"]) for row in inputs["episodes"]}
    names = {row["id"]: (row["uuid"], row["name"]) for row in inputs["campaigns"]}
    return {
        "statement_id": str(statement.uuid),
        "month": f"{statement.month:%Y-%m}",
        "currency": statement.currency,
        "rule_version": statement.rule_version,
        "inputs_hash": bytes(statement.inputs_hash).hex(),
        "verdict": report.verdict.value,
        "checks": [
            {"name": check.name, "outcome": check.outcome.value, "detail": check.detail} for check in report.checks
        ],
        "lines": [
            {
                "kind": line.key.kind,
                "episode_id": titles.get(line.key.episode_id, ("", ""))[0],
                "episode": titles.get(line.key.episode_id, ("", f"episode {line.key.episode_id}"))[1],
                "campaign_id": names[line.key.campaign_id][0] if line.key.campaign_id in names else None,
                "campaign": names[line.key.campaign_id][1] if line.key.campaign_id in names else "",
                "month": f"{line.key.month:%Y-%m}",
                "agrees": line.agrees,
                "stated": line.stated,
                "recomputed": line.recomputed,
            }
            for line in report.lines
        ],
        "differences": [found.text for found in report.counts.wrong] if report.counts else [],
    }
