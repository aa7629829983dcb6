"""Tries every requirement on a server, one after the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from conformance.checks import chains, conduct, counting, erasure, receipts, registering, sending
from conformance.outcomes import Failed, Outcome, Requirement, Skipped
from conformance.trial import Trial

PROTOCOL = 1
CLAUSES = (
    "Register",
    "Events",
    "Send",
    "Limits",
    "Answers",
    "Rejected events",
    "What became of it",
    "The chain of a batch",
    "What counts",
    "Delete a device",
)
"""Headings of docs/sync-protocol.md, in its order, which is that of the table."""


def all_requirements() -> list[Requirement]:
    """In the order in which they are tried; what looks back at all answers comes last."""
    subjects = (registering, sending, receipts, chains, counting, erasure, conduct)
    return [requirement for subject in subjects for requirement in subject.REQUIREMENTS]


@dataclass
class Report:
    """What came of it."""

    url: str
    outcomes: list[Outcome] = field(default_factory=list)
    is_complete: bool = False

    def count(self, result: str) -> int:
        """Requirements with this result."""
        return sum(outcome.result == result for outcome in self.outcomes)

    @property
    def is_conformant(self) -> bool:
        """Whether all was tried and nothing failed. What was skipped could not be tried."""
        return self.is_complete and self.count("failed") == 0

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "url": self.url,
            "protocol": PROTOCOL,
            "is_conformant": self.is_conformant,
            "is_complete": self.is_complete,
            **{result: self.count(result) for result in ("passed", "failed", "skipped")},
            "requirements": [
                {
                    "id": outcome.requirement.id,
                    "clause": outcome.requirement.clause,
                    "title": outcome.requirement.title,
                    "result": outcome.result,
                    "seen": outcome.seen,
                }
                for outcome in self.outcomes
            ],
        }


def run(trial: Trial, requirements: list[Requirement], on_each: Callable[[str], None]) -> Report:
    """Try them all. Ctrl-C ends it early, with a report that is not complete."""
    report = Report(trial.server.url)
    try:
        for requirement in requirements:
            on_each(requirement.title)
            report.outcomes.append(_try(requirement, trial))
        report.is_complete = True
    except KeyboardInterrupt:
        pass
    finally:
        _tidy(trial)
    return report


def _try(requirement: Requirement, trial: Trial) -> Outcome:
    try:
        requirement.check(trial)
    except Skipped as skipped:
        return Outcome(requirement, "skipped", str(skipped))
    except Failed as failed:
        return Outcome(requirement, "failed", str(failed))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return Outcome(requirement, "failed", f"an answer has not the shape that the page gives it: {error!r}")
    return Outcome(requirement, "passed")


def _tidy(trial: Trial) -> None:
    for catalogue in trial.made:
        try:
            catalogue.take_away()
        except Failed:
            continue  # the server is gone; a show called Conformance is all that it has of us
