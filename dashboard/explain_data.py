"""What the page about single hits asks: of the store which episodes and days there are, of the API the hits."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from dashboard import calls, clock, download_data, formats
from models.periods import Period
from models.queries.downloads import Of

DAYS = 90
"""Episodes are listed by name with what they had in so many days; one that was deleted is listed if it had any."""
PAGE_HITS = 100


def episodes(show_id: int) -> dict[str, Any]:
    """A show's episodes by what the choice calls them, the newest first; each with its small key and its id."""
    today = clock.today()
    period = Period(today - timedelta(days=DAYS), today)
    frame = download_data.episodes(Of(show_id), period.first, period.last)
    rows = frame[frame["published_at"].notna()].sort_values(["published_at", "episode_id"], ascending=False)
    named: dict[str, Any] = {}
    for row in rows.itertuples():
        name = f"{row.title} · {formats.day(row.published_at)}"
        # Streamlit tells choices apart by their text.
        named[name if name not in named else f"{name} ({row.uuid})"] = row
    return named


def hits(uuid: str, day: date, outcome: str | None, page: int) -> calls.Answer:
    """An episode's hits of a UTC day, a page of them; `outcome` None: all."""
    wanted = {"day": str(day), "limit": PAGE_HITS, "offset": page * PAGE_HITS}
    if outcome is not None:
        wanted["outcome"] = outcome
    return calls.ask("GET", f"/v1/episodes/{uuid}/hits/explained?{urlencode(wanted)}")


def pages(hits: int) -> int:
    """How many pages so many hits are."""
    return max(1, -(-hits // PAGE_HITS))
