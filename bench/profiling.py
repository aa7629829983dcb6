"""Where the time goes, by cProfile. Its own cost makes small functions look dearer than they are."""

import os
import pstats
import signal

from bench.folding import fill, fold
from bench.plan import Bench
from bench.processes import STOP_SECONDS, Server
from bench.subjects import Earshot, order_for
from bench.traffic import Expected

TOP = 40


def profile_ingest(bench: Bench) -> None:
    """The API's event loop under 64 connections; the log's writer thread is not in it."""
    earshot = Earshot(bench.processes, "profile")
    path = bench.processes.folder / "profile.out"
    arguments = ("-m", "cProfile", "-o", str(path), "-m", "api", "serve")
    server = bench.processes.serve(*arguments, environment=earshot.environment)
    result = bench.loader.send(
        order_for(server, earshot.devices(256), earshot.episodes, events=100_000, connections=64, seconds=3.0)
    )
    _interrupt(server)
    requests = result.all_events // 20
    print(f"{requests} requests of 20 events, {result.events_per_second:,.0f} events/s while being profiled")
    pstats.Stats(str(path)).sort_stats("tottime").print_stats(TOP)


def _interrupt(server: Server) -> None:
    # SIGTERM would end the process before the profile is written.
    os.killpg(server.process.pid, signal.SIGINT)
    server.process.wait(STOP_SECONDS * 4)


def profile_worker(bench: Bench) -> None:
    """One fold of a full log."""
    earshot = Earshot(bench.processes, "profile")
    fill(bench, earshot, earshot.serve(), Expected(), seed=1)
    path = bench.processes.folder / "profile.out"
    folded = fold(bench, earshot, run=("-m", "cProfile", "-o", str(path), "-m", "bench.fold_log"))
    print(f"{folded.events} events, {folded.events / folded.seconds:,.0f} events/s while being profiled")
    pstats.Stats(str(path)).sort_stats("tottime").print_stats(TOP)
