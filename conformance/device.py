"""A device as the suite plays it: registers, sends bodies, asks what became of them."""

import json
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from conformance.chain import GENESIS, ids_of
from conformance.outcomes import Failed, expect
from conformance.server import Answer, Server

UNKNOWN_EPISODE = "7d0f3c52-91d4-4f0e-8f0a-2f7c1b1e9a01"
"""That of the vectors; no server has an episode with this id."""
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Device:
    """A registered device."""

    server: Server
    device_id: str
    token: str
    now_ms: int
    """The server's clock when it registered."""

    def post(
        self, body: bytes, encoding: str = "", authorization: str | None = None, *, is_in_pieces: bool = False
    ) -> Answer:
        """Send a body as it is. `authorization` replaces the header; an empty one leaves it away."""
        headers = {"Content-Type": "application/json"}
        if encoding:
            headers["Content-Encoding"] = encoding
        token = self.token if authorization is None else ""
        if authorization:
            headers["Authorization"] = authorization
        return self.server.ask(
            "POST", "/v1/sync", token=token, content=body, headers=headers, is_in_pieces=is_in_pieces
        )

    def send(self, body: bytes, encoding: str = "") -> Answer:
        """Send a body that must be taken."""
        answer = self.post(body, encoding)
        expect(answer.status == 202, f"a good batch was answered with {answer}")
        return answer

    def ask_receipt(self, receipt: str, token: str | None = None) -> Answer:
        """What the server says of a receipt."""
        return self.server.ask("GET", f"/v1/sync/{receipt}", token=self.token if token is None else token)

    def fate(self, body: bytes) -> dict[str, Any]:
        """The receipt of a body, once it is counted. Raises Failed when that takes too long."""
        receipt = sha256(body).hexdigest()
        patience = self.server.patience
        wait_seconds = patience.counting_seconds
        deadline = time.monotonic() + wait_seconds
        while True:
            answer = self.ask_receipt(receipt)
            state = answer.field("state")
            if answer.status == 200 and state == "done":
                fate: dict[str, Any] = answer.json
                return fate
            expect(answer.status == 200 and state == "pending", f"GET /v1/sync/{{receipt}} gave {answer}")
            if time.monotonic() > deadline:
                patience.lose_with_counting()
                raise Failed(f"still pending after {wait_seconds:g} s; is what counts running?")
            time.sleep(POLL_SECONDS)


def register(server: Server) -> Device:
    """A new device. Raises Failed when the answer cannot be used."""
    body = server.send_json(
        "POST", "/v1/devices", "", {"app": "Earshot conformance", "app_version": "1", "platform": "any"}, 201
    )
    try:
        return Device(server, str(body["device_id"]), str(body["token"]), int(body["server_time_ms"]))
    except (KeyError, TypeError, ValueError) as error:
        raise Failed(f"POST /v1/devices gave {body} instead of device_id, token and server_time_ms") from error


def make_event(seq: int, episode: str = UNKNOWN_EPISODE, *, at_ms: int, **fields: Any) -> dict[str, Any]:
    """An event; `play` unless told otherwise."""
    event = {"seq": seq, "kind": "play", "episode": episode, "session": "s1", "at_ms": at_ms}
    return {**event, "from_ms": 0, "to_ms": 0, "wall_ms": 0, "offline": False, **fields}


def make_body(device: Device, events: list[dict[str, Any]], after: str = GENESIS) -> bytes:
    """A batch with the head that its events give."""
    head = ids_of(device.device_id, after, events)[-1]
    return encode({"sent_at_ms": device.now_ms, "after": after, "head": head, "events": events})


def encode(body: Any) -> bytes:
    """JSON without blanks."""
    return json.dumps(body, separators=(",", ":")).encode()
