"""What `GET /v1/sync/{receipt}` says."""

from hashlib import sha256

from conformance.checks.registering import is_integer
from conformance.device import Device, make_body, make_event
from conformance.outcomes import Requirement, expect, expect_all
from conformance.published import load
from conformance.trial import Trial

CLAUSE = "What became of it"
STATES = ("pending", "done")


def _sent(trial: Trial) -> tuple[Device, bytes]:
    device = trial.device()
    body = make_body(device, [make_event(seq, at_ms=device.now_ms) for seq in (1, 2, 3)])
    device.send(body)
    return device, body


def _at_once(trial: Trial) -> None:
    device, body = _sent(trial)
    answer = device.ask_receipt(sha256(body).hexdigest())
    expect(answer.status == 200, f"right after 202 the receipt is {answer}")
    expect(answer.field("state") in STATES, f"state is {answer.field('state')!r}")


def _done(trial: Trial) -> None:
    device, body = _sent(trial)
    fate = device.fate(body)
    for name in ("counted", "duplicate"):
        expect(is_integer(fate.get(name)), f"{name} is {fate.get(name)!r}")
    aside = fate.get("set_aside")
    expect(isinstance(aside, dict) and all(map(is_integer, aside.values())), f"set_aside is {aside!r}")
    expect(fate.get("chain") == "intact", f"chain is {fate.get('chain')!r}")
    total = fate["counted"] + fate["duplicate"] + sum(fate["set_aside"].values())
    expect(total == 3, f"3 events were accepted and {total} are accounted for: {fate}")


def _unknown_episode(trial: Trial) -> None:
    device, body = _sent(trial)
    fate = device.fate(body)
    expect(fate.get("set_aside") == {"unknown_episode": 3}, f"three events of no known episode: {fate}")


def _strangers(trial: Trial) -> None:
    device, body = _sent(trial)
    device.fate(body)
    receipt = sha256(body).hexdigest()
    answer = device.ask_receipt(receipt, trial.device().token)
    expect(answer.status == 404, f"another device that asks gets {answer}")
    answer = device.ask_receipt(sha256(b"never sent").hexdigest())
    expect(answer.status == 404, f"a receipt of what was never sent is {answer}")


def _tokens(trial: Trial) -> None:
    device, body = _sent(trial)
    path = f"/v1/sync/{sha256(body).hexdigest()}"
    patterns = load("devices")["authorizations"]
    wrong = []
    for pattern in patterns:
        headers = {"Authorization": pattern.replace("{token}", device.token)} if pattern else {}
        answer = trial.server.ask("GET", path, headers=headers)
        if answer.status != 401:
            wrong.append(f"{pattern[:40]!r}: {answer}")
    expect_all(wrong, len(patterns))


REQUIREMENTS = [
    Requirement("receipts/at-once", CLAUSE, "A receipt is pending or done as soon as the batch is taken", _at_once),
    Requirement("receipts/done", CLAUSE, "counted + duplicate + set aside = accepted, once it is done", _done),
    Requirement("receipts/unknown", CLAUSE, "Events of an episode that is not there are set aside", _unknown_episode),
    Requirement("receipts/strangers", CLAUSE, "Another device's receipt, or nobody's, is 404", _strangers),
    Requirement("receipts/tokens", CLAUSE, "Without the device's own token a receipt is 401", _tokens),
]
