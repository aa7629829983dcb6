"""Folds what is in an installation's log and says how long it took: `python -m bench.fold_log [--parts]`.

Run as a process of its own, like `earshot worker --once`; its clock leaves out the start of Python. With `--parts` the
steps of the worker are timed one by one, which costs about one per cent.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec

from api.events.opening import open_log
from api.measurement import prepare, store_step, worker
from api.settings import Settings
from models.engine import make_engine

STEPS = {
    (prepare, "unpack"): "decode",
    (prepare, "chain_ids"): "chain",
    (store_step, "load"): "load rows",
    (store_step, "fold_batches"): "fold",
    (store_step, "conclude"): "fold",
    (store_step, "_write"): "write rows",
}
"""Functions as these modules call them -> the part they are."""


class Folded(msgspec.Struct):
    """What was folded, and the seconds it took."""

    events: int
    seconds: float
    cpu_seconds: float
    parts: dict[str, float] = {}


def main() -> None:
    """Fold all there is."""
    worker.ease_gc()
    settings = Settings()
    engine = make_engine(settings.resolved_store_url(), durability="NORMAL")
    log = open_log(settings.resolved_events_url(), partitions=settings.partitions)
    parts: dict[str, float] = defaultdict(float)
    if "--parts" in sys.argv:
        watch(parts)
        log.read = _timed(log.read, parts, "read the log")  # type: ignore[method-assign]
        engine.dialect.do_commit = _timed(engine.dialect.do_commit, parts, "commit")  # type: ignore[method-assign]
    started, cpu = time.perf_counter(), time.process_time()
    events = worker.Worker(engine, log, settings).drain()
    folded = Folded(events, time.perf_counter() - started, time.process_time() - cpu, parts)
    if parts:
        folded.parts["the rest"] = folded.seconds - sum(parts.values())
    log.close()
    engine.dispose()
    print(msgspec.json.encode(folded).decode())


def watch(parts: dict[str, float]) -> None:
    """Have the worker's steps add their seconds to `parts`."""
    for (module, name), part in STEPS.items():
        setattr(module, name, _timed(getattr(module, name), parts, part))


def _timed(function: Callable[..., Any], parts: dict[str, float], part: str) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            parts[part] += time.perf_counter() - started

    return timed


if __name__ == "__main__":
    main()
