"""Seeding from beginning to end: catalogue, listeners, sending, waiting, and what to expect."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from itertools import count, islice
from pathlib import Path
from typing import Any

import httpx2

from seed import advertising, again, check, check_downloads, downloads, fraud, payouts, publish
from seed.audience import Listener
from seed.calls import SeedError, open_http
from seed.catalogue import Show, make_catalogue
from seed.expected import Counts, Expectation, total_of
from seed.files import read_expected, write_expected
from seed.report import Reporter
from seed.sender import Sender, Sending, wait_until_counted

CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Size:
    """How much to send."""

    listeners: int | None
    """None: as many as the time allows."""
    people: int
    """In the access log: the listeners, a quarter at most, and others like them whose apps sync nothing."""
    seconds: float | None = None
    """When to stop sending."""


SIZES = {
    "tiny": Size(40, people=160),
    "small": Size(700, people=4500),
    "medium": Size(16_000, people=20_000),
    "large": Size(None, people=20_000, seconds=3600),
}
"""About 65 events a listener: 2,500, 45,000, 1 million; and 9 lines of the log a person. `tiny` is for tests. From
`medium` on, the API's EARSHOT_REGISTRATIONS_PER_MINUTE decides how long it takes: every listener is a new device from
one address."""


@dataclass(frozen=True, slots=True)
class Options:
    """One seeding."""

    api_url: str
    api_key: str
    """A creator's."""
    home: Path
    """EARSHOT_HOME: the expectation is written here."""
    buyers: dict[str, Any] | None = None
    """Credentials of an admin and an advertiser, by role; None: no campaigns."""
    size: str = "small"
    seed: int = 1
    today: date | None = None
    """UTC day that simulated time ends with the beginning of; the same seed and day give the same numbers. None: the
    present one."""
    is_forced: bool = False
    """Add a set to a store that has shows already."""
    must_wait: bool = True
    """Wait until the worker has counted everything."""
    has_downloads: bool = True
    """Also import an access log of two months; needs the store on this machine."""
    connections: int = CONNECTIONS


def run(options: Options, report: Reporter) -> dict[str, Any]:
    """Seed, and give what should be counted, which is also kept in `home`; see `_report` for the fields.

    Ctrl-C stops after the batches that are on their way; `is_complete` is False then. Raises SeedError.
    """
    if options.size not in SIZES:
        raise SeedError(f"There is no size {options.size!r}; choose small, medium or large.")
    with _stopping_cleanly() as should_stop:
        return asyncio.run(_run(options, report, should_stop))


