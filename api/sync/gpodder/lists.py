"""Lists of feeds as files: OPML, JSON and plain text."""

import json
import re
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from api.sync.gpodder.uploads import UnreadableError, parse_json

MEDIA_TYPES = {"opml": "text/x-opml", "json": "application/json", "txt": "text/plain"}


def write_list(urls: list[str], form: str, title: str) -> bytes:
    """The file of a list."""
    match form:
        case "opml":
            return _write_opml(urls, title).encode()
        case "json":
            return json.dumps(urls).encode()
        case _:
            return "".join(f"{url}\n" for url in urls).encode()


def parse_list(body: bytes, form: str) -> list[Any]:
    """What a file lists, not looked at yet; raises UnreadableError when it is none of its form."""
    match form:
        case "opml":
            return _parse_opml(body)
        case "json":
            values = parse_json(body)
            if not isinstance(values, list):
                raise UnreadableError("Send a JSON list of addresses.")
            # Some apps send objects with the address in them.
            return [value.get("url") if isinstance(value, dict) else value for value in values]
        case _:
            return [line for line in re.split(r"[\r\n]", body.decode("utf-8-sig", "replace")) if line.strip()]


def _write_opml(urls: list[str], title: str) -> str:
    quoted = [quoteattr(url) for url in urls]
    outlines = [f'    <outline type="rss" text={url} title={url} xmlUrl={url}/>' for url in quoted]
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<opml version="2.0">',
        f"  <head><title>{escape(title)}</title></head>",
        "  <body>",
        *outlines,
        "  </body>",
        "</opml>",
    ]
    return "\n".join(lines) + "\n"


class _WithoutDoctype(ET.TreeBuilder):
    def doctype(self, *_declared: Any) -> None:
        """Where entities would be defined, a few of which can unfold to gigabytes. OPML has no use for it."""
        raise UnreadableError("OPML is taken without a document type. Leave <!DOCTYPE ...> out.")


def _parse_opml(body: bytes) -> list[Any]:
    parser = ET.XMLParser(target=_WithoutDoctype())  # noqa: S314 - see _WithoutDoctype
    try:
        parser.feed(body.strip())
        root: ET.Element = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise UnreadableError(f"The body is not OPML: {error}.") from error
    if root.tag.lower() != "opml":
        raise UnreadableError("The body is not OPML: its outermost element is another.")
    return [outline.get("xmlUrl") for outline in root.iter("outline") if outline.get("xmlUrl")]
