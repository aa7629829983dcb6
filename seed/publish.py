"""Puts the demo catalogue on the server, as a creator would: shows, episodes, audio, publication."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx2

from seed.calls import SeedError, ask, send
from seed.catalogue import Episode, Show, audio_of

UPLOADS_AT_ONCE = 4


async def list_shows(http: httpx2.AsyncClient, key: str) -> list[dict[str, Any]]:
    """The creator's shows on the server."""
    shows: list[dict[str, Any]] = (await ask(http, "GET", "/v1/shows", key=key))["items"]
    return shows


async def publish_show(
    http: httpx2.AsyncClient, key: str, show: Show, on_episode: Callable[[], None]
) -> tuple[dict[str, Any], Show]:
    """Create a show with all its episodes; the server's answer, and the show with the server's ids."""
    created = await _create_show(http, key, show)
    gate = asyncio.Semaphore(UPLOADS_AT_ONCE)

    async def publish(episode: Episode) -> Episode:
        async with gate:
            published = await _publish_episode(http, key, created["id"], show, episode)
        on_episode()
        return published

    episodes = await asyncio.gather(*(publish(episode) for episode in show.episodes))
    return created, Show(show.text, tuple(episodes))


async def _create_show(http: httpx2.AsyncClient, key: str, show: Show) -> dict[str, Any]:
    text = show.text
    body = {
        "title": text.title,
        "author": text.title,
        "description": text.description,
        "language": "en",
        "category": text.category,
    }
    for slug in (text.slug, *(f"{text.slug}-{number}" for number in range(2, 100))):
        answer = await send(http, "POST", "/v1/shows", key=key, json={**body, "slug": slug})
        if answer.is_success:
            created: dict[str, Any] = answer.json()
            return created
        if answer.status_code != 409:  # 409: an earlier set has this address
            raise SeedError(f"The API refused the show {slug!r} with {answer.status_code}: {answer.text[:500]}")
    raise SeedError(f"A hundred shows are called {text.slug!r} already. Delete EARSHOT_HOME to start afresh.")


async def _publish_episode(http: httpx2.AsyncClient, key: str, show_id: str, show: Show, episode: Episode) -> Episode:
    path = f"/v1/shows/{show_id}/episodes"
    body = {"title": episode.title, "description": episode.notes}
    created = await ask(http, "POST", path, key=key, json=body)
    path = f"/v1/episodes/{created['id']}"
    headers = {"Content-Type": "audio/mpeg"}
    audio = await ask(http, "PUT", f"{path}/audio", key=key, content=audio_of(show, episode), headers=headers)
    _check_duration(episode, audio["duration_ms"])
    published_at = datetime.fromtimestamp(episode.published_ms / 1000, UTC).isoformat()
    await ask(http, "POST", f"{path}/publish", key=key, json={"published_at": published_at})
    return replace(episode, id=created["id"])


def _check_duration(episode: Episode, found_ms: int) -> None:
    """Listens are counted in whole seconds of the recording, so the server must find the same ones."""
    if found_ms // 1000 != episode.duration_ms // 1000:
        raise SeedError(f"{episode.title!r} lasts {episode.duration_ms} ms, but the API found {found_ms} ms.")


def shows_json(published: Sequence[tuple[dict[str, Any], Show]]) -> list[dict[str, Any]]:
    """Which id on the server is which show and episode."""
    return [
        {
            "id": created["id"],
            "slug": created["slug"],
            "title": show.text.title,
            "episodes": [{"id": e.id, "name": e.name, "title": e.title} for e in show.episodes],
        }
        for created, show in published
    ]
