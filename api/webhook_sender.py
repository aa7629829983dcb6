"""Sends what happened to whoever wants to be told. On a thread and handles of its own, beside the worker.

An event is delivered at least once: what was to be sent is in the store before it is sent, and is marked as sent after
it was. A process killed in between sends it again, under the same `webhook-id`.
"""

import json
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio
import structlog
from anyio import to_thread
from anyio.abc import TaskGroup
from sqlalchemy import Engine
from sqlmodel import Session

from api import clock, failpoints, outgoing
from api.errors import ApiError
from api.settings import Settings
from api.webhook_deliveries import Answer, fan_out, settle
from api.webhook_signing import signed_headers
from models.engine import make_engine, read_only
from models.queries import webhooks
from models.queries.webhooks import Due

POLL_SECONDS = 1.0
"""Between two looks for what is to be sent."""
ANSWER_SECONDS = 15.0
"""How long a receiver may take."""
LEASE_SECONDS = 60.0
"""For an attempt and its settling; a delivery whose sender died is due again after it."""
AT_ONCE = 16
"""Deliveries on their way, one for each endpoint: a slow receiver keeps only its own waiting."""
AT_ONCE_OF_USER = 4
"""Of those, one user's: who has many slow receivers keeps only her own waiting."""
STOP_SECONDS = 5.0
"""What is on its way when the sender is stopped may take so long to end."""

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """A delivery that this process has taken, ready to go."""

    delivery_id: int
    endpoint_id: int
    number: int
    """Of the attempt, from 1."""
    url: str
    secret: str
    event_id: str
    """The `webhook-id`: of the event, so that repetitions and replays have the same."""
    body: bytes


class Sender:
    """Makes deliveries of events and sends them, again and again until they arrive or their time is over."""

    def __init__(self, engine: Engine, *, is_allowed: outgoing.Judge = outgoing.is_public) -> None:
        self._engine = engine
        self._is_allowed = is_allowed
        self._busy: set[int] = set()
        """Endpoints that something is on its way to."""

    async def run(self, stopping: threading.Event) -> None:
        """Send until stopped."""
        async with anyio.create_task_group() as group:
            while not stopping.is_set():
                started = await self._attempt_round(group)
                await anyio.sleep(0 if started else POLL_SECONDS)
            group.cancel_scope.deadline = anyio.current_time() + STOP_SECONDS

    async def send_due(self) -> int:
        """Send what is due now, and wait for it; how many deliveries were tried."""
        tried = 0
        await to_thread.run_sync(fan_out, self._engine)
        while messages := await to_thread.run_sync(self._claim_due):
            async with anyio.create_task_group() as group:
                for message in messages:
                    group.start_soon(self._deliver, message)
            tried += len(messages)
        return tried

    async def _attempt_round(self, group: TaskGroup) -> int:
        try:
            await to_thread.run_sync(fan_out, self._engine)
            messages = await to_thread.run_sync(self._claim_due)
        except Exception as error:  # noqa: BLE001 - a thread that ends would tell nobody anything, unseen
            _logger.warning("sending webhooks failed, trying again later", cause=str(error))
            return 0
        for message in messages:
            self._busy.add(message.endpoint_id)
            group.start_soon(self._deliver, message)
        return len(messages)

    def _claim_due(self) -> list[Message]:
        now = clock.now()
        free = AT_ONCE - len(self._busy)
        if free <= 0:
            return []
        with Session(read_only(self._engine), expire_on_commit=False) as session:
            due = webhooks.list_due(session, now, self._busy, free, most_of_user=AT_ONCE_OF_USER)
        return [message for one in due if (message := self._claim(one, now))]

    def _claim(self, due: Due, now: datetime) -> Message | None:
        with Session(self._engine) as session, session.begin():
            until = now + timedelta(seconds=LEASE_SECONDS)
            if not webhooks.claim_delivery(session, due.delivery, now, until):
                return None
        return Message(
            delivery_id=due.delivery.id or 0,
            endpoint_id=due.delivery.endpoint_id,
            number=due.delivery.attempts + 1,
            url=due.endpoint.url,
            secret=due.endpoint.secret,
            event_id=str(due.event.uuid),
            body=_body(due),
        )

    async def _deliver(self, message: Message) -> None:
        try:
            answer = await self._post(message)
            failpoints.reach("webhooks.before_settle")
            await to_thread.run_sync(settle, self._engine, message.delivery_id, message.number, answer)
        except Exception as error:  # noqa: BLE001 - as above; the delivery is due again when its lease ends
            _logger.warning("a webhook's outcome is not noted", delivery=message.delivery_id, cause=str(error))
        finally:
            self._busy.discard(message.endpoint_id)

    async def _post(self, message: Message) -> Answer:
        headers = signed_headers(message.secret, message.event_id, clock.now_ms() // 1000, message.body)
        headers["Content-Type"] = "application/json"
        try:
            status = await outgoing.post(
                message.url, message.body, headers, seconds=ANSWER_SECONDS, is_allowed=self._is_allowed
            )
        except outgoing.PrivateAddressError:
            # Which address it is would tell a stranger how names of our own network resolve.
            return Answer(None, "The address is not on the public Internet.")
        except ApiError as error:
            return Answer(None, error.message)
        except Exception as error:  # noqa: BLE001 - whatever a strange server makes of HTTP is a failed attempt
            return Answer(None, f"The answer cannot be read: {type(error).__name__}.")
        return Answer(status, "")


def _body(due: Due) -> bytes:
    happened = due.event.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = {"type": due.event.kind, "timestamp": happened, "data": json.loads(due.event.payload)}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def start(settings: Settings, stopping: threading.Event) -> threading.Thread:
    """Start a sender on a thread of its own; it ends soon after `stopping` is set."""

    def send() -> None:
        engine = make_engine(settings.resolved_store_url(), durability="FULL")
        try:
            anyio.run(make_sender(engine, settings).run, stopping)
        finally:
            engine.dispose()

    thread = threading.Thread(target=send, name="webhooks", daemon=True)
    thread.start()
    return thread


def make_sender(engine: Engine, settings: Settings) -> Sender:
    """A sender that keeps to the Internet, unless the settings allow more."""
    return Sender(engine, is_allowed=outgoing.anywhere if settings.webhook_private else outgoing.is_public)
