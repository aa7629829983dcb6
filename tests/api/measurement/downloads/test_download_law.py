"""The law of downloads: files of lines in any order, cut anywhere, read again under another name, between live hits, in
any micro-batches, give the same rollups, and these are what the brute-force count gives.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from api.consumers import MEASUREMENT
from api.events import StoredRecord
from api.measurement.committing import commit_records, micro_batch
from models.engine import make_engine
from models.migrate import migrate
from models.queries import offsets
from tests.api.measurement.downloads import oracle, product
from tests.api.measurement.downloads.oracle import DAY_MS, File, Request
from tests.api.measurement.downloads.traffic import Episode

FIRST_DAY = 20_249
"""The next day brings new keys."""
CAP = 2
CAMPUS = "203.0.113.2"
"""On the inclusion list."""
OTHER = Episode("00000000-0000-0000-0000-00000000000f", "https://audio.example/audio/other.mp3", [(0, File(1000))])
"""Not in the catalogue."""
EPISODES = [
    Episode(
        f"00000000-0000-0000-0000-00000000000{place}",
        f"https://audio.example/audio/{place}.mp3",
        [(place_since, file) for place_since, file in versions],
    )
    for place, versions in enumerate(
        [
            [(0, File(1000, duration_ms=100_000, name="from a feed"))],
            [
                (0, File(800, 100, 40, 160_000, "measured")),
                (FIRST_DAY * DAY_MS + DAY_MS // 2, File(1200, 0, 40, 240_000, "replaced")),
            ],
            [(0, File(900, duration_ms=45_000, name="a trailer"))],
            [(0, File(0, duration_ms=100_000, name="of unknown length"))],
        ]
    )
]
TABLES = (
    *("consumer_day", "hit_outcome", "download_hour", "download_split", "download_consumers", "log_import"),
    *("import_outcome", "consumer_offset", "counting_rule", "pipeline_day", "set_aside"),
)
MOMENTS = [0, 1, 43_199, 43_200, 86_399, 86_400, 86_401, 90_000, 129_599, 129_600, 172_799, 172_800, 172_801, 216_000]
"""Seconds after the first midnight."""
ANSWERS: list[dict[str, Any]] = [
    *({"status": 200, "sent": sent} for sent in (0, 399, 400, 599, 600, 800, 1000)),
    *({"status": 206, "range": f"bytes={asked}", "sent": 300} for asked in ("0-299", "100-399", "300-", "300-599")),
    *({"status": 206, "range": f"bytes={asked}", "sent": 250} for asked in ("-250", "600-", "0-99,300-599")),
    *({"status": 206, "range": "bytes=0-1", "sent": sent} for sent in (1, 2)),
    {"status": 206, "range": "bytes=0-0", "sent": 1},
    {"status": 0, "range": "bytes=0-", "sent": 350},
    {"method": "HEAD"},
    {"status": 304},
    {"status": 302},
]

plain = st.builds(
    Request,
    at_ms=st.sampled_from([FIRST_DAY * DAY_MS + 1000 * second for second in MOMENTS]),
    ip=st.sampled_from(["203.0.113.1"] * 3 + [CAMPUS, "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"]),
    user_agent=st.sampled_from(["A/1"] * 5 + ["B/2", "B/2", "Robot/1"]),
    episode=st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4]),
    file=st.none(),
    has_range=st.sampled_from([True, True, True, False]),
    traits=st.sampled_from([frozenset()] * 6 + [frozenset({"referrer"})]),
)
requests = st.builds(lambda request, answer: replace(request, **answer), plain, st.sampled_from(ANSWERS))
logs = st.lists(st.lists(requests, max_size=12), min_size=1, max_size=3)


def settle(request: Request) -> Request:
    """With the episode's UUID, the file of that moment, and what address and user agent say.

    Hits of a page that preloads come in milliseconds of their own: of two lines that differ in nothing else the first
    that is read stays.
    """
    episode = [*EPISODES, OTHER][int(request.episode)]
    at_ms = request.at_ms + 7 * len(request.traits)
    about = {"included": request.ip == CAMPUS, "bot": request.user_agent == "Robot/1"}
    return replace(
        request,
        at_ms=at_ms,
        episode=episode.uuid,
        file=episode.file(at_ms),
        traits=request.traits | {name for name, is_so in about.items() if is_so},
        splits=(f"App {request.user_agent[0]}", "phone", ""),
    )


def records(file: list[Request], name: str, cuts: list[int]) -> list[bytes]:
    """A log file, cut into records."""
    ends = sorted({cut % len(file) + 1 for cut in cuts} | {len(file)}) if file else []
    return [product.chunk(file, name, first, end) for first, end in zip([0, *ends], ends, strict=False)]


def interleaved(chance: Any, queues: list[list[bytes]]) -> list[bytes]:
    """All of them, each queue in its own order."""
    waiting = [list(queue) for queue in queues if queue]
    found = []
    while waiting:
        queue = chance.choice(waiting)
        found.append(queue.pop(0))
        waiting = [queue for queue in waiting if queue]
    return found


def fold(engine: Engine, payloads: list[bytes], window: str, step: int) -> None:
    """Run the worker's step over the records, `step` at most at once."""
    with engine.begin() as connection:
        offsets.append_consumer(connection, MEASUREMENT, 0)
        for name, value in {"download_window": window, "excess_cap": str(CAP)}.items():
            connection.execute(text("INSERT INTO counting_rule VALUES (:n, :v)"), {"n": name, "v": value})
    stored = [StoredRecord(offset, b"", payload) for offset, payload in enumerate(payloads)]
    while stored:
        batch = micro_batch(stored[:step])
        commit_records(engine, 0, batch[0].offset, batch)
        stored = stored[len(batch) :]


