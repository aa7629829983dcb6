"""What the bench ran on: figures of two machines, or of two hours on a shared one, cannot be compared."""

import os
import platform
import time
from pathlib import Path

import msgspec

SYNCS = 200


class Machine(msgspec.Struct):
    """The machine, and how busy it was with other things."""

    measured_at: str
    cores: int
    python: str
    system: str
    load_average: float
    """Over the last minute, before the bench began: 0 is a machine of one's own."""
    syncs_per_second: float
    """4 KiB writes made durable one after the other: the most commits that one waiting client can get."""


def describe(folder: Path) -> Machine:
    """Look at the machine and at the disk under `folder`."""
    return Machine(
        measured_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        cores=len(os.sched_getaffinity(0)),
        python=platform.python_version(),
        system=platform.platform(),
        load_average=os.getloadavg()[0],
        syncs_per_second=_syncs_per_second(folder / "syncs"),
    )


def _syncs_per_second(path: Path) -> float:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        started = time.perf_counter()
        for place in range(SYNCS):
            os.pwrite(descriptor, bytes(4096), place * 4096)
            os.fdatasync(descriptor)
        return SYNCS / (time.perf_counter() - started)
    finally:
        os.close(descriptor)
        path.unlink()
