"""How fast reach is answered: 365 days, 50 shows, 10,000 devices a show and day, not in whole months."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from statistics import median

import msgspec
from sqlalchemy import Engine
from sqlmodel import Session

from bench import reach_filling as filling
from bench.plan import Bench
from models import campaign_reports, planning
from models.advertising import Campaign
from models.engine import make_engine, make_read_engine
from models.migrate import migrate
from models.periods import Period

TARGET_MS = 300


class ReachAnswer(msgspec.Struct):
    """One question, asked again and again with nothing kept in between."""

    what: str
    median_ms: float
    highest_ms: float
    cpu_ms: float
    """Median of the CPU time, on which other programs on the machine weigh less."""
    runs: list[float]


class ReachRow(msgspec.Struct):
    """What was asked of which store."""

    shows: int
    days: int
    devices_a_day: int
    fill_seconds: float
    store_mb: float
    answers: list[ReachAnswer]


def measure_reach(bench: Bench) -> ReachRow:
    """Fill a store of its own, then ask it."""
    path = bench.processes.folder / "reach.db"
    engine = make_engine(f"sqlite:///{path}", durability="NORMAL")
    migrate(engine)
    today = datetime.now(UTC).date()
    started = time.monotonic()
    shows, campaign = filling.fill(
        engine,
        today,
        devices_a_day=bench.plan.reach_devices,
        tell=lambda done: bench.tell(f"reach: filling a year of {filling.SHOWS} shows, {done}"),
    )
    seconds = time.monotonic() - started
    engine.dispose()
    store_mb = path.stat().st_size / 1e6
    reader = make_read_engine(f"sqlite:///{path}")
    answers = _ask_all(bench, reader, shows, campaign, today)
    reader.dispose()
    path.unlink()
    return ReachRow(filling.SHOWS, filling.DAYS, bench.plan.reach_devices, seconds, store_mb, answers)


def _ask_all(bench: Bench, reader: Engine, shows: list[int], campaign_id: int, today: date) -> list[ReachAnswer]:
    first = filling.first_day(today)
    year = Period(first, first + timedelta(days=filling.DAYS - 1))
    with Session(reader) as session:
        campaign = session.get_one(Campaign, campaign_id)
        session.expunge(campaign)
    last_days = Period(year.last - timedelta(days=filling.CAMPAIGN_DAYS // 2), year.last)
    rest, added = shows[:-1], shows[-1:]
    questions: dict[str, Callable[[Session], object]] = {
        "reach, all shows": lambda session: planning.reach_of(session, shows, year, is_guarded=False),
        "the same, for an advertiser": lambda session: planning.reach_of(session, shows, year, is_guarded=True),
        "reach curve by day, all shows": lambda session: planning.curve_of(session, shows, year),
        "overlap of each two shows": lambda session: planning.overlap_of(session, shows, year, is_guarded=False),
        "what one more show adds": lambda session: planning.increments_of(session, rest, added, year, is_guarded=False),
        "frequency of a campaign": lambda session: campaign_reports.frequency_of(session, campaign, is_guarded=False),
        "reach of a campaign's last days": lambda session: campaign_reports.reach_of(
            session, campaign, last_days, is_guarded=False
        ),
    }
    return [_ask(bench, reader, what, question) for what, question in questions.items()]


def _ask(bench: Bench, reader: Engine, what: str, question: Callable[[Session], object]) -> ReachAnswer:
    bench.tell(f"reach: {what}")
    runs, cpu = [], []
    for _ in range(bench.plan.reach_repeats):
        began, began_cpu = time.perf_counter(), time.process_time()
        with Session(reader) as session:
            question(session)
        runs.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - began_cpu) * 1000)
    return ReachAnswer(what, median(runs), max(runs), median(cpu), runs)
