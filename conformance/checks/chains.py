"""The verdict on a device's hash chain, which its receipts show."""

import re
from collections import Counter
from functools import partial
from typing import Any

from conformance.chain import Translation
from conformance.checks.sending import differences
from conformance.device import Device, encode
from conformance.outcomes import Requirement, expect
from conformance.published import load
from conformance.trial import Trial

CLAUSE = "The chain of a batch"


def slug(name: str) -> str:
    """A name as an id has it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _tell(device: Device, batch: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Send a batch of the vectors; its receipt, once counted."""
    rejected = batch["rejected"]
    accepted = len(batch["body"]["events"]) - len(rejected)
    found = differences(device.post(body), {"status": 202, "accepted": accepted, "rejected": rejected})
    expect(not found, f"{batch['name']}: {found}")
    fate = device.fate(body)
    expect(fate.get("chain") == batch["chain"], f"{batch['name']}: {fate.get('chain')!r} instead of {batch['chain']!r}")
    return fate


def _published(last: int, trial: Trial) -> None:
    """The batches of `sync_chain.json` up to one; those before it are told first."""
    vectors = load("sync_chain")
    device = trial.device()
    own = Translation(vectors["device_id"], device.device_id, vectors["batches"])
    told = [0, 1, last] if last > 1 else range(last + 1)
    for place in told:
        batch = vectors["batches"][place]
        _tell(device, batch, encode(own.of(batch)))


def _log(place: int, trial: Trial) -> None:
    """A log of `logs.json`, with what its receipts add up to."""
    vectors = load("logs")
    device = trial.device()
    batches = vectors["logs"][place]["batches"]
    own = Translation(vectors["device_id"], device.device_id, batches)
    duplicates: Counter[bytes] = Counter()
    for batch in batches:
        body = encode(own.of(batch))
        duplicates[body] += batch["duplicate"]
        fate = _tell(device, batch, body)
        expect(
            fate.get("duplicate") == duplicates[body],
            f"{batch['name']}: duplicate is {fate.get('duplicate')} instead of {duplicates[body]}",
        )


REQUIREMENTS = [
    *(
        Requirement(f"sync_chain/{slug(batch['name'])}", CLAUSE, batch["name"].capitalize(), partial(_published, place))
        for place, batch in enumerate(load("sync_chain")["batches"])
    ),
    *(
        Requirement(f"logs/{slug(log['name'])}", log["clause"], log["name"].capitalize(), partial(_log, place))
        for place, log in enumerate(load("logs")["logs"])
    ),
]
