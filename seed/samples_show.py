"""A show that is hosted elsewhere, as its feed tells it. All invented: no such bureau exists, and no such umbrella."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random
from xml.sax.saxutils import escape, quoteattr

TITLE = "The Bureau of Lost Umbrellas"
DESCRIPTION = (
    "Every umbrella that was ever left on a train ends up in one office. Twice a week its only clerk opens a drawer, "
    "unfolds what is in it, and reads out the label."
)
SITE = "https://umbrellas.example"
FEED_URL = f"{SITE}/feed.xml"
FOLDER = "/bureau"
"""Where the host keeps the audio."""
FIRST_RELEASE = datetime(2026, 10, 13, 5, 0, tzinfo=UTC)
END = datetime(2026, 11, 22, tzinfo=UTC)
"""The log ends just before."""
BYTES_PER_SECOND = 16_000
"""128 kbit/s."""
COVER_BYTES = 48_000
"""The picture in front of the audio of each file."""

_EPISODES = (
    ("Drawer One: Black, Plain, Gentleman's", "Two thousand of them, and each owner is sure to know his own."),
    ("The Parasol That Came by Sea", "It has been opened once, in the wrong hemisphere."),
    ("A Handle in the Shape of a Heron", "The label says: do not lend to herons."),
    ("Children's, Small, With Frogs", "All left on the same Tuesday, on the same tram, facing the window."),
    ("What the Night Inspector Collects", "Only the left halves. He will not say where the right ones go."),
    ("Claimed, Unclaimed, Reclaimed", "A widow, a dentist and a brass band want the same umbrella back."),
    ("The Umbrella That Was Two", "It took the clerk eleven years to notice the seam."),
    ("Rain Expected From the Inside", "A drawer that has to be emptied with a bucket."),
    ("A Letter to Platform Nine", "The owner writes. The umbrella, through the clerk, replies."),
    ("Inventory Day", "Nobody leaves until the numbers agree. They have never agreed."),
    ("The Tent Question", "At what size does it stop being an umbrella? The bureau holds a hearing."),
    ("Returned With Thanks", "One comes back that was never lost, in better repair than any."),
)


@dataclass(frozen=True, slots=True)
class SampleEpisode:
    """An episode and its file."""

    number: int
    title: str
    notes: str
    published_at: datetime
    duration_seconds: int
    file_bytes: int

    @property
    def path(self) -> str:
        """Of the audio, at its host."""
        words = "".join(letter if letter.isalnum() else " " for letter in self.title.lower().replace("'", "")).split()
        return f"{FOLDER}/{self.number:02d}-{'-'.join(words)}.mp3"


def make_episodes() -> list[SampleEpisode]:
    """The same each time, oldest first: on Tuesdays and Fridays."""
    random = Random("umbrellas/episodes")
    episodes = []
    for place, (title, notes) in enumerate(_EPISODES):
        week, is_friday = divmod(place, 2)
        duration = random.randrange(11 * 60, 24 * 60)
        size = duration * BYTES_PER_SECOND + COVER_BYTES
        published_at = FIRST_RELEASE + timedelta(weeks=week, days=3 * is_friday)
        episodes.append(SampleEpisode(place + 1, title, notes, published_at, duration, size))
    return episodes


def make_feed(episodes: list[SampleEpisode]) -> str:
    """RSS 2.0, newest first. Durations come in all the forms that feeds have."""
    items = "\n".join(_item(episode) for episode in reversed(episodes))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">
  <channel>
    <title>{escape(TITLE)}</title>
    <link>{SITE}/</link>
    <atom:link href="{FEED_URL}" rel="self" type="application/rss+xml"/>
    <description>{escape(DESCRIPTION)}</description>
    <language>en</language>
    <itunes:author>The Clerk</itunes:author>
    <itunes:category text="Fiction">
      <itunes:category text="Comedy Fiction"/>
    </itunes:category>
    <itunes:explicit>false</itunes:explicit>
{items}
  </channel>
</rss>
"""


def _item(episode: SampleEpisode) -> str:
    minutes, seconds = divmod(episode.duration_seconds, 60)
    forms = (
        f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}",
        f"{minutes}:{seconds:02d}",
        f"{minutes * 60 + seconds}",
    )
    return f"""    <item>
      <title>{escape(episode.title)}</title>
      <guid isPermaLink="false">umbrella-{episode.number:04d}</guid>
      <pubDate>{format_datetime(episode.published_at)}</pubDate>
      <description>{escape(episode.notes)}</description>
      <itunes:duration>{forms[episode.number % 3]}</itunes:duration>
      <enclosure url={quoteattr(SITE + episode.path)} length="{episode.file_bytes}" type="audio/mpeg"/>
    </item>"""
