"""Feeds that tests are made of."""

from xml.sax.saxutils import escape, quoteattr

FEED_URL = "https://pods.example.com/feed.xml"


def item(number: int = 1, **changes: str | None) -> str:
    """An episode; what is None is left out."""
    fields: dict[str, str | None] = {
        "guid": f"guid-{number}",
        "title": f"Part {number}",
        "date": f"Thu, {number:02d} Oct 2026 05:00:00 +0200",
        "url": f"https://pods.example.com/{number}.mp3",
        "length": f"{number}000000",
        "kind": "audio/mpeg",
        "duration": "1:00",
        "notes": "What happens.",
        **changes,
    }
    enclosure = {"url": fields["url"], "length": fields["length"], "type": fields["kind"]}
    attributes = " ".join(f"{name}={quoteattr(value)}" for name, value in enclosure.items() if value is not None)
    elements = {
        "guid": fields["guid"],
        "title": fields["title"],
        "pubDate": fields["date"],
        "itunes:duration": fields["duration"],
        "description": fields["notes"],
    }
    texts = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in elements.items() if text is not None)
    return f"<item>{texts}{f'<enclosure {attributes}/>' if fields['url'] is not None else ''}</item>"


def feed(*items: str, title: str = "The Long Way", self_url: str = FEED_URL, more: str = "") -> bytes:
    """A feed with these items, and `more` in its head."""
    link = f'<atom:link rel="self" href={quoteattr(self_url)}/>' if self_url else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
  xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom"><channel>
<title>{escape(title)}</title>{link}{more}{"".join(items)}</channel></rss>""".encode()
