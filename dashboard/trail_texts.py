"""What an entry of the audit trail did, in words. Pure."""

import re
from datetime import date
from typing import Any

from dashboard import formats, money, positions

SUBJECTS = {
    "statement": "Statement",
    "hold": "Hold",
    "campaign": "Campaign",
    "placement": "Placement",
    "advertiser": "Advertiser",
    "rate_plan": "Rate plan",
    "payee": "Bank account",
    "payout_batch": "Payment order",
    "webhook": "Webhook",
}
ARROW = "\N{RIGHTWARDS ARROW}"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MONTH = re.compile(r"\d{4}-\d\d")
_WORDS = {
    "state": "",
    "name": "name",
    "month": "",
    "total_cents": "total",
    "brought_forward_cents": "brought forward",
    "is_carried": "carried over",
    "cents": "amount",
    "price_cents": "price for 1,000",
    "listen_price_cents": "price for 1,000 listens",
    "ad_share_bp": "share of ads",
    "minimum_cents": "minimum payout",
    "budget_cents": "budget",
    "impression_cap": "cap",
    "daily_cap": "cap a day",
    "billing": "billing by",
    "confirm_percent": "confirmed at",
    "part": "part",
    "from_day": "from",
    "to_day": "to",
    "click_url": "link",
    "iban": "IBAN",
    "bic": "BIC",
}
"""How a detail is called, in the order in which they are told; those that are not here come last, under their name."""
_HIDDEN = (
    "reason",
    "reference",
    "revision",
    "inputs_hash",
    "with",
    "show",
    "episode",
    "campaign",
    "creative",
    "currency",
    "rule",
    "day",
)
"""What the other columns say, or what nobody reads."""
_CHANGES = (".changed", ".counted_back")
"""Actions whose details are pairs: what was, and what is."""


def action(name: str) -> str:
    """`Statement: approved` for `statement.approved`."""
    subject, _, done = name.partition(".")
    return f"{SUBJECTS.get(subject, subject.capitalize())}: {done.replace('_', ' ')}"


def why(name: str, detail: dict[str, Any]) -> str:
    """The reason that was given, and what changed."""
    reason = str(detail.get("reason") or detail.get("reference") or "")
    return " · ".join(part for part in (reason, changes(name, detail)) if part)


def changes(name: str, detail: dict[str, Any]) -> str:
    """`Draft → Approved`, `budget €100.00 → €21.27`, `total €89.00`; without ids, and without what is not set."""
    currency = str(detail.get("currency") or "")
    shown = _together({key: value for key, value in detail.items() if key not in _HIDDEN})
    parts = []
    for key in (*(key for key in _WORDS if key in shown), *sorted(shown.keys() - _WORDS.keys())):
        value = shown[key]
        if name.endswith(_CHANGES) and isinstance(value, list) and len(value) == 2:
            parts.append(f"{_word(key)} {_change(key, value, currency)}")
        elif text := _value(key, value, currency):
            parts.append(_word(key) if value is True else f"{_word(key)} {text}".strip())
    return ", ".join(parts)


def _together(detail: dict[str, Any]) -> dict[str, Any]:
    """Details that are told as one: two states, two versions of a row, two ends of a part."""
    found = dict(detail)
    if "to" in found and "from" in found:
        was, now = found.pop("from"), found.pop("to")
        if isinstance(now, dict):
            found |= {key: value for key, value in now.items() if value != (was or {}).get(key)}
        elif was != now:
            found["state"] = f"{_title(was)} {ARROW} {_title(now)}"
    start, end = found.get("start_ms"), found.get("end_ms")
    if isinstance(start, int) and isinstance(end, int):
        del found["start_ms"], found["end_ms"]
        found["part"] = f"{positions.said(start)} to {positions.said(end)}"
    return found


def _change(key: str, pair: list[Any], currency: str) -> str:
    if key.endswith("_id"):
        return "changed"
    was, now = (_value(key, one, currency) or "none" for one in pair)
    return f"{was} {ARROW} {now}"


def _title(state: Any) -> str:
    label = money.BADGES.get(str(state))
    return label[1] if label else str(state).capitalize()


def _word(key: str) -> str:
    return _WORDS[key] if key in _WORDS else key.removesuffix("_ms").removesuffix("_id").replace("_", " ")


def _value(key: str, value: Any, currency: str) -> str:
    """In words; empty for what is not set, or is an id."""
    match value:
        case None | False | "" | []:
            return ""
        case True:
            return "yes"
        case list():
            ids = sum(_is_id(one) for one in value)
            return f"{ids}" if ids else ", ".join(_value(key, one, currency) for one in value)
        case int():
            return _number(key, value, currency)
    text = str(value)
    if _is_id(text):
        return ""
    if _DAY.fullmatch(text):
        return formats.day(date.fromisoformat(text))
    if _MONTH.fullmatch(text):
        return f"{date.fromisoformat(text + '-01'):%b %Y}"
    return _UUID.sub("…", text)


def _number(key: str, value: int, currency: str) -> str:
    if key.endswith("_id") or (key == "brought_forward_cents" and not value):
        return ""
    if key.endswith("cents"):
        return money.said(value, currency) if currency else f"{value:,} cents"
    if key.endswith("_bp"):
        return f"{value / 100:g} %"
    if key.endswith("_percent"):
        return f"{value} %"
    return positions.said(value) if key.endswith("_ms") else f"{value:,}"


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None
