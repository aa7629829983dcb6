"""What a podcast's RSS feed says, as values: plain text, harmless HTML, addresses on the web, or nothing."""

import re
from calendar import timegm
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import Any, cast
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree.ElementTree import ParseError, XMLPullParser

import feedparser

from api.errors import InvalidError
from api.publishing import text
from api.publishing.categories import SEPARATOR, parse_category
from models.episode_references import normal_url

MAX_ITEMS = 50_000
MAX_TITLE = 255
MAX_SHOW_NOTES = 4000
MAX_NOTES = 20_000
MAX_URL = 2048
MAX_GUID_BYTES = 1000
"""Longer ones are kept as their hash: an index takes no more than 2,700 bytes."""
MIN_AUDIO_BYTES = 1024
MIN_BYTES_PER_SECOND = 125
"""1 kbit/s. No codec goes below; some feeds have the duration, or a 1, where the length should be."""
MAX_AUDIO_BYTES = 1 << 40
MAX_DURATION_MS = 10 * 86_400_000
NO_AUDIO_TYPES = ("image/", "text/", "application/pdf", "application/epub")

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")
_CLOCK = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,4}):)?(\d{1,7})(?:[.,]\d+)?", re.ASCII)
_HALF_CHARACTER = re.compile(
    rb"&#(?:5529[6-9]|55[3-9]\d\d|56\d{3}|57[0-2]\d\d|573[0-3]\d|5734[0-3]|[xX][dD][89a-fA-F]..);"
)
"""References to surrogates: no XML may have them, some have, and feedparser gives the whole feed up for one."""
_ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"


class NoFeedError(InvalidError):
    """There is no podcast feed in this document."""

    code = "no_feed"


@dataclass(frozen=True, slots=True)
class Item:
    """An episode as its feed tells it."""

    guid: str
    title: str
    description: str
    published_at: datetime | None
    url: str
    """Of the audio."""
    audio_bytes: int
    """0 when the feed does not say, or cannot be right."""
    audio_type: str
    duration_ms: int | None


