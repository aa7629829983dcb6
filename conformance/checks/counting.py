"""What is counted, on a server that lends us a show."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from conformance.chain import GENESIS, ids_of
from conformance.checks.chains import slug
from conformance.device import Device, encode, make_event
from conformance.outcomes import Requirement, expect
from conformance.published import load
from conformance.trial import Trial

CLAUSE = "What counts"
DAY_MS = 86_400_000
PUBLISHED_DAYS_AGO = 200
NOON_MS = DAY_MS // 2


def _tell(device: Device, events: list[dict[str, Any]], batches: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Send stretches of a log [first seq, last seq] one after the other; the sum over their receipts."""
    ids = [GENESIS, *ids_of(device.device_id, GENESIS, events)]
    bodies = [
        encode(
            {
                "sent_at_ms": device.now_ms,
                "after": ids[first - 1],
                "head": ids[last],
                "events": events[first - 1 : last],
            }
        )
        for first, last in batches
    ]
    for body in bodies:
        device.send(body)
    fates = [device.fate(body) for body in dict.fromkeys(bodies)]
    aside: dict[str, int] = {}
    for fate in fates:
        for cause, number in fate["set_aside"].items():
            aside[cause] = aside.get(cause, 0) + number
    return {
        "counted": sum(fate["counted"] for fate in fates),
        "duplicate": sum(fate["duplicate"] for fate in fates),
        "set_aside": aside,
    }


def _case(place: int, trial: Trial) -> None:
    """A case of `counting.json`."""
    vectors = load("counting")
    case = vectors["cases"][place]
    catalogue = trial.catalogue
    device = trial.device()
    days = case.get("published_days_ago", vectors["published_days_ago"])
    episode = catalogue.add_episode(vectors["duration_ms"], device.now_ms - days * DAY_MS)
    events = [
        make_event(
            seq,
            episode,
            **{name: value for name, value in event.items() if name != "at"},
            at_ms=device.now_ms + event["at"],
        )
        for seq, event in enumerate(case["events"], 1)
    ]
    receipt = _tell(device, events, case.get("batches", [[1, len(events)]]))
    expect(receipt == case["receipt"], f"the receipts say {receipt} instead of {case['receipt']}")
    catalogue.expect_counts(episode, case["stats"])


def _playback(place: int, trial: Trial) -> None:
    """A case of `playbacks.json`: one device, one episode, one UTC day."""
    case = load("playbacks")["cases"][place]
    catalogue = trial.catalogue
    device = trial.device()
    episode = catalogue.add_episode(round(case["duration_s"] * 1000), device.now_ms - PUBLISHED_DAYS_AGO * DAY_MS)
    noon_ms = (device.now_ms // DAY_MS - 1) * DAY_MS + NOON_MS
    events = [make_event(1, episode, at_ms=noon_ms)]
    for seq, (from_ms, to_ms) in enumerate(case["spans_ms"], 2):
        span = {"from_ms": from_ms, "to_ms": to_ms, "wall_ms": to_ms - from_ms}
        events.append(make_event(seq, episode, kind="pause", at_ms=noon_ms + seq, **span))
    _tell(device, events, [[1, len(events)]])
    counts = {"starts": 1, "listens": int(case["listen"]), "offline_listens": 0, "completions": int(case["completion"])}
    catalogue.expect_counts(episode, {**counts, "heard_seconds": case["heard_seconds"]})


REQUIREMENTS = [
    *(
        Requirement(f"counting/{slug(case['name'])}", case["clause"], case["name"].capitalize(), partial(_case, place))
        for place, case in enumerate(load("counting")["cases"])
    ),
    *(
        Requirement(f"playbacks/{slug(case['name'])}", CLAUSE, case["name"].capitalize(), partial(_playback, place))
        for place, case in enumerate(load("playbacks")["cases"])
    ),
]