@contextmanager
def _stopping_cleanly() -> Iterator[Callable[[], bool]]:
    """Make the first Ctrl-C a request; a second one interrupts as usual."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop.is_set  # only the main thread may decide about signals
        return
    before = signal.getsignal(signal.SIGINT)

    def on_interrupt(_number: int, _frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop.is_set
    finally:
        signal.signal(signal.SIGINT, before)


async def _run(options: Options, report: Reporter, should_stop: Callable[[], bool]) -> dict[str, Any]:
    today = options.today or datetime.now(UTC).date()
    async with open_http(options.api_url, options.connections) as http:
        if not options.is_forced and await publish.list_shows(http, options.api_key):
            raise SeedError("This creator has shows already. Use --force to add another set of demo shows.")
        published = await _publish(http, options, today, report)
        shows = [show for _, show in published]
        importing = asyncio.create_task(_import(http, options, shows, today, report, should_stop))
        try:
            sending = await _send(http, options, shows, today, report, should_stop)
            is_complete = not should_stop()
            result = _report(options, today, published, sending.expectation, is_complete)
            # Before waiting: what was sent will be counted, whether or not anybody watches.
            write_expected(options.home, result)
            result["downloads"] = await importing
            write_expected(options.home, result)
        finally:
            importing.cancel()  # for when sending failed; nothing happens to what has ended
        if options.must_wait and is_complete:
            await _wait(http, sending, report, should_stop)
            await _buy(http, options, published, report, should_stop)
            await _settle(http, options, published, today, report, should_stop)
        return result


async def _buy(
    http: httpx2.AsyncClient,
    options: Options,
    published: list[tuple[dict[str, Any], Show]],
    report: Reporter,
    should_stop: Callable[[], bool],
) -> None:
    """Advertise in the shows, once they were heard: what a campaign would have cost is known then."""
    if options.buyers is None:
        return
    report("Buying campaigns", 0, 1)
    names = await advertising.buy(http, options.buyers, {created["id"] for created, _ in published}, should_stop)
    report("Buying campaigns", 1, 1, ", ".join(names))


async def _settle(
    http: httpx2.AsyncClient,
    options: Options,
    published: list[tuple[dict[str, Any], Show]],
    today: date,
    report: Reporter,
    should_stop: Callable[[], bool],
) -> None:
    """Agree what is paid, and close the months that are over; needs the store on this machine, as downloads do."""
    if options.buyers is None or not options.has_downloads or should_stop():
        return
    months = payouts.months_over(today)
    report("Closing months", 0, 1, ", ".join(months))
    await payouts.agree(http, options.api_key, options.buyers, [created for created, _ in published], today)
    made = await payouts.close(months)
    report("Closing months", 1, 1, f"{made} statements wait for approval")


async def _import(
    http: httpx2.AsyncClient,
    options: Options,
    shows: list[Show],
    today: date,
    report: Reporter,
    should_stop: Callable[[], bool],
) -> dict[str, Any] | None:
    """Bring in the downloads, while events are being sent; what is expected of them, None when there are none."""
    if not options.has_downloads:
        return None
    size = SIZES[options.size]
    report("Importing downloads", 0, 1, "an access log of two months")
    # Before the import, which returns when all that had come in by its end is counted.
    requests = await downloads.fetch_today(http, options.seed, shows)
    expected = await asyncio.to_thread(
        downloads.write_downloads, options.home, options.seed, size.people, size.listeners or size.people, shows, today
    )
    try:
        await downloads.import_downloads(options.home, expected)
    except SeedError:
        if should_stop():
            return None  # Ctrl-C reaches the import, too
        raise
    report("Importing downloads", 1, 1, f"{expected['hits']:,} hits of two months, and {requests:,} of today")
    return expected


async def _wait(http: httpx2.AsyncClient, sending: Sending, report: Reporter, should_stop: Callable[[], bool]) -> None:
    started = time.monotonic()

    def on_wait(left: int) -> None:
        hint = "; is `earshot worker` running?" if time.monotonic() - started > 15 else ""
        report("Counting", len(sending.receipts) - left, len(sending.receipts), f"waiting for the worker{hint}")

    await wait_until_counted(http, sending, should_stop=should_stop, on_wait=on_wait)
    report("Counting", len(sending.receipts), len(sending.receipts), "done")


def run_again(api_url: str, home: Path, report: Reporter) -> dict[str, int]:
    """Send the last set a second time and wait until that is counted; how much was sent. Raises SeedError."""

    async def send(should_stop: Callable[[], bool]) -> dict[str, int]:
        def on_progress(sending: Sending, listeners: int) -> None:
            report("Listening devices", sending.expectation.devices, listeners, f"{sending.events:,} events")

        async with open_http(api_url, CONNECTIONS) as http:
            sending = await again.send_again(http, home, CONNECTIONS, should_stop=should_stop, on_progress=on_progress)
            await _wait(http, sending, report, should_stop)
            hits = await downloads.import_again(home) if read_expected(home).get("downloads") else 0
        sent = {"devices": sending.expectation.devices, "batches": sending.batches, "events": sending.events}
        return {**sent, "new_hits": hits}

    with _stopping_cleanly() as should_stop:
        return asyncio.run(send(should_stop))


def run_fraud(api_url: str, home: Path, kind: str, report: Reporter) -> dict[str, Any]:
    """Cheat on the last set and wait until that is counted; who did what. Raises SeedError."""

    async def cheat(should_stop: Callable[[], bool]) -> dict[str, Any]:
        report("Cheating", 0, 1, kind)
        async with open_http(api_url, CONNECTIONS) as http:
            done = await fraud.cheat(http, home, kind, CONNECTIONS)
            report("Cheating", 1, 1, f"{done.events:,} events")
            sending = Sending(Expectation({}))
            sending.receipts.extend(done.receipts)
            await _wait(http, sending, report, should_stop)
        return done.to_json()

    with _stopping_cleanly() as should_stop:
        return asyncio.run(cheat(should_stop))


async def _publish(
    http: httpx2.AsyncClient, options: Options, today: date, report: Reporter
) -> list[tuple[dict[str, Any], Show]]:
    shows = make_catalogue(options.seed, today)
    total, done = sum(len(show.episodes) for show in shows), count(1)
    report("Publishing episodes", 0, total)
    return [
        await publish.publish_show(
            http, options.api_key, show, lambda: report("Publishing episodes", next(done), total)
        )
        for show in shows
    ]


async def _send(
    http: httpx2.AsyncClient,
    options: Options,
    shows: list[Show],
    today: date,
    report: Reporter,
    should_stop: Callable[[], bool],
) -> Sending:
    size, started = SIZES[options.size], time.monotonic()

    def is_over() -> bool:
        return should_stop() or (size.seconds is not None and time.monotonic() - started > size.seconds)

    def on_progress(sending: Sending) -> None:
        pace = sending.events / max(0.001, time.monotonic() - started)
        note = f"{sending.events:,} events, {pace:,.0f} a second"
        report("Listening devices", sending.expectation.devices, size.listeners or 0, note)

    sender = Sender(http, shows, today, should_stop=is_over, on_progress=on_progress)
    listeners = islice((Listener(options.seed, number) for number in count()), size.listeners)
    sending = await sender.run(listeners, options.connections)
    again.write_accounts(options.home, sender.accounts)
    return sending


def _report(
    options: Options,
    today: date,
    published: list[tuple[dict[str, Any], Show]],
    expectation: Expectation,
    is_complete: bool,
) -> dict[str, Any]:
    """What was asked for, ids on the server, and every number that should be counted."""
    by_episode = {
        id_: total_of(counts for key, counts in expectation.by_episode_day.items() if key[0] == id_)
        for id_ in expectation.episodes
    }
    shows = publish.shows_json(published)
    for show in shows:
        for episode in show["episodes"]:
            episode["total"] = asdict(by_episode[episode["id"]])
        show["total"] = asdict(total_of(Counts(**episode["total"]) for episode in show["episodes"]))
    head = {"seed": options.seed, "size": options.size, "today": str(today), "is_complete": is_complete}
    return {**head, "api_url": options.api_url, "shows": shows, **expectation.to_json(), "downloads": None}


def run_check(api_url: str, api_key: str, home: Path) -> list[str]:
    """Compare the last seeding's expectation with the API; a line for each number that differs."""

    async def find() -> list[str]:
        report = read_expected(home)
        async with open_http(api_url, 2) as http:
            differing = await check.find_differences(http, api_key, report)
            return differing + await check_downloads.find_differences(http, api_key, report)

    return asyncio.run(find())
