"""What holds for every answer, looked at when all others have been given."""

from conformance.checks.registering import is_integer
from conformance.outcomes import Requirement, Skipped, expect_all
from conformance.server import Answer
from conformance.trial import Trial

CLAUSE = "Answers"
STATUSES = {202, 401, 413, 422, 503}


def _shape(answer: Answer) -> bool:
    return isinstance(answer.field("error"), str) and isinstance(answer.field("message"), str)


def _statuses(trial: Trial) -> None:
    answers = trial.batch_answers()
    wrong = sorted({str(answer) for answer in answers if answer.status not in STATUSES})
    expect_all(wrong, len(answers))


def _refusals(trial: Trial) -> None:
    answers = trial.refusals()
    wrong = sorted({str(answer) for answer in answers if not _shape(answer)})
    expect_all(wrong, len(answers))


def _busy(trial: Trial) -> None:
    answers = [answer for answer in trial.refusals() if answer.status == 503]
    if not answers:
        raise Skipped("the server was never busy")
    wrong = [
        f"{answer} with Retry-After {answer.headers.get('retry-after')!r}"
        for answer in answers
        if not _says_when(answer)
    ]
    expect_all(wrong, len(answers))


def _says_when(answer: Answer) -> bool:
    text = answer.headers.get("retry-after", "")
    return text.isascii() and text.isdigit() and is_integer(int(text))


REQUIREMENTS = [
    Requirement("conduct/statuses", CLAUSE, "A batch gets 202, 401, 413, 422 or 503 and nothing else", _statuses),
    Requirement("conduct/refusals", CLAUSE, "Every refusal is an object with error and message", _refusals),
    Requirement("conduct/busy", CLAUSE, "503 says in Retry-After how many seconds to wait", _busy),
]
