"""A statement's export for its creator: what it says, what it was worked out from, and the playbacks behind it without
their devices, so that she can work it out herself (docs/proof.md, docs/verify_statement.py)."""

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from models.payouts import Statement, StatementLine
from models.statements import DayCount, Inputs

FORMAT = "earshot-statement/1"
_random = random.SystemRandom()


def header(statement: Statement, lines: Sequence[StatementLine], inputs: Inputs) -> dict[str, Any]:
    """The first record: the statement, its lines and its inputs."""
    return {
        "type": "header",
        "format": FORMAT,
        "statement": {
            "id": str(statement.uuid),
            "month": str(statement.month),
            "currency": statement.currency,
            "rule_version": statement.rule_version,
            "inputs_hash": bytes(statement.inputs_hash).hex(),
            "total_cents": statement.total_cents,
            "brought_forward_cents": statement.brought_forward_cents,
            "minimum_cents": statement.minimum_cents,
            "is_carried": statement.is_carried,
        },
        "lines": [_line(line) for line in lines],
        "inputs": inputs,
    }


def _line(line: StatementLine) -> dict[str, Any]:
    names = ("kind", "episode_id", "campaign_id", "plan_id", "quantity", "counted", "held", "void", "unbilled")
    return {
        **{name: getattr(line, name) for name in names},
        "month": str(line.month),
        "amount_cents": line.amount_cents,
        "gross_cents": line.gross_cents,
    }


def days_of(inputs: Inputs) -> dict[date, list[int]]:
    """The days that the inputs have, each with its episodes: nothing else is exported."""
    found: dict[date, set[int]] = {}
    for row in inputs["counts"]:
        found.setdefault(date.fromisoformat(row[2]), set()).add(row[0])
    return {day: sorted(episodes) for day, episodes in sorted(found.items())}


def delivered(inputs: Inputs, counts: Mapping[tuple[int, int, date], DayCount]) -> Iterator[dict[str, Any]]:
    """Delivered impressions by day: what a download is cannot be told without addresses, which are not exported."""
    paid = {row["id"] for row in inputs["campaigns"] if row["billing"] == "delivered"}
    for episode_id, campaign_id, text, *_ in inputs["counts"]:
        if campaign_id in paid:
            count = counts.get((episode_id, campaign_id, date.fromisoformat(text)))
            numbers = {name: getattr(count, name, 0) for name in ("counted", "held", "void")}
            yield {"type": "delivered", "day": text, "episode": episode_id, "campaign": campaign_id, **numbers}


def playbacks(day: date, heard: Iterable[Any], first: int) -> Iterator[dict[str, Any]]:
    """A day's playbacks, numbered from `first` in an order drawn for this export: nothing ties two of them together."""
    listed = list(heard)
    _random.shuffle(listed)
    for number, found in enumerate(listed, first):
        record = {
            "type": "playback",
            "number": number,
            "day": str(day),
            "episode": found.episode_id,
            "heard": [list(pair) for pair in zip(found.coverage[::2], found.coverage[1::2], strict=True)],
            "offline": found.is_offline,
            "flag": found.flag,
        }
        yield record | ({"erased": True} if found.is_erased else {})


def encode(record: Mapping[str, Any]) -> bytes:
    """A line of the file."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
