"""A show made for the suite on a server that has Earshot's publishing API, and the numbers it gives."""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from conformance.outcomes import Failed, Skipped, expect
from conformance.server import Server, UnreachableError

FRAME = bytes.fromhex("fff318c0") + bytes(32)
"""A frame of MPEG-2 layer III, 8 kbit/s, 16 kHz, mono, that holds silence."""
FRAME_MS = 36
COUNTS = ("starts", "listens", "offline_listens", "completions", "heard_seconds")
POLL_SECONDS = 0.2
SETTLE_SECONDS = 5.0
"""A server may show its numbers a little after the receipts are done."""
MORE_DAYS = timedelta(days=1000)
"""Before today: further back than any vector reaches."""


@cache
def silent_mp3(duration_ms: int) -> bytes:
    """A file of this length, rounded up to whole frames."""
    return FRAME * -(-duration_ms // FRAME_MS)


def check_key(server: Server, api_key: str) -> None:
    """Raises UnreachableError when the server refuses the key, rather than have twenty lines say so."""
    answer = server.ask("GET", "/v1/shows", token=api_key)
    if answer.status in {401, 403}:
        raise UnreachableError(f"The API key is refused: GET /v1/shows gave {answer}. Give a creator's key.")
    server.answers.clear()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The show."""

    server: Server
    api_key: str
    show_id: str

    @classmethod
    def make(cls, server: Server, api_key: str) -> "Catalogue":
        """Make the show. Raises Skipped without a key, or where there is no publishing API."""
        if not api_key:
            raise Skipped("needs --api-key, a creator's, on a server with the publishing API")
        body = {"title": "Conformance", "slug": f"conformance-{secrets.token_hex(8)}"}
        answer = server.ask("GET", "/v1/shows", token=api_key)
        if answer.status in {404, 405, 501}:
            raise Skipped(f"the server has no publishing API: GET /v1/shows gave {answer.status}")
        show = server.send_json("POST", "/v1/shows", api_key, body, 201)
        return cls(server, api_key, _text(show, "id"))

    def add_episode(self, duration_ms: int, published_ms: int) -> str:
        """The id of a new episode, published then, with audio of this length."""
        body = {"title": "Silence"}
        episode = self.server.send_json("POST", f"/v1/shows/{self.show_id}/episodes", self.api_key, body, 201)
        episode_id = _text(episode, "id")
        headers = {"Content-Type": "audio/mpeg"}
        path = f"/v1/episodes/{episode_id}"
        answer = self.server.ask(
            "PUT", f"{path}/audio", token=self.api_key, content=silent_mp3(duration_ms), headers=headers
        )
        expect(answer.status == 200, f"the recording was answered with {answer}")
        published_at = datetime.fromtimestamp(published_ms / 1000, UTC).isoformat()
        self.server.send_json("POST", f"{path}/publish", self.api_key, {"published_at": published_at}, 200)
        return episode_id

    def expect_counts(self, episode_id: str, counts: dict[str, int]) -> None:
        """Fail unless the episode soon has these counts, all days together."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while (found := self._counts(episode_id)) != counts:
            if time.monotonic() > deadline:
                wrong = [
                    f"{name} {found[name]} instead of {counts[name]}" for name in COUNTS if found[name] != counts[name]
                ]
                raise Failed(", ".join(wrong))
            time.sleep(POLL_SECONDS)

    def _counts(self, episode_id: str) -> dict[str, int]:
        today = datetime.now(UTC).date()
        query = f"from={today - MORE_DAYS}&to={today + timedelta(days=1)}&by=episode"
        stats = self.server.get_json(f"/v1/shows/{self.show_id}/stats?{query}", self.api_key)
        try:
            rows: list[dict[str, Any]] = stats["rows"]
            row = next((row for row in rows if row["episode_id"] == episode_id), dict.fromkeys(COUNTS, 0))
            return {name: int(row[name]) for name in COUNTS}
        except (KeyError, TypeError, ValueError) as error:
            raise Failed(f"the numbers of the show cannot be read: {stats}") from error

    def take_away(self) -> None:
        """Delete the show; what was counted of it stays counted."""
        self.server.ask("DELETE", f"/v1/shows/{self.show_id}", token=self.api_key)


def _text(body: Any, name: str) -> str:
    expect(isinstance(body, dict) and isinstance(body.get(name), str), f"no {name!r} in {body}")
    return str(body[name])
