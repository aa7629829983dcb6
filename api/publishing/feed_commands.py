"""`earshot import-feed`: the catalogue of a show that is hosted elsewhere."""

import json
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from sqlalchemy.exc import IntegrityError

from api import outgoing
from api.command_line import open_store
from api.errors import ApiError, ConflictError, InvalidError, NotFoundError
from api.publishing.feed_import import check_owner, import_feed
from api.publishing.feed_import_episodes import Report
from api.publishing.feed_import_reading import Feed, read_address, read_feed

MAX_FEED_BYTES = 20_000_000
FETCH_SECONDS = 120.0
MAX_TRIES = 3
MAX_NAMES = 10
"""Of episodes, in one warning to people; JSON has them all."""
GZIP_MAGIC = b"\x1f\x8b"
WARNINGS = {
    "without_length": "have no usable length in their enclosure. How much of such a file was sent cannot be judged, so "
    "none of its downloads counts: all are kept as `short`. Have the host put the file's size in bytes into "
    '<enclosure length="...">, and import the feed again before any log',
    "without_duration": "have no itunes:duration. Where the first minute ends cannot be told, so only a whole file is "
    "a download. Have the host add it, and import the feed again before any log",
    "without_date": "have no usable date, so nothing can be said by their age",
}


def import_one(*, source: str, owner: str, feed_url: str, is_private_allowed: bool, as_json: bool) -> None:
    """Read a feed, put it into the catalogue, and say what came of it."""
    with open_store() as session:
        check_owner(session, owner)
    try:
        address = _web_address(feed_url or (source if _is_address(source) else ""))
        feed = read_feed(_read(source, is_private_allowed=is_private_allowed), address)
    except ApiError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(1) from error
    found = _import(feed, owner, address)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        _print(Console(highlight=False, markup=False, soft_wrap=True), found)


def _is_address(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def _web_address(said: str) -> str:
    address = read_address(said)
    if said and not address:
        raise InvalidError(f"{said[:200]!r} is no address on the web. Give one with http:// or https://.")
    return address


def _read(source: str, *, is_private_allowed: bool) -> bytes:
    if _is_address(source):
        judge = outgoing.anywhere if is_private_allowed else outgoing.is_public
        return _fetch(source, judge)
    try:
        with Path(source).open("rb") as file:
            document = file.read(MAX_FEED_BYTES + 1)
    except OSError as error:
        raise NotFoundError(f"{source} cannot be read: {error.strerror}. Give a file, or an http address.") from error
    if len(document) > MAX_FEED_BYTES:
        raise InvalidError(f"{source} has more than {MAX_FEED_BYTES:,} bytes; feeds have fewer.")
    return outgoing.unpack_gzip(document, MAX_FEED_BYTES) if document.startswith(GZIP_MAGIC) else document


def _fetch(source: str, judge: outgoing.Judge) -> bytes:
    try:
        return outgoing.fetch_blocking(source, outgoing.Bounds(MAX_FEED_BYTES, FETCH_SECONDS), is_allowed=judge).body
    except outgoing.PrivateAddressError as error:
        raise ConflictError(f"{error.message} If that is meant, add --allow-private.") from error


def _import(feed: Feed, owner: str, address: str) -> dict[str, Any]:
    for _ in range(MAX_TRIES):
        try:
            with open_store() as session:
                report = import_feed(session, feed, owner_email=owner, address=address)
                session.flush()
                return _describe(report)
        except IntegrityError:
            # Another import took a GUID, an address or a slug in between; what it made is there now.
            continue
    typer.echo("Other imports kept changing the same episodes. Run it again when they are done.", err=True)
    raise typer.Exit(1)


def _describe(report: Report) -> dict[str, Any]:
    show = report.show
    return {
        "show": {"id": str(show.uuid), "slug": show.slug, "title": show.title, "feed_url": show.feed_url},
        "is_new": report.is_new,
        "new": report.new,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "not_in_feed": report.missing,
        "unusable": [{"title": item.title, "reason": item.reason} for item in report.unusable],
        "without_length": report.without_length,
        "without_duration": report.without_duration,
        "without_date": report.without_date,
        "damage": report.damage,
    }


def _print(console: Console, found: dict[str, Any]) -> None:
    show = found["show"]
    console.print(f"{'New show' if found['is_new'] else 'Show'}: {show['title']} ({show['slug']}), {show['feed_url']}")
    counts = f"{found['new']} new, {found['updated']} updated, {found['unchanged']} unchanged"
    gone = f"; {found['not_in_feed']} that the feed does not list any more stay" if found["not_in_feed"] else ""
    console.print(f"Episodes: {counts}{gone}.")
    if found["damage"]:
        console.print(f"The feed is damaged, and was read up to there: {found['damage']}")
    for item in found["unusable"]:
        console.print(f"Left out: {item['title']}: {item['reason']}.")
    for key, meaning in WARNINGS.items():
        _warn(console, found[key], meaning)


def _warn(console: Console, titles: list[str], meaning: str) -> None:
    if titles:
        more = f" and {len(titles) - MAX_NAMES} more" if len(titles) > MAX_NAMES else ""
        console.print(f"Warning: {len(titles)} episodes {meaning}: {'; '.join(titles[:MAX_NAMES])}{more}.")
