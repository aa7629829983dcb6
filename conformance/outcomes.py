"""What may come of a requirement, and how a requirement is told from its check."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from conformance.trial import Trial

Result = Literal["passed", "failed", "skipped"]
SHOWN_CASES = 3


class Failed(Exception):  # noqa: N818 - an outcome, which the suite expects
    """The server does not meet the requirement; the message says what was seen."""


class Skipped(Exception):  # noqa: N818 - an outcome, which the suite expects
    """The requirement cannot be tried; the message says why."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of the table."""

    id: str
    clause: str
    """A heading of docs/sync-protocol.md."""
    title: str
    check: "Callable[[Trial], None]"
    """Raises Failed or Skipped."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a requirement."""

    requirement: Requirement
    result: Result
    seen: str = ""


def expect(is_met: bool, seen: str) -> None:
    """Fail with what was seen, unless it is as it should be."""
    if not is_met:
        raise Failed(seen)


def expect_all(wrong: list[str], tried: int) -> None:
    """Fail with the first few of the cases that went wrong."""
    if wrong:
        more = f"; and {len(wrong) - SHOWN_CASES} more" if len(wrong) > SHOWN_CASES else ""
        raise Failed(f"{len(wrong)} of {tried}: {'; '.join(wrong[:SHOWN_CASES])}{more}")
