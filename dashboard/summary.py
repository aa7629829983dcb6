"""From counted sums to what a card says: totals, shares, and the change against the period before. Pure."""

import math
from dataclasses import dataclass

import pandas as pd

from dashboard import formats
from models.metrics import Metric


@dataclass(frozen=True, slots=True)
class Card:
    """One number with its context, as text."""

    metric: Metric
    value: str
    change: str
    """Against the period before; empty when that had nothing."""
    spark: list[float]
    """The metric day by day; days on which a share has nothing to divide are left out."""


def total(frame: pd.DataFrame, metric: Metric) -> float:
    """The metric over all rows of a frame with the rollup's columns; NaN for a share of nothing.

    Shares divide the sums: a mean of daily shares would give a quiet day the weight of a busy one.
    """
    if not metric.denominator:
        return float(frame[metric.slug].sum())
    return _divide(float(frame[metric.numerator].sum()), float(frame[metric.denominator].sum()))


def each(frame: pd.DataFrame, metric: Metric) -> pd.Series:
    """The metric row by row; NaN for a share of nothing."""
    if not metric.denominator:
        return frame[metric.slug].astype(float)
    denominator = frame[metric.denominator].astype(float)
    return frame[metric.numerator].astype(float) / denominator.where(denominator > 0)


def card(metric: Metric, now: pd.DataFrame, before: pd.DataFrame) -> Card:
    """A metric's card from the days of a period and of the one before it."""
    amount = total(now, metric)
    spark = [float(value) for value in each(now, metric).dropna()]
    return Card(metric, formats.value(metric, amount), formats.change(metric, amount, total(before, metric)), spark)


def _divide(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan
