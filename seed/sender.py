"""Phones at work: each registers, lives, and sends its log, several of them at the same time."""

import asyncio
import gzip
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import httpx2
import zstandard

from seed.audience import Listener, live
from seed.calls import SeedError, ask
from seed.catalogue import Show
from seed.client import Batch, Client
from seed.expected import Expectation

RECEIPTS_KEPT = 64
"""The newest receipts: when they are counted, so is everything, for each partition of the log folds in order."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the server said when a device registered."""

    device_id: str
    token: str
    listen_seconds: int


@dataclass(slots=True)
class Sending:
    """What was sent so far."""

    expectation: Expectation
    receipts: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=RECEIPTS_KEPT))
    """Device token and receipt, newest last."""
    batches: int = 0
    events: int = 0


class Sender:
    """Sends listeners' logs until there are no more listeners, or until it should stop."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        shows: Sequence[Show],
        today: date,
        *,
        should_stop: Callable[[], bool],
        on_progress: Callable[[Sending], None],
        accounts: dict[int, Account] | None = None,
    ) -> None:
        """`accounts`: what the server said to listeners, by number; those missing are registered and added."""
        self.http = http
        self.shows = shows
        self.today = today
        self.should_stop = should_stop
        self.on_progress = on_progress
        self.accounts = {} if accounts is None else accounts
        self.sending = Sending(Expectation({episode.id: episode for show in shows for episode in show.episodes}))

    async def run(self, listeners: Iterator[Listener], connections: int) -> Sending:
        """Send with this many phones at a time. Stopping finishes the batch that is on its way, no more."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(connections):
                    group.create_task(self._serve(listeners))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None  # one reason is enough; the others are mostly the same
        return self.sending

    async def _serve(self, listeners: Iterator[Listener]) -> None:
        while not self.should_stop() and (listener := next(listeners, None)) is not None:
            if listener.number not in self.accounts:
                self.accounts[listener.number] = await self._register(listener)
            account = self.accounts[listener.number]
            client = Client(account.device_id, account.listen_seconds)
            marks = live(listener, client, self.shows, self.today)
            await self._send_log(listener, client, marks, account.token)

    async def _register(self, listener: Listener) -> Account:
        app, version, platform, _ = listener.app
        body = {"app": app, "app_version": version, "platform": platform}
        # Believed when Earshot is told to trust this machine as a proxy; otherwise all devices come from one address.
        headers = {"X-Forwarded-For": listener.address}
        answer = await ask(self.http, "POST", "/v1/devices", json=body, headers=headers)
        return Account(answer["device_id"], answer["token"], answer["listen_seconds"])

    async def _send_log(self, listener: Listener, client: Client, marks: Sequence[int], token: str) -> None:
        """Sync at each mark. What the server took is expected to be counted, also when we stop halfway."""
        random, lost_answers = listener.random("radio"), listener.persona.lost_answers
        taken, sent, events = 0, 0, []
        for mark in marks:
            while not self.should_stop() and (batch := client.next_batch(mark)) is not None:
                # A lost answer: half the phones send the same bytes again, the others make a new batch at their next
                # sync, which then overlaps what the server already has.
                is_lost = random.random() < lost_answers
                is_sent_twice = is_lost and (mark == client.last_seq or random.random() < 0.5)
                for _ in range(1 + is_sent_twice):
                    await self._post(batch, listener.encoding, token, int(time.time() * 1000))
                    sent += len(batch.sealed)
                events += [sealed.event for sealed in batch.sealed if sealed.seq > taken]
                taken = max(taken, batch.sealed[-1].seq)
                if is_lost and not is_sent_twice:
                    break
                client.acknowledge(batch)
        self.sending.expectation.add_device(events, sent, int(time.time() * 1000))
        self.on_progress(self.sending)

    async def _post(self, batch: Batch, encoding: str, token: str, sent_at_ms: int) -> None:
        headers = {"Content-Type": "application/json"}
        if encoding:
            headers["Content-Encoding"] = encoding
        content = pack(batch.body(sent_at_ms), encoding)
        answer = await ask(self.http, "POST", "/v1/sync", key=token, content=content, headers=headers)
        if answer["rejected"] or answer["accepted"] != len(batch.sealed):
            raise SeedError(f"The API rejected events that follow the protocol: {answer}")
        self.sending.receipts.append((token, answer["receipt"]))
        self.sending.batches += 1
        self.sending.events += len(batch.sealed)


def pack(body: bytes, encoding: str) -> bytes:
    """The body as it travels."""
    if encoding == "gzip":
        return gzip.compress(body, compresslevel=5, mtime=0)
    if encoding == "zstd":
        return zstandard.compress(body)
    return body


async def wait_until_counted(
    http: httpx2.AsyncClient, sending: Sending, *, should_stop: Callable[[], bool], on_wait: Callable[[int], None]
) -> bool:
    """Wait until the worker has folded the newest batches; False when told to stop before."""
    waiting = list(sending.receipts)
    while waiting:
        # The newest is counted last, so asking for it alone is nearly always enough.
        token, receipt = waiting[-1]
        if (await ask(http, "GET", f"/v1/sync/{receipt}", key=token))["state"] == "done":
            waiting.pop()
            continue
        if should_stop():
            return False
        on_wait(len(waiting))
        await asyncio.sleep(0.25)
    return True
