"""Requests to the API that give up only on refusals: whatever is transient is tried again, ever more slowly."""

import asyncio
from random import SystemRandom
from typing import Any

import httpx2

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 20.0
MOST_TRIES = 40
"""With the longest wait between them this is ten minutes: the server is not coming back."""

_jitter = SystemRandom()
"""Not the seeded randomness: how long the network made us wait must not change what is sent."""


class SeedError(Exception):
    """Seeding cannot go on; the message says what to do."""


def open_http(api_url: str, connections: int) -> httpx2.AsyncClient:
    """A client for the API at this address."""
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx2.AsyncClient(base_url=api_url, limits=limits, timeout=httpx2.Timeout(60.0), trust_env=False)


async def send(http: httpx2.AsyncClient, method: str, path: str, *, key: str = "", **arguments: Any) -> httpx2.Response:
    """The answer, whatever its status, unless it is transient (5xx, no connection): then wait and try again.

    Raises SeedError when the server does not come back.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    headers.update(arguments.pop("headers", {}))
    problem = ""
    for attempt in range(MOST_TRIES):
        retry_after = 0.0
        try:
            answer = await http.request(method, path, headers=headers, **arguments)
            if answer.status_code < 500:
                return answer
            problem = f"it answered {answer.status_code}: {answer.text[:200]}"
            retry_after = _retry_after_seconds(answer)
        except httpx2.TransportError as error:
            problem = f"{type(error).__name__} {error}".strip()
        wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**attempt)
        await asyncio.sleep(retry_after + _jitter.uniform(0, wait))
    raise SeedError(f"The API at {http.base_url} did not take {method} {path} ({problem}). Is `earshot serve` running?")


def _retry_after_seconds(answer: httpx2.Response) -> float:
    try:
        return min(LONGEST_WAIT_SECONDS, float(answer.headers.get("retry-after", 0)))
    except ValueError:
        return 0.0


async def ask(http: httpx2.AsyncClient, method: str, path: str, *, key: str = "", **arguments: Any) -> Any:
    """As `send`, for the JSON of a success; a refusal raises SeedError with the server's own words."""
    answer = await send(http, method, path, key=key, **arguments)
    if answer.is_success:
        return answer.json()
    raise SeedError(f"The API refused {method} {path} with {answer.status_code}: {answer.text[:500]}")
