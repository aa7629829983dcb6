"""Rollups of downloads as the worker would have written them."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from sqlmodel import Session

from models.downloads import (
    DOWNLOAD,
    DownloadConsumers,
    DownloadHour,
    DownloadSplit,
    HitOutcome,
    ShowDownloadSplit,
    ShowHitOutcome,
)
from models.sketches import EMPTY, add_to_sketch
from models.tables import Episode

FILE_BYTES = 9_600_000


class Download(NamedTuple):
    """One download."""

    at: datetime
    app: str = "Overcast"
    device: str = "phone"
    country: str = "DE"


def put_downloads(session: Session, episode: Episode, downloads: Iterable[Download]) -> None:
    """Everything the store keeps of these, but for their consumers. Once for an episode."""
    listed = list(downloads)
    hours = Counter(int(download.at.timestamp()) // 3600 for download in listed)
    days = Counter(download.at.date() for download in listed)
    splits = Counter(
        (download.at.date(), kind, getattr(download, kind))
        for download in listed
        for kind in ("app", "device", "country")
    )
    session.add_all(DownloadHour(episode_id=episode.id, hour=hour, downloads=count) for hour, count in hours.items())
    for day, count in days.items():
        put_hits(session, episode, day, DOWNLOAD, count)
    session.add_all(
        DownloadSplit(episode_id=episode.id, day=day, kind=kind, value=value, downloads=count)
        for (day, kind, value), count in splits.items()
    )
    for (day, kind, value), count in splits.items():
        key = {"show_id": episode.show_id, "kind": kind, "day": day, "value": value}
        found = session.get(ShowDownloadSplit, key) or ShowDownloadSplit(**key, downloads=0)
        found.downloads += count
        session.add(found)
    session.commit()


def put_hits(session: Session, episode: Episode, day: date, outcome: str, hits: int) -> None:
    """So many hits of a day that came to this."""
    sent = hits * FILE_BYTES if outcome == DOWNLOAD else hits * 1_000
    session.add(HitOutcome(episode_id=episode.id, day=day, outcome=outcome, hits=hits, sent_bytes=sent))
    key = {"show_id": episode.show_id, "day": day, "outcome": outcome}
    found = session.get(ShowHitOutcome, key) or ShowHitOutcome(**key, hits=0, sent_bytes=0)
    found.hits += hits
    found.sent_bytes += sent
    session.add(found)
    session.commit()


def put_consumers(
    session: Session,
    show_id: int,
    day: date,
    numbers: Iterable[int],
    *,
    earlier: Iterable[int] = (),
    episode_id: int = 0,
) -> None:
    """The consumers of a show's day, or of one of its episodes; `earlier`: their numbers under the key before."""
    session.add(
        DownloadConsumers(
            show_id=show_id,
            day=day,
            episode_id=episode_id,
            consumers=add_to_sketch(EMPTY, numbers),
            earlier=add_to_sketch(EMPTY, earlier),
        )
    )
    session.commit()
