"""Conditional requests: whether what the client has is still good. RFC 9110, section 13."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum


class Verdict(Enum):
    """What the conditions of a GET or HEAD ask for."""

    SEND = 200
    NOT_MODIFIED = 304
    FAILED = 412


def try_parse_date(text: str) -> datetime | None:
    """An HTTP date as an aware instant, or None."""
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def verdict(headers: Mapping[str, str], etag: str, last_modified: datetime) -> Verdict:
    """Weigh the conditions in the order of RFC 9110, 13.2.2. `last_modified` has whole seconds."""
    if_match, if_unmodified = headers.get("if-match"), headers.get("if-unmodified-since")
    if if_match is not None:
        if not _lists(if_match, etag, is_weak=False):
            return Verdict.FAILED
    elif if_unmodified is not None and not _is_unchanged_since(if_unmodified, last_modified, unparsed=True):
        return Verdict.FAILED
    if_none_match, if_modified = headers.get("if-none-match"), headers.get("if-modified-since")
    if if_none_match is not None:
        return Verdict.NOT_MODIFIED if _lists(if_none_match, etag, is_weak=True) else Verdict.SEND
    if if_modified is not None and _is_unchanged_since(if_modified, last_modified, unparsed=False):
        return Verdict.NOT_MODIFIED
    return Verdict.SEND


def may_continue(if_range: str | None, etag: str, last_modified: datetime) -> bool:
    """Whether a range may be sent: If-Range names exactly this version, or is absent. A weak tag never does."""
    if if_range is None:
        return True
    text = if_range.strip()
    if text.startswith(('"', "W/")):
        return text == etag
    return try_parse_date(text) == last_modified


def _lists(header: str, etag: str, *, is_weak: bool) -> bool:
    # Our tags have no commas, so cutting at commas cannot miss one of them.
    tags = [tag.strip() for tag in header.split(",")]
    if is_weak:
        tags = [tag.removeprefix("W/") for tag in tags]
    return "*" in tags or etag in tags


def _is_unchanged_since(header: str, last_modified: datetime, *, unparsed: bool) -> bool:
    since = try_parse_date(header)
    return unparsed if since is None else last_modified <= since
