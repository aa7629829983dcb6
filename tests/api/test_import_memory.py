"""However long a log is, importing it takes the memory of a few blocks and of the rows that they touch."""

import gzip
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.api.measurement.downloads import product
from tests.imported import APP, ENOUGH, EPISODES, NOON, Imports, outcomes

UNPACKED_BYTES = 300_000_000
LINES = 1_100_000
MOST_MEMORY_KIB = 1_000_000
IMPORT = """
import sys
from pathlib import Path
from api.cli import app
app(["import-logs", "--json", sys.argv[1]], standalone_mode=False)
print(Path("/proc/self/status").read_text(), file=sys.stderr)
"""


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_log_of_300_megabytes_takes_less_than_a_gigabyte(engine: Engine, store_url: str, tmp_path: Path) -> None:
    product.publish(engine, EPISODES)
    log = tmp_path / "a.log.gz"
    assert write_log(log) > UNPACKED_BYTES
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, log],
        env=Imports(tmp_path, store_url).environment(EARSHOT_EXCESS_CAP="1000"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert sum(outcomes(engine).values()) == LINES
    assert outcomes(engine)["download"] > LINES / 5
    peak = re.search(r"VmHWM:\s+(\d+)", done.stderr)
    assert peak is not None
    assert int(peak[1]) < MOST_MEMORY_KIB


def write_log(path: Path) -> int:
    """Three days of some 250,000 consumers, each line another time and part; its length unpacked."""
    paths = [f"/audio/e0{place}.mp3?source=feed&session=" for place in (1, 4, 5)]
    agents = [f"{APP} {number:03d} {'build ' * 20}" for number in range(300)]
    written = 0
    with gzip.open(path, "wt", compresslevel=1) as out:
        for first in range(0, LINES, 1000):
            at = datetime.fromtimestamp(NOON.timestamp() + first * 259_200 // LINES, UTC)
            stamp = at.strftime("%d/%b/%Y:%H:%M:%S %z")
            text = "".join(
                f"10.{n * 7 % 251}.{n * 13 % 241}.{n % 4} - - [{stamp}] "
                f'"GET {paths[n % 3]}{n:020d} HTTP/1.1" 200 {ENOUGH + n} "-" "{agents[n % 300]}" "-"\n'
                for n in range(first, first + 1000)
            )
            written += len(text)
            out.write(text)
    return written