@pytest.fixture
def fresh(store_url: str, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Makes stores with the catalogue and no hit: copies of a file, or one PostgreSQL database emptied."""
    template = make_engine(store_url)
    migrate(template)
    product.publish(template, EPISODES)
    engines: list[Engine] = []

    def make() -> Engine:
        for engine in engines:
            engine.dispose()
        if template.dialect.name == "postgresql":
            with template.begin() as connection:
                connection.execute(text(f"TRUNCATE {', '.join(TABLES)}"))
            return template
        template.dispose()
        copy = tmp_path / "copy.db"
        for suffix in ("-wal", "-shm"):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)
        shutil.copy(tmp_path / "store.db", copy)
        engines[:] = [make_engine(f"sqlite:///{copy}", durability="NORMAL")]
        return engines[0]

    yield make
    for engine in [*engines, template]:
        engine.dispose()


@pytest.mark.parametrize("window", oracle.WINDOWS)
@settings(
    max_examples=25,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    files=logs,
    live=st.lists(requests, max_size=8),
    cuts=st.lists(st.integers(0, 11), max_size=4),
    step=st.integers(1, 6),
    chance=st.randoms(use_true_random=False),
)
def test_order_repetition_and_cuts_change_nothing(
    fresh: Callable[[], Engine],
    window: str,
    files: list[list[Request]],
    live: list[Request],
    cuts: list[int],
    step: int,
    chance: Any,
) -> None:
    # A log tells Range on all of its lines or on none.
    files = [[settle(replace(r, has_range=file[0].has_range)) for r in file] for file in files]
    files += [chance.sample(files[0], len(files[0]) // 2)]
    # A server's clock has milliseconds, and no two of its hits are the same.
    live = [replace(settle(r), at_ms=settle(r).at_ms + 10 * place + 1, has_range=True) for place, r in enumerate(live)]

    once = [record for place, file in enumerate(files) for record in records(file, f"{place}.log", [])]
    engine = fresh()
    fold(engine, once + [product.record(hit)[1] for hit in live], window, 100)
    straight = product.counts(engine)

    again = [records(file, f"{place}.log", cuts) for place, file in enumerate(files)]
    copies = [
        records(chance.sample(file, len(file)), f"copy of {place}.log", cuts[:1]) for place, file in enumerate(files)
    ]
    hits = [[product.record(hit)[1]] for hit in live]
    engine = fresh()
    fold(engine, interleaved(chance, [*again, *again[:1], *copies, *hits]), window, step)
    assert product.counts(engine) == straight

    known = {episode.uuid for episode in EPISODES}
    told = [request for request in [*oracle.merged(files), *live] if request.episode in known]
    expected = oracle.count(told, window, CAP)
    assert straight.outcomes == expected.outcomes
    assert straight.hours == expected.hours
    assert straight.splits == expected.splits
