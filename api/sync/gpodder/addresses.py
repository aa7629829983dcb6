"""Addresses as podcast apps send them, put into one form. What was changed is told in `update_urls`."""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

MAX_TEXT = 4096
"""Characters of an address or a GUID; signed addresses of large hosts have about 2,000."""

_UNKEEPABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
"""Control characters, breaks of lines, halves of characters and what is none: no store keeps them all, no page can show
them, and some would break a list of ours that is read as OPML or as lines."""
_ALIASES = re.compile(r"(?:feed|itpc|pcast|podcast)://|feed:(?=https?://)", re.IGNORECASE)
"""What directories put before a feed's address so that a podcast app opens it."""

Pairs = list[tuple[str, str]]


def clean_text(value: Any) -> str:
    """The text without the space around it; empty when it is none or cannot be kept."""
    if not isinstance(value, str) or len(value) > MAX_TEXT or _UNKEEPABLE.search(value.strip()):
        return ""
    return value.strip()


def clean_url(value: Any) -> str:
    """An address on the web with scheme and host in lower case and without a fragment; empty for anything else."""
    text = clean_text(value)
    if alias := _ALIASES.match(text):
        rest = text[alias.end() :]
        text = rest if rest.lower().startswith(("http://", "https://")) else f"http://{rest}"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    name, at, host = parts.netloc.rpartition("@")
    return urlunsplit((parts.scheme, f"{name}{at}{host.lower()}", parts.path or "/", parts.query, ""))


def clean_reference(value: Any) -> str:
    """What an episode is called: its address cleaned, or a GUID as it is."""
    return clean_url(value) or clean_text(value)


def clean_all(values: Iterable[Any], clean: Callable[[Any], str]) -> tuple[list[str], Pairs]:
    """Cleaned addresses, each once and in their order, and (old, new) for those that changed; new is empty for what
    is not kept."""
    cleaned: dict[str, None] = {}
    changed: dict[str, str] = {}
    for value in values:
        if not isinstance(value, str):
            continue
        new = clean(value)
        note_change(changed, value, new)
        if new:
            cleaned[new] = None
    return list(cleaned), list(changed.items())


def note_change(changed: dict[str, str], old: str, new: str) -> None:
    """Remember what became of an address, if it can be said at all."""
    if old != new and not _UNKEEPABLE.search(old) and len(old) <= MAX_TEXT:
        changed[old] = new