@dataclass(frozen=True, slots=True)
class Unusable:
    """An item that is no episode, and why."""

    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A show as its feed tells it."""

    title: str
    description: str
    language: str
    author: str
    category: str
    is_explicit: bool
    self_url: str
    """Where it says that it is; empty when it does not."""
    site_url: str
    items: list[Item]
    """As in the feed, newest first as a rule."""
    unusable: list[Unusable] = field(default_factory=list)
    damage: str = ""
    """Why what comes behind some place could not be read."""


def read_feed(document: bytes, address: str = "") -> Feed:
    """The feed in these bytes; `address` is what its relative links go by. Raises NoFeedError."""
    parsed = _parse(document)
    if not parsed.get("version") or not (parsed.feed.get("title") or parsed.entries):
        raise NoFeedError("This is no podcast feed. Give the address or the file of an RSS feed.")
    if len(parsed.entries) > MAX_ITEMS:
        raise NoFeedError(f"The feed has more than {MAX_ITEMS:,} items; that many are not imported.")
    items, unusable = _items(parsed.entries, address)
    head, said = parsed.feed, _itunes_texts(document)
    damage = str(parsed.get("bozo_exception", "")) if _is_broken(parsed) else ""
    return Feed(
        title=_title(head) or urlsplit(address).hostname or "Untitled",
        description=_clean(head.get("subtitle") or head.get("summary"), MAX_SHOW_NOTES),
        language=_language(head),
        author=text.one_line(said.get("author") or str(head.get("author", "")))[:MAX_TITLE],
        category=_category(head),
        is_explicit=said.get("explicit", "").lower() in {"true", "yes", "explicit"},
        self_url=read_address(_link(head, "self"), address),
        site_url=read_address(_link(head, "alternate"), address),
        items=items,
        unusable=unusable,
        damage=damage,
    )


def _parse(document: bytes) -> Any:
    try:
        # A stream, because feedparser takes a text for a file's name or an address first.
        stream = BytesIO(_HALF_CHARACTER.sub(b"", document))
        return feedparser.parse(stream, sanitize_html=False, resolve_relative_uris=False)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        # It forgives much of what is malformed, and fails at the rest in many ways.
        raise NoFeedError(f"The feed is too damaged to be read: {error}") from error


def _is_broken(parsed: Any) -> bool:
    # Of the other complaints none costs an item: another encoding than declared, another media type than XML's.
    return bool(parsed.bozo) and "SAX" in type(parsed.bozo_exception).__name__


# -- the show --------------------------------------------------------------------------------------------------------


def _title(entry: Any) -> str:
    return text.one_line(str(entry.get("title", "")))[:MAX_TITLE].strip()


def _clean(html: Any, most: int) -> str:
    # Half a character, which only a malformed feed can have, is nothing that HTML could be parsed from.
    return text.notes(str(html or "")[:most].encode(errors="ignore").decode())


def _language(head: Any) -> str:
    said = str(head.get("language", "")).strip().replace("_", "-")
    return said if _LANGUAGE.fullmatch(said) else "en"


def _category(head: Any) -> str:
    """The first one that directories know. A subcategory follows its category in the list, without saying so."""
    names = [text.one_line(str(tag.get("term") or "")) for tag in head.get("tags", [])]
    for name, below in zip(names, [*names[1:], ""], strict=False):
        for said in (f"{name}{SEPARATOR}{below}", name):
            with suppress(ValueError):
                return parse_category(said)
    return ""


def _link(head: Any, relation: str) -> str:
    return next((str(link.get("href", "")) for link in head.get("links", []) if link.get("rel") == relation), "")


def _itunes_texts(document: bytes) -> dict[str, str]:
    """The channel's own author and explicit mark, which feedparser overwrites with the owner's name, and does not know.

    Only what stands before the first item is read.
    """
    reader: XMLPullParser[Any] = XMLPullParser(["end"])
    found: dict[str, str] = {}
    with suppress(ParseError, LookupError, ValueError):
        reader.feed(document[: document.find(b"<item")])
        for _, element in cast("Iterator[tuple[str, Any]]", reader.read_events()):
            name = element.tag.lower().removeprefix(_ITUNES)
            if name in {"author", "explicit"} and element.text:
                found.setdefault(name, element.text.strip())
    return found


# -- its episodes ----------------------------------------------------------------------------------------------------


def _items(entries: list[Any], address: str) -> tuple[list[Item], list[Unusable]]:
    items: dict[str, Item] = {}
    unusable: list[Unusable] = []
    urls: set[str] = set()
    for entry in entries:
        item = _item(entry, address)
        if isinstance(item, Unusable):
            unusable.append(item)
        elif item.guid in items:
            unusable.append(Unusable(item.title, f"its GUID is that of {items[item.guid].title!r}, too"))
        elif (normal := normal_url(item.url) or item.url) in urls:
            unusable.append(Unusable(item.title, f"another item has its audio, too: {item.url}"))
        else:
            items[item.guid] = item
            urls.add(normal)
    return list(items.values()), unusable


def _item(entry: Any, address: str) -> Item | Unusable:
    title = _title(entry)
    enclosure = next(_enclosures(entry), None)
    if enclosure is None:
        return Unusable(title or "(without a title)", "it has no enclosure with audio")
    url = read_address(str(enclosure.get("href", "")), address)
    if not url:
        return Unusable(title or "(without a title)", "its enclosure has no address on the web")
    duration_ms = parse_duration_ms(str(entry.get("itunes_duration", "")))
    return Item(
        guid=_guid(entry, url),
        title=title or unquote(urlsplit(url).path.rsplit("/", 1)[-1])[:MAX_TITLE] or url[:MAX_TITLE],
        description=_clean(_notes(entry), MAX_NOTES),
        published_at=_instant(entry.get("published_parsed")),
        url=url,
        audio_bytes=parse_length(str(enclosure.get("length", "")), duration_ms),
        audio_type=text.one_line(str(enclosure.get("type", ""))).lower()[:MAX_TITLE],
        duration_ms=duration_ms,
    )


def _enclosures(entry: Any) -> Iterator[Any]:
    """What may be audio; what says so first."""
    found = [link for link in entry.get("links", []) if link.get("rel") == "enclosure"]
    kinds = [str(link.get("type", "")).lower() for link in found]
    yield from (link for link, kind in zip(found, kinds, strict=True) if kind.startswith("audio/"))
    yield from (link for link, kind in zip(found, kinds, strict=True) if not kind.startswith(NO_AUDIO_TYPES))


def _guid(entry: Any, url: str) -> str:
    """What apps know the episode by; without a GUID that is the address of the audio."""
    guid = text.one_line(str(entry.get("id", ""))) or url
    is_long = len(guid.encode("utf-8", "replace")) > MAX_GUID_BYTES
    return f"sha256:{sha256(guid.encode('utf-8', 'replace')).hexdigest()}" if is_long else guid


def _notes(entry: Any) -> str:
    longer = next((str(part.get("value", "")) for part in entry.get("content", [])), "")
    return longer or str(entry.get("summary", ""))


def _instant(parsed: Any) -> datetime | None:
    """feedparser gives UTC."""
    try:
        instant = datetime.fromtimestamp(timegm(parsed), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return instant if 1970 <= instant.year <= 2200 else None


def parse_duration_ms(said: str) -> int | None:
    """Seconds, mm:ss or hh:mm:ss; None for anything else, and for nothing."""
    match = _CLOCK.fullmatch(said.strip())
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    duration_ms = ((hours * 60 + minutes) * 60 + seconds) * 1000
    return duration_ms if 0 < duration_ms <= MAX_DURATION_MS else None


def parse_length(said: str, duration_ms: int | None) -> int:
    """The file's size; 0 for what cannot be one."""
    digits = said.strip()
    length = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else 0
    least = max(MIN_AUDIO_BYTES, (duration_ms or 0) * MIN_BYTES_PER_SECOND // 1000)
    return length if least <= length <= MAX_AUDIO_BYTES else 0


def read_address(said: str, address: str = "") -> str:
    """An absolute address on the web without name and password; empty for anything else."""
    try:
        url = urljoin(address, said.strip())
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    is_good = parts.scheme in {"http", "https"} and url.isprintable() and len(url) <= MAX_URL and normal_url(url)
    return parts._replace(netloc=host).geturl() if is_good else ""
