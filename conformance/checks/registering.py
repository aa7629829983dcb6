"""Registering a device, and the token that comes of it."""

import re
from typing import Any

from conformance.device import make_body, make_event
from conformance.outcomes import Requirement, expect, expect_all
from conformance.published import load
from conformance.trial import Trial

CLAUSE = "Register"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TOKEN = re.compile(r"[\x21-\x7e]+")
PLAUSIBLE_MS = range(1_500_000_000_000, 4_102_444_800_000)
"""Milliseconds from 2017 to 2100; seconds and microseconds lie far outside."""


def is_integer(value: Any, least: int = 0) -> bool:
    """Whether a JSON value is an integer, which True is not."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_clock(value: Any) -> bool:
    """Whether a JSON value can be the server's clock in milliseconds."""
    return is_integer(value) and value in PLAUSIBLE_MS


def _fields(trial: Trial) -> None:
    body = {"app": "Earshot conformance", "app_version": "1.0", "platform": "any"}
    answer = trial.server.send_json("POST", "/v1/devices", "", body, 201)
    expect(isinstance(answer, dict), f"the answer is {answer} and no object")
    device_id, token = answer.get("device_id"), answer.get("token")
    expect(isinstance(device_id, str) and bool(UUID.fullmatch(device_id)), f"device_id is {device_id!r}")
    expect(isinstance(token, str) and bool(TOKEN.fullmatch(token)), f"token is {token!r}")
    expect(is_clock(answer.get("server_time_ms")), f"server_time_ms is {answer.get('server_time_ms')!r}")
    expect(is_integer(answer.get("listen_seconds"), 1), f"listen_seconds is {answer.get('listen_seconds')!r}")


def _new_each_time(trial: Trial) -> None:
    one, other = trial.device(), trial.device()
    expect(one.device_id != other.device_id, f"two registrations gave one device_id, {one.device_id}")
    expect(one.token != other.token, "two registrations gave one token")


def _bodies(trial: Trial) -> None:
    cases = load("devices")["registrations"]
    wrong = []
    for case in cases:
        content = case["body"].encode()
        answer = trial.server.ask("POST", "/v1/devices", content=content, headers={"Content-Type": "application/json"})
        if answer.status != case["status"]:
            wrong.append(f"{case['name']}: {answer} instead of {case['status']}")
    expect_all(wrong, len(cases))


def _bad_tokens(trial: Trial) -> None:
    device = trial.device()
    body = make_body(device, [make_event(1, at_ms=device.now_ms)])
    wrong = []
    patterns = load("devices")["authorizations"]
    for pattern in patterns:
        answer = device.post(body, authorization=pattern.replace("{token}", device.token))
        if answer.status != 401:
            wrong.append(f"{pattern[:40]!r}: {answer}")
    expect_all(wrong, len(patterns))


REQUIREMENTS = [
    Requirement("register/fields", CLAUSE, "201 has device_id, token, server_time_ms, listen_seconds", _fields),
    Requirement("register/new", CLAUSE, "Each registration gives another id and another token", _new_each_time),
    Requirement("register/bodies", CLAUSE, "A registration needs an app of 1 to 100 characters, else 422", _bodies),
    Requirement("register/tokens", "Answers", "Without the device's own token, whole, a batch is 401", _bad_tokens),
]
