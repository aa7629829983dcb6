"""A show as RSS 2.0: the same rows always give the same bytes."""

import threading
from datetime import datetime

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator

from api.delivery.extension import EarshotEntryExtension, EarshotExtension, podcast_guid
from api.urls import feed_url, media_url
from models.tables import Episode, Show

CATEGORY_SEPARATOR = " > "

# feedgen formats dates under a process-wide locale that it switches and switches back; two threads at once would leave
# each other's behind.
_one_at_a_time = threading.Lock()


def render(show: Show, episodes: list[Episode], changed_at: datetime, base_url: str) -> bytes:
    """The feed. `episodes` come newest first and have audio; `changed_at` is when anything here last changed."""
    feed = FeedGenerator()
    feed.load_extension("podcast")
    feed.register_extension("earshot", EarshotExtension, EarshotEntryExtension, atom=False)
    _describe(feed, show, changed_at, feed_url(base_url, show.slug))
    for episode in episodes:
        # feedgen puts a new entry before the others unless told otherwise.
        _describe_entry(feed.add_entry(order="append"), episode, base_url)
    with _one_at_a_time:
        return bytes(feed.rss_str(pretty=True))


def _describe(feed: FeedGenerator, show: Show, changed_at: datetime, address: str) -> None:
    feed.title(show.title)
    # The last link added becomes <link>. It has to be a page that is there, and the feed is the only one so far.
    feed.link(href=address, rel="self", type="application/rss+xml")
    feed.link(href=address, rel="alternate")
    feed.description(show.description or show.title)
    feed.language(show.language)
    feed.generator("Earshot")
    feed.lastBuildDate(changed_at)  # feedgen would say now, and no two renderings were alike
    feed.podcast.itunes_author(show.author or show.title)
    feed.podcast.itunes_type("episodic")
    if show.category:
        category, _, subcategory = show.category.partition(CATEGORY_SEPARATOR)
        feed.podcast.itunes_category(category, subcategory or None)
    feed.earshot.describe(guid=podcast_guid(show.uuid), is_explicit=show.is_explicit)


def _describe_entry(entry: FeedEntry, episode: Episode, base_url: str) -> None:
    audio_type = episode.audio_type or "audio/mpeg"
    entry.title(episode.title)
    entry.guid(episode.guid, permalink=False)
    entry.description(episode.description or episode.title)
    entry.published(episode.published_at)
    entry.enclosure(media_url(base_url, episode.uuid, audio_type), str(episode.audio_bytes or 0), audio_type)
    # Whole seconds, rounded up, so that a short recording does not say 0.
    entry.podcast.itunes_duration(-(-(episode.duration_ms or 0) // 1000))
    entry.podcast.itunes_episode_type("full")
