"""What the Pipeline page asks of the store, as frames; and of the API, how far the worker is behind."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import calls, clock, store
from dashboard.data import CACHE_SECONDS
from models.conservation import HIT, DayBalance, balance, causes_of, missing_events
from models.periods import Period
from models.queries import pipeline
from models.queries.pipeline import LogTroubles

Totals = tuple[tuple[tuple[str, str], int], ...]
"""((kind, outcome), events) over all time, in order."""

MAX_LOGS = 50
SAMPLES = 10
DEVICE_DIGITS = 8
"""Hex digits of a device's id: enough to tell two apart."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far counting is behind, over all partitions."""

    records_behind: int
    oldest_waiting_ms: int
    last_step_ms: int | None
    positions: list[tuple[int, int, int]]
    """Partition, offset of the next record to fold, offset of the log's end."""


def read_lag() -> Lag | None:
    """Asked of the API each time, since the log is the API's; None when it does not answer."""
    answer = calls.ask("GET", "/v1/pipeline/lag")
    if not answer.is_ok:
        return None
    body = answer.body
    partitions: list[dict[str, Any]] = body["partitions"]
    return Lag(
        records_behind=sum(partition["records_behind"] for partition in partitions),
        oldest_waiting_ms=max(partition["oldest_waiting_ms"] for partition in partitions),
        last_step_ms=max((partition["last_step_ms"] or 0 for partition in partitions), default=0) or None,
        positions=[(part["partition"], part["next_offset"], part["end_offset"]) for part in partitions],
    )


def totals() -> Totals:
    """How often everything has come to each outcome by now; asked of the store each time, a few hundred rows at most.

    What is cached below takes it, so that frames are new when anything was folded or replayed.
    """
    with store.read() as session:
        return tuple(sorted(pipeline.list_total_outcomes(session).items()))


@st.cache_data(ttl=CACHE_SECONDS, max_entries=50, show_spinner=False)
def days(first: date, last: date, totals: Totals) -> list[DayBalance]:
    """Every day of a period up to today, with what became of what came in."""
    period = Period(first, last)
    with store.read() as session:
        return balance(
            pipeline.list_outcomes(session, period),
            pipeline.list_arrived(session, period),
            pipeline.list_kept(session, causes_of(dict(totals)), period),
            period,
            today=clock.today(),
            are_erased=pipeline.are_devices_erased(session),
        )


@st.cache_data(ttl=CACHE_SECONDS, max_entries=50, show_spinner=False)
def hits(first: date, last: date, totals: Totals) -> pd.DataFrame:
    """Requests for audio over a period: outcome, hits, share; most first."""
    with store.read() as session:
        outcomes = pipeline.list_outcomes(session, Period(first, last))
    found = pd.DataFrame([row for row in outcomes if row.kind == HIT], columns=list(pipeline.Outcome._fields))
    sums = found.groupby("outcome", as_index=False)["events"].sum().sort_values("events", ascending=False)
    names = sums["outcome"].str.replace("_", " ").str.capitalize()
    return sums.assign(outcome=names, share=sums["events"] / max(1, sums["events"].sum()) * 100)


@st.cache_data(ttl=CACHE_SECONDS, max_entries=20, show_spinner=False)
def samples(cause: str, totals: Totals) -> pd.DataFrame:
    """The newest events set aside for a cause: when they came, from whom, and what they say."""
    with store.read() as session:
        found = pipeline.list_samples(session, cause, SAMPLES)
    return pd.DataFrame([_sample(sample) for sample in found])


@st.cache_data(ttl=CACHE_SECONDS, max_entries=1, show_spinner=False)
def log_troubles(totals: Totals) -> LogTroubles:
    """How many devices' logs are not whole."""
    with store.read() as session:
        return pipeline.count_troubled_logs(session)


@st.cache_data(ttl=CACHE_SECONDS, max_entries=1, show_spinner=False)
def troubled_logs(totals: Totals) -> pd.DataFrame:
    """Devices whose logs are not whole, those heard from last first."""
    with store.read() as session:
        logs = pipeline.list_troubled_logs(session, MAX_LOGS)
    return pd.DataFrame(
        {
            "device": [log.device.hex()[:DEVICE_DIGITS] for log in logs],
            "trouble": [", ".join(_troubles(log.is_broken, log.is_forked, log.missing != "[]")) for log in logs],
            "missing": [missing_events(json.loads(log.missing)) for log in logs],
            "last_seq": [log.last_seq for log in logs],
            "heard_from": [_instant(log.last_received_ms) for log in logs],
        }
    )


def _sample(sample: pipeline.Sample) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(sample.payload)
    row = {"received": _instant(sample.received_at_ms), "device": sample.device.hex()[:DEVICE_DIGITS]}
    if "at_ms" not in event:  # not an event of ours, but what was found in the log
        return {**row, "record": sample.payload}
    return {
        **row,
        "kind": event["kind"],
        "episode": event["episode"],
        "heard_at": _instant(event["at_ms"]),
        "from_seconds": event["from_ms"] / 1000,
        "to_seconds": event["to_ms"] / 1000,
        "wall_seconds": event["wall_ms"] / 1000,
        "offline": event["offline"],
    }


def _troubles(is_broken: bool, is_forked: bool, has_gaps: bool) -> list[str]:
    names = {"broken": is_broken, "fork": is_forked, "gap": has_gaps}
    return [name for name, is_so in names.items() if is_so]


def _instant(unix_ms: int) -> pd.Timestamp | None:
    try:
        return pd.Timestamp(unix_ms, unit="ms", tz="UTC")
    except (OverflowError, ValueError):  # a device's clock may say anything
        return None
