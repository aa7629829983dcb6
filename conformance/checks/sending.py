"""Whole bodies and single events: what is taken, what is refused, and what 202 says."""

from functools import partial
from hashlib import sha256
from typing import Any

from conformance.checks.registering import is_clock, is_integer
from conformance.device import Device, make_body, make_event
from conformance.outcomes import Requirement, expect, expect_all
from conformance.published import body_of, load
from conformance.server import Answer
from conformance.trial import Trial


def differences(answer: Answer, expected: dict[str, Any]) -> str:
    """How an answer differs from what a case of the vectors expects; empty when it does not."""
    if answer.status != expected["status"]:
        return f"{answer} instead of {expected['status']}"
    for name in ("receipt", "accepted", "rejected"):
        if name in expected and answer.field(name) != expected[name]:
            return f"{name} is {answer.field(name)} instead of {expected[name]}"
    return ""


def _bodies(group: str, trial: Trial) -> None:
    cases = [case for case in load("bodies")["cases"] if case["group"] == group]
    device = trial.device()
    wrong = []
    for case in cases:
        answer = device.post(body_of(case), case["content_encoding"])
        if found := differences(answer, case):
            wrong.append(f"{case['name']}: {found}")
    expect_all(wrong, len(cases))


def _events(group: str, trial: Trial) -> None:
    vectors = load("events")
    cases = [case for case in vectors["cases"] if case["group"] == group]
    device = trial.device()
    wrong = []
    for case in cases:
        event = bytes.fromhex(case["hex"]) if "hex" in case else case["text"].encode()
        body = vectors["before"].encode() + event + vectors["after"].encode()
        rejected = [{"seq": 2, "cause": case["cause"]}] if case["cause"] else []
        expected = {"status": 202, "receipt": sha256(body).hexdigest(), "rejected": rejected}
        if found := differences(device.post(body), {**expected, "accepted": 3 - len(rejected)}):
            wrong.append(f"{case['name']}: {found}")
    expect_all(wrong, len(cases))


def _body(device: Device) -> bytes:
    return make_body(device, [make_event(seq, at_ms=device.now_ms) for seq in (1, 2)])


def _fields(trial: Trial) -> None:
    device = trial.device()
    body = _body(device)
    answer = device.send(body)
    expect(isinstance(answer.json, dict), f"the answer is {answer}")
    receipt = sha256(body).hexdigest()
    expect(answer.field("receipt") == receipt, f"receipt is {answer.field('receipt')} instead of {receipt}")
    expect(is_clock(answer.field("server_time_ms")), f"server_time_ms is {answer.field('server_time_ms')!r}")
    expect(is_integer(answer.field("listen_seconds"), 1), f"listen_seconds is {answer.field('listen_seconds')!r}")
    expect(answer.field("accepted") == 2, f"accepted is {answer.field('accepted')!r} of 2 good events")
    expect(answer.field("rejected") == [], f"rejected is {answer.field('rejected')!r} for 2 good events")


def _clock(trial: Trial) -> None:
    device = trial.device()
    clocks = [device.now_ms, *(device.send(_body(device)).field("server_time_ms") for _ in range(3))]
    expect(clocks == sorted(clocks), f"server_time_ms went backwards: {clocks}")


def _twice(trial: Trial) -> None:
    device = trial.device()
    body = _body(device)
    first, second = device.send(body), device.send(body)
    for name in ("receipt", "accepted", "rejected"):
        expect(
            first.field(name) == second.field(name),
            f"{name} was {first.field(name)} and is {second.field(name)} the second time",
        )


def _in_pieces(trial: Trial) -> None:
    device = trial.device()
    body = _body(device)
    answer = device.post(body, is_in_pieces=True)
    found = differences(answer, {"status": 202, "receipt": sha256(body).hexdigest(), "accepted": 2})
    expect(not found, found)


def _grouped(name: str, check: Any) -> list[Requirement]:
    """A requirement for each group of cases of a file of vectors."""
    return [
        Requirement(f"{name}/{group}", told["clause"], told["title"], partial(check, group))
        for group, told in load(name)["groups"].items()
    ]


REQUIREMENTS = [
    Requirement(
        "sync/fields", "Answers", "202 has receipt, server_time_ms, listen_seconds, accepted, rejected", _fields
    ),
    Requirement("sync/clock", "Answers", "server_time_ms does not go backwards", _clock),
    Requirement("sync/twice", "Answers", "The same body again gets the same answer", _twice),
    Requirement("sync/pieces", "Send", "A body of unknown length (chunked) is taken", _in_pieces),
    *_grouped("bodies", _bodies),
    *_grouped("events", _events),
]
