"""Text from people, made safe for feeds: titles are plain text, notes are a small HTML."""

import re

import nh3

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold even when escaped."""

INLINE_TAGS = {"a", "b", "br", "code", "em", "i", "strong", "u"}
BLOCK_TAGS = {"blockquote", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "ul"}
"""What podcast apps draw in show notes."""
NOTES_SCHEMES = {"http", "https", "mailto"}


def one_line(text: str) -> str:
    """Plain text on one line, without characters that XML cannot hold."""
    return " ".join(_NOT_XML.sub("", text).split())


def notes(html: str) -> str:
    """Show notes with only harmless HTML left."""
    cleaned = nh3.clean(
        html, tags=INLINE_TAGS | BLOCK_TAGS, attributes={"a": {"href", "title"}}, url_schemes=NOTES_SCHEMES
    )
    # Last, because an entity such as &#1; becomes the character itself when cleaned.
    return _NOT_XML.sub("", cleaned).strip()
