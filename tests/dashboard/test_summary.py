"""Totals, shares and the change against the period before."""

import math

import pandas as pd

from dashboard import summary
from models import metrics


def frame(*rows: tuple[int, int, int, int, int]) -> pd.DataFrame:
    """Days with starts, listens, offline listens, completions, heard seconds."""
    return pd.DataFrame(list(rows), columns=list(metrics.ADDITIVE_SLUGS))


QUIET_AND_BUSY = frame((2, 1, 1, 1, 30), (0, 0, 0, 0, 0), (198, 99, 9, 49, 7170))


def test_a_share_divides_the_sums_so_a_quiet_day_weighs_little() -> None:
    assert summary.total(QUIET_AND_BUSY, metrics.OFFLINE_SHARE) == 0.1
    assert summary.total(QUIET_AND_BUSY, metrics.COMPLETION_RATE) == 0.25


def test_amounts_are_summed() -> None:
    assert summary.total(QUIET_AND_BUSY, metrics.LISTENS) == 100
    assert summary.total(QUIET_AND_BUSY, metrics.HEARD_SECONDS) == 7200


def test_a_share_of_nothing_is_not_a_number_and_a_sum_of_nothing_is_zero() -> None:
    assert math.isnan(summary.total(frame(), metrics.OFFLINE_SHARE))
    assert summary.total(frame(), metrics.LISTENS) == 0


def test_a_card_says_value_change_and_course() -> None:
    card = summary.card(metrics.LISTENS, QUIET_AND_BUSY, frame((99, 80, 40, 20, 60)))
    assert (card.value, card.change, card.spark) == ("100", "+25 %", [1.0, 0.0, 99.0])
    card = summary.card(metrics.OFFLINE_SHARE, QUIET_AND_BUSY, frame((99, 80, 40, 20, 60)))
    assert (card.value, card.change) == ("10 %", "-40.0 pp")
    assert card.spark == [1.0, 9 / 99], "a day without listens has no share"


def test_a_card_without_a_period_before_has_no_change() -> None:
    assert summary.card(metrics.LISTENS, QUIET_AND_BUSY, frame((0, 0, 0, 0, 0))).change == ""
    assert summary.card(metrics.COMPLETION_RATE, QUIET_AND_BUSY, frame((0, 0, 0, 0, 0))).change == ""
