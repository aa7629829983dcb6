"""The rules that look at one hit alone, and what a download of a file takes."""

from datetime import UTC, datetime
from itertools import combinations

import numpy as np
import pytest

from api.events.columns import METHODS
from api.hits.traits import Trait
from api.measurement.rules import CODE, ELIGIBLE, GET, OUTCOMES, RULES, judge_alone, threshold_bytes
from models.downloads import DOWNLOAD
from models.queries.audio_versions import Version

HEAD = METHODS.index("HEAD")
ALONE = {
    "not_get": (HEAD, 200, Trait.NONE),
    "redirected": (GET, 302, Trait.NONE),
    "status": (GET, 304, Trait.NONE),
    "not_audio": (GET, 200, Trait.NOT_AUDIO),
    "bot": (GET, 200, Trait.BOT),
    "datacenter": (GET, 206, Trait.DATACENTER),
    "watch": (GET, 206, Trait.WATCH),
    "probe": (GET, 206, Trait.PROBE),
    "referrer": (GET, 200, Trait.PRELOAD),
}
"""Method, status and traits that one cause alone applies to."""
ORDER = list(ALONE)
TRAITS = [cause for cause in ORDER if ALONE[cause][2]]


def judge(method: int, status: int, traits: Trait) -> str:
    columns = np.array([method]), np.array([status], np.uint16), np.array([int(traits)], np.uint16)
    [code] = judge_alone(*columns)
    return "eligible" if code == ELIGIBLE else OUTCOMES[code]


@pytest.mark.parametrize("cause", ALONE)
def test_each_cause_is_found(cause: str) -> None:
    assert judge(*ALONE[cause]) == cause


@pytest.mark.parametrize(("first", "second"), list(combinations(TRAITS, 2)))
def test_of_two_causes_the_first_is_kept(first: str, second: str) -> None:
    assert judge(GET, 200, ALONE[second][2] | ALONE[first][2]) == first
    assert judge(HEAD, 304, ALONE[first][2]) == "not_get"
    assert judge(GET, 304, ALONE[first][2]) == "status"
    assert judge(GET, 302, ALONE[first][2]) == "redirected"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "eligible"), (206, "eligible"), (0, "eligible"), (302, "redirected")]
    + [(status, "status") for status in (100, 201, 204, 301, 304, 307, 404, 416, 500, 999, 65_535)],
)
def test_a_status_is_a_delivery_or_not(status: int, outcome: str) -> None:
    assert judge(GET, status, Trait.NONE) == outcome


def test_a_redirect_whose_bytes_nobody_else_counts_is_a_delivery() -> None:
    assert judge(GET, 302, Trait.REDIRECT) == "eligible"
    assert judge(GET, 302, Trait.REDIRECT | Trait.BOT) == "bot"
    assert judge(GET, 304, Trait.REDIRECT) == "status"


def test_what_is_known_of_a_part_or_an_address_is_no_cause() -> None:
    assert judge(GET, 206, Trait.BYTES_ONLY | Trait.INCLUDED) == "eligible"


def test_rows_are_judged_each_for_itself() -> None:
    columns = [np.array(column) for column in zip(*ALONE.values(), strict=True)]
    assert [OUTCOMES[code] for code in judge_alone(*columns)] == ORDER
    assert len(judge_alone(*(column[:0] for column in columns))) == 0


def test_the_rules_are_asked_in_the_order_of_their_codes() -> None:
    assert [rule.cause for rule in RULES if rule.applies] == ORDER
    assert [rule.cause for rule in RULES][len(ORDER) :] == ["excess", "short", "duplicate"]
    assert OUTCOMES[CODE[DOWNLOAD]] == DOWNLOAD
    assert [CODE[outcome] for outcome in OUTCOMES] == list(range(len(OUTCOMES)))


THRESHOLDS = {
    "header and a minute at the measured bitrate": ((20_000_000, 200_000, 128_000, 1_237_500), 200_000 + 960_000),
    "a rate that is no whole number of bytes": ((20_000_000, 0, 100_001, 600_000), 750_007),
    "a minute of a file known from its feed": ((9_600_001, 0, None, 600_000), 960_000),
    "the header is not known of a feed's file": ((9_600_000, 5_000, None, 600_000), 960_000),
    "a file that is shorter than a minute": ((700_000, 1_000, 128_000, 59_999), 700_000),
    "a file of just a minute": ((1_000_000, 1_000, 128_000, 60_000), 961_000),
    "never more than the file": ((500_000, 0, 128_000, 61_000), 500_000),
    "no duration": ((9_600_000, 0, 128_000, None), 9_600_000),
    "no length": ((0, 0, None, 600_000), 0),
    "neither": ((0, 0, None, None), 0),
}
"""Bytes, header, bitrate and duration in milliseconds; what a download takes."""


@pytest.mark.parametrize("case", THRESHOLDS)
def test_a_download_takes_header_and_a_minute(case: str) -> None:
    (size, header, bitrate, duration), expected = THRESHOLDS[case]
    version = Version(1, 1, 1, "", "", size, header, bitrate, duration, datetime.now(UTC))
    assert threshold_bytes(version) == expected
