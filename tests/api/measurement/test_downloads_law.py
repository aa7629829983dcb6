"""Laws of the downloads in the store: the same hits, however they came, give the same row in every table, and a recount
finds just those rows.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlmodel import Session

from api.events import Record
from api.events.archive import Archive
from api.events.opening import open_log
from api.events.records import pack, unpack
from api.measurement.download_step import Rules
from api.measurement.recount import Recount, Report
from api.measurement.worker import Worker
from api.settings import Settings
from models.downloads import AudioVersion
from models.engine import make_engine
from models.migrate import migrate
from models.queries.rebuilding import ALL_TABLES
from tests.api.measurement.downloads import oracle, product
from tests.api.measurement.downloads.oracle import DAY_MS, Request
from tests.api.measurement.downloads.test_download_law import (
    CAP,
    EPISODES,
    FIRST_DAY,
    interleaved,
    logs,
    records,
    requests,
    settle,
)
from tests.api.measurement.house import House, wrong
from tests.imported import counted

ENOUGH = 600
"""Of the first episode: a minute."""
TABLES = (
    *(table.name for table in ALL_TABLES),
    *("log_import", "import_outcome", "consumer_offset", "episode_counted"),
)
"""All that counting fills."""
Make = Callable[..., "Installation"]


class Installation:
    """A store with the catalogue, and an event log of its own."""

    def __init__(self, engine: Engine, folder: Path, window: str, **options: Any) -> None:
        self.engine = engine
        self.settings = Settings(home=folder, download_window=window, excess_cap=CAP, **options)  # type: ignore[arg-type]
        self.log = open_log(f"sqlite:///{folder / 'events.db'}", partitions=self.settings.partitions)
        self.archive = Archive(folder / "archive")
        self.worker = Worker(engine, self.log, self.settings)

    def count(self, payloads: list[bytes]) -> None:
        """Append records, each to the partition it belongs to, and have the worker fold them."""
        for payload in payloads:
            asyncio.run(self.log.append(Record(key_of(payload), payload)))
        self.worker.drain()

    def recount(self, **options: Any) -> Report:
        """Rebuild and compare."""
        apply = options.pop("apply", False)
        return Recount(self.engine, self.log, self.archive, **options).run(apply=apply)


def key_of(payload: bytes) -> bytes:
    """Live hits are kept by address; a log's records stay together."""
    record = unpack(payload)
    return bytes(getattr(record, "consumer", b"log")[:8])


