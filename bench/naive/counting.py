"""Counts one event at a time, through the ORM, in the request's own transaction."""

import json
from datetime import UTC, datetime

from sqlmodel import Session, select

from bench.naive.tables import DailyStats, Event, Playback

LISTEN_SECONDS = 30


def count_event(session: Session, event: Event) -> None:
    """Add an event to its playback, and what that changes to the day's numbers."""
    day = datetime.fromtimestamp(event.at_ms / 1000, UTC).date()
    playback = session.exec(
        select(Playback).where(
            Playback.device_id == event.device_id, Playback.episode == event.episode, Playback.day == day
        )
    ).first()
    if playback is None:
        playback = Playback(device_id=event.device_id, episode=event.episode, day=day)
    stats = session.exec(select(DailyStats).where(DailyStats.episode == event.episode, DailyStats.day == day)).first()
    if stats is None:
        stats = DailyStats(episode=event.episode, day=day)

    heard = set(json.loads(playback.seconds))
    heard_before = len(heard)
    heard.update(range(event.from_ms // 1000, event.to_ms // 1000))
    playback.seconds = json.dumps(sorted(heard))
    stats.heard_seconds += len(heard) - heard_before
    if not playback.is_start and event.kind != "download":
        playback.is_start = True
        stats.starts += 1
    if not playback.is_listen and len(heard) >= LISTEN_SECONDS:
        playback.is_listen = True
        stats.listens += 1
    session.add(playback)
    session.add(stats)
