"""What feedgen's own extensions lack: Podcasting 2.0, and `itunes:explicit` as Apple asks for it since 2019."""

from typing import Any
from uuid import UUID, uuid5

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.util import xml_elem

PODCAST = "https://podcastindex.org/namespace/1.0"
ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
GUID_NAMESPACE = UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
"""The UUID namespace of `podcast:guid`."""


def podcast_guid(show: UUID) -> str:
    """A show's global identifier.

    The specification derives it from the feed's first address and then keeps it for ever. Ours comes from the show's
    id instead: it must survive a move to another domain, and "127.0.0.1:8000/feeds/news.xml" is in many places.
    """
    return str(uuid5(GUID_NAMESPACE, str(show)))


class EarshotExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """Channel tags; registered as `earshot`."""

    def __init__(self) -> None:
        self._guid = ""
        self._is_explicit = False

    def describe(self, *, guid: str, is_explicit: bool) -> None:
        """Set the tags."""
        self._guid, self._is_explicit = guid, is_explicit

    def extend_ns(self) -> dict[str, str]:
        """The namespace that the tags are in."""
        return {"podcast": PODCAST}

    def extend_rss(self, feed: Any) -> Any:
        """Add the tags to the channel."""
        channel = feed[0]
        xml_elem(f"{{{PODCAST}}}guid", channel).text = self._guid
        xml_elem(f"{{{ITUNES}}}explicit", channel).text = str(self._is_explicit).lower()
        return feed


class EarshotEntryExtension(BaseEntryExtension):  # type: ignore[misc]
    """Nothing for items; feedgen asks for a class."""