@pytest.fixture
def make(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes installations, one after the other: what was made before is closed."""
    template = make_engine(store_url)
    migrate(template)
    product.publish(template, EPISODES)
    template.dispose()
    monkeypatch.setattr("api.clock.now_ms", lambda: (FIRST_DAY + 5) * DAY_MS + DAY_MS // 2)
    made: list[Installation] = []

    def start(window: str = "calendar", **options: Any) -> Installation:
        close(made)
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        url = store_url
        if store_url.startswith("sqlite"):
            shutil.copy(tmp_path / "store.db", folder)
            url = f"sqlite:///{folder / 'store.db'}"
        engine = make_engine(url, durability="NORMAL")
        if engine.dialect.name == "postgresql":
            with engine.begin() as connection:
                connection.execute(text(f"TRUNCATE {', '.join(TABLES)} CASCADE"))
        made.append(Installation(engine, folder, window, **options))
        return made[-1]

    yield start
    close(made)


def close(made: list[Installation]) -> None:
    """Let go of logs and stores."""
    for installation in made:
        installation.log.close()
        installation.engine.dispose()
    made.clear()


def hit(seconds: int, *, consumer: int = 1, episode: int = 0, **fields: Any) -> Request:
    """One request, so many seconds after the first midnight, that alone would be a download."""
    place = EPISODES[episode]
    at_ms = FIRST_DAY * DAY_MS + seconds * 1000
    fields = {"sent": ENOUGH, "splits": ("App", "phone", "DE"), **fields}
    return Request(at_ms, f"203.0.113.{consumer}", "A/1", place.uuid, place.file(at_ms), **fields)


def live(*hits: Request) -> list[bytes]:
    """As they come over HTTP."""
    return [product.record(request)[1] for request in hits]


def log(name: str, *lines: Request) -> list[bytes]:
    """As an access log tells them."""
    return records(list(lines), name, [])


def outcomes(installation: Installation) -> dict[tuple[int, str], int]:
    """(days since the first, outcome) -> hits."""
    found: Counter[tuple[int, str]] = Counter()
    for (_, day, outcome), hits in product.counts(installation.engine).outcomes.items():
        found[day - FIRST_DAY, outcome] += hits
    return dict(found)


@pytest.mark.parametrize("window", oracle.WINDOWS)
@settings(max_examples=12, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(
    files=logs,
    hits=st.lists(requests, max_size=8),
    cuts=st.lists(st.integers(0, 11), max_size=4),
    step=st.integers(1, 6),
    partitions=st.sampled_from([1, 3]),
    chance=st.randoms(use_true_random=False),
)
def test_the_same_hits_give_the_same_rows_and_a_recount_finds_them(
    make: Make,
    window: str,
    files: list[list[Request]],
    hits: list[Request],
    cuts: list[int],
    step: int,
    partitions: int,
    chance: Any,
) -> None:
    """Files first and in one piece; then files and hits cut, mixed, partly told twice, and in small micro-batches."""
    files = [[settle(replace(line, has_range=file[0].has_range)) for line in file] for file in files]
    hits = [replace(settle(r), at_ms=settle(r).at_ms + 10 * place + 1, has_range=True) for place, r in enumerate(hits)]
    plain = make(window)
    plain.count([record for place, file in enumerate(files) for record in records(file, f"{place}.log", [])])
    plain.count(live(*hits))
    assert wrong(plain.recount()) == {}
    expected = counted(plain.engine)

    queues = [records(file, f"{place}.log", cuts) for place, file in enumerate(files)]
    copies = [records(file, f"copy of {place}.log", cuts[:1]) for place, file in enumerate(files)]
    mixed = make(window, micro_batch=step, partitions=partitions)
    mixed.count(interleaved(chance, [*queues, *queues[:1], *copies, *([record] for record in live(*hits))]))
    assert {**counted(mixed.engine), "pipeline_day": []} == {**expected, "pipeline_day": []}
    assert wrong(mixed.recount()) == {}


LATE = {
    # a late file between two hits, in seconds: window, before, what came late, outcomes then and after
    "last touch, a late hit joins two windows": ("last_touch", [0, 100_000], [50_000], 2, 1),
    "last touch, a late hit comes before all": ("last_touch", [80_000], [0], 1, 1),
    "first touch, a late hit moves the border": ("first_touch", [50_000, 100_000], [0], 1, 2),
    "first touch, a late hit between is a duplicate": ("first_touch", [0, 100_000], [50_000], 2, 2),
    "calendar, a late hit of the night before is a download": ("calendar", [100_000], [80_000], 1, 2),
}


@pytest.mark.parametrize("case", LATE)
def test_late_lines_change_what_is_counted_to_what_it_would_have_been(make: Make, case: str) -> None:
    window, told, late, before, after = LATE[case]
    # A day earlier, so that consumers keep their keys.
    told, late = ([second - 172_800 for second in seconds] for seconds in (told, late))
    first = make(window)
    first.count(live(*map(hit, told)))
    assert product.counts(first.engine).downloads == before
    first.count(log("late.log", *map(hit, late)))
    assert product.counts(first.engine).downloads == after
    assert wrong(first.recount()) == {}
    found = counted(first.engine)
    other = make(window)
    other.count(log("late.log", *map(hit, late)) + live(*map(hit, told)))
    assert {**counted(other.engine), "pipeline_day": []} == {**found, "pipeline_day": []}


def test_a_download_that_moves_to_another_day_leaves_nothing_behind(make: Make) -> None:
    """Counted one by one, and at once in a recount."""
    installation = make("last_touch")
    for second in (-60_000, -90_000, -120_000):
        installation.count(live(hit(second)))
    assert outcomes(installation) == {(-2, "download"): 1, (-2, "duplicate"): 1, (-1, "duplicate"): 1}
    assert wrong(installation.recount()) == {}


def test_what_an_interrupted_import_appends_again_is_not_even_told(make: Make) -> None:
    installation = make()
    chunk = log("a.log", hit(0), hit(10))
    installation.count(chunk + chunk)
    with installation.engine.connect() as connection:
        rows = connection.execute(text("SELECT outcome, events FROM pipeline_day WHERE events > 0")).all()
    assert list(map(tuple, rows)) == [("counted", 2)]


@pytest.mark.parametrize(("window", "downloads"), [("calendar", 2), ("first_touch", 2), ("last_touch", 2)])
def test_every_window_ends_when_keys_change(make: Make, window: str, downloads: int) -> None:
    """Two hits a minute apart; a day before they would be one window, were it not for the calendar."""
    midnight = 86_400
    rotating = make(window)
    rotating.count(live(hit(midnight - 30), hit(midnight + 30)))
    assert product.counts(rotating.engine).downloads == downloads
    assert wrong(rotating.recount()) == {}
    ordinary = make(window)
    ordinary.count(live(hit(-30), hit(30)))
    assert product.counts(ordinary.engine).downloads == (2 if window == "calendar" else 1)


@pytest.mark.parametrize("window", oracle.WINDOWS)
def test_an_address_that_crosses_the_cap_loses_its_day_in_any_order(make: Make, window: str) -> None:
    """Three episodes are one more than the cap; the day before stays, and who is on the inclusion list, too."""
    pairs = [hit(100 + place, episode=place % 3, sent=1200) for place in range(3)]
    rest = [
        hit(-1000, sent=1200),
        *(hit(200 + place, consumer=2, episode=place, sent=1200, traits=frozenset({"included"})) for place in range(3)),
    ]
    expected: dict[str, Any] = {}
    for order in (pairs + rest, rest + pairs[::-1], [pairs[1], *rest, pairs[2], pairs[0]]):
        installation = make(window)
        for request in order:
            installation.count(live(request))
        assert outcomes(installation)[0, "excess"] == 3
        assert outcomes(installation)[-1, "download"] == 1
        assert outcomes(installation)[0, "download"] == 3
        assert wrong(installation.recount()) == {}
        rows = {**counted(installation.engine), "pipeline_day": []}
        expected = expected or rows
        assert rows == expected


def test_a_hit_that_no_cap_concerns_takes_no_place_under_it(make: Make) -> None:
    """Bots and HEAD requests for other episodes do not count to the pairs."""
    installation = make()
    others = [hit(place, episode=place, method="HEAD") for place in range(3)]
    others += [hit(10 + place, episode=place, traits=frozenset({"bot"})) for place in range(3)]
    installation.count(live(*others, hit(20), hit(30, episode=1, sent=1200)))
    assert outcomes(installation) == {(0, "bot"): 3, (0, "download"): 2, (0, "not_get"): 3}


def test_a_version_that_comes_later_changes_nothing_that_was_counted(make: Make) -> None:
    """Nor does it change the recount: also not for a hit on a file that nobody knows."""
    installation = make()
    unknown = replace(hit(10, consumer=7), file=replace(hit(0).file, name="gone"))
    installation.count(live(hit(0), unknown, hit(20, consumer=8, sent=ENOUGH - 1)))
    with Session(installation.engine) as session:
        [(episode_id,)] = session.connection().execute(text("SELECT episode_id FROM consumer_day GROUP BY episode_id"))
        session.add(
            AudioVersion(
                episode_id=episode_id,
                sha256="0" * 64,
                audio_bytes=100_000,
                duration_ms=100_000,
                since_at=datetime.fromtimestamp((FIRST_DAY + 1) * DAY_MS / 1000, UTC),
            )
        )
        session.commit()
    assert wrong(installation.recount()) == {}
    assert outcomes(installation) == {(0, "download"): 2, (0, "short"): 1}


def test_lines_received_around_midnight_are_told_of_their_own_day(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folded one by one when they came, and together in a recount."""
    installation = make(micro_batch=1)
    lines = [hit(place) for place in range(4)]
    midnight = (FIRST_DAY + 3) * DAY_MS
    payloads = []
    for place, received in enumerate((midnight - 2, midnight - 1, midnight, midnight + 1)):
        chunk = unpack(product.chunk(lines, "a.log", place, place + 1))
        payloads.append(pack(msgspec.structs.replace(chunk, received_ms=received)))
    installation.count(payloads)
    with installation.engine.connect() as connection:
        rows = connection.execute(text("SELECT received_day, events FROM pipeline_day WHERE events > 0")).all()
    assert sorted(map(tuple, rows)) == [(FIRST_DAY + 2, 2), (FIRST_DAY + 3, 2)]
    assert wrong(installation.recount()) == {}


def test_a_recount_of_some_days_agrees_too(make: Make) -> None:
    installation = make()
    installation.count(log("a.log", *(hit(86_400 * day, consumer=n) for day in range(4) for n in range(3))))
    installation.count(live(hit(100), hit(86_500)))
    for days in ((FIRST_DAY, FIRST_DAY), (FIRST_DAY + 1, FIRST_DAY + 2), (FIRST_DAY + 3, FIRST_DAY + 9)):
        report = installation.recount(days=days)
        assert wrong(report) == {}
        assert {table.table: table.rows for table in report.tables}["consumer_day"] > 0
    with installation.engine.begin() as connection:
        connection.execute(text(f"UPDATE consumer_day SET downloads = 7 WHERE day = {FIRST_DAY + 1}"))
    assert wrong(installation.recount(days=(FIRST_DAY + 2, FIRST_DAY + 3))) == {}
    assert wrong(installation.recount(days=(FIRST_DAY + 1, FIRST_DAY + 1))) == {"consumer_day": (0, 0, 3)}


def test_what_is_archived_is_counted_the_same(house: House, engine: Engine) -> None:
    """After the archive has taken user agents out of the hits, and the log has forgotten them."""
    product.publish(engine, EPISODES)
    house.day(-60)
    lines = [replace(hit(place), at_ms=house.now_ms + place) for place in range(20)]
    for payload in [*live(*lines[:10]), *log("a.log", *lines[5:])]:
        house.append(key_of(payload), payload)
    house.count()
    house.day(0)
    house.housekeeper.tidy()
    assert house.log.start(0) == house.log.end(0) > 0
    report = house.recount()
    assert wrong(report) == {}
    assert report.records == house.log.end(0)
    assert wrong(house.recount((house.today - 60, house.today - 60))) == {}


def test_another_window_takes_effect_with_a_recount_only(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    installation = make("calendar")
    installation.count(live(hit(-30), hit(30)))
    assert outcomes(installation) == {(-1, "download"): 1, (0, "download"): 1}

    changed = installation.settings.model_copy(update={"download_window": "last_touch", "excess_cap": 5})
    worker = Worker(installation.engine, installation.log, changed)
    asyncio.run(installation.log.append(Record(b"x", live(hit(60))[0])))
    worker.drain()
    assert "`earshot recount --apply` counts all of them by the settings" in capsys.readouterr().out
    assert outcomes(installation) == {(-1, "download"): 1, (0, "download"): 1, (0, "duplicate"): 1}

    rules = Rules("last_touch", 5)
    assert "hit_outcome" in wrong(installation.recount(rules=rules))
    assert outcomes(installation)[0, "download"] == 1
    assert installation.recount(rules=rules, apply=True).is_mended
    assert outcomes(installation) == {(-1, "download"): 1, (0, "duplicate"): 2}
    worker.drain()
    assert "recount" not in capsys.readouterr().out
    asyncio.run(installation.log.append(Record(b"x", live(hit(90))[0])))
    worker.drain()
    assert outcomes(installation) == {(-1, "download"): 1, (0, "duplicate"): 3}
    assert wrong(installation.recount()) == {}


def test_a_sketch_of_many_consumers_depends_on_no_batch(make: Make) -> None:
    """Beyond what a sketch keeps, and with downloads taken back in between."""
    lines = [replace(hit(place % 80_000), ip=f"10.0.{place // 250}.{place % 250}") for place in range(6000)]
    at_once = make("first_touch")
    at_once.count(log("a.log", *lines, *(replace(line, at_ms=line.at_ms - 1000) for line in lines[:100])))
    expected = {**counted(at_once.engine), "pipeline_day": []}
    piecewise = make("first_touch")
    for first in range(0, 6000, 1500):
        piecewise.count(log(f"{first}.log", *lines[first : first + 1500][::-1]))
    piecewise.count(log("late.log", *(replace(line, at_ms=line.at_ms - 1000) for line in lines[:100])))
    assert {**counted(piecewise.engine), "pipeline_day": []} == expected
