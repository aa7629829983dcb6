"""The log that reading is measured with is what it says it is, and both read all of it."""

import gzip
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

from api.delivery.importing.reader import open_log
from bench.access_log import OTHERS, Plan, lines, make_files, write
from bench.importing import count_naively, make_log, read
from bench.naive import access_log as naive
from tests.api.delivery.importing.logs import drain

BOT = re.compile("bot/|python-requests")
PLAN = Plan(lines=20_000, files=make_files(), days=1, since=1_793_491_200)


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.gz", "two.gz", "plain"):
        write(tmp_path / name, PLAN)
    packed = (tmp_path / "one.gz").read_bytes()
    assert packed == (tmp_path / "two.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "plain").read_bytes()
    assert list(lines(PLAN)) != list(
        lines(Plan(**{field: getattr(PLAN, field) for field in PLAN.__slots__} | {"seed": 2}))
    )


def test_a_log_is_like_those_of_podcast_hosts(tmp_path: Path) -> None:
    write(tmp_path / "log", PLAN)
    with open_log(str(tmp_path / "log")) as reader:
        rows = drain(reader).rows
    assert len(rows) == PLAN.lines
    audio = [row for row in rows if row["path"] not in OTHERS]
    keys = Counter((row["ip"], row["user_agent"], row["path"]) for row in audio)
    assert 0.01 < 1 - len(audio) / len(rows) < 0.06
    assert 1.8 < len(audio) / len(keys) < 3.5
    assert 0.02 < sum(BOT.search(row["user_agent"]) is not None for row in rows) / len(rows) < 0.08
    assert {row["status"] for row in rows} == {200, 206}
    assert {row["method"] for row in rows} == {"GET", "HEAD"}
    times = [row["at_ms"] for row in rows]
    assert times != sorted(times), "lines are written when the answer is over"
    assert max(earlier - later for earlier, later in pairwise(times)) <= 4000


def test_ours_and_the_baseline_read_every_line(tmp_path: Path) -> None:
    log, _ = make_log(tmp_path, 5000)
    assert read(log) == count_naively(log, tmp_path / "naive.db") == 5000
    (tmp_path / "naive.db").unlink()
    outcome = naive.count(log, tmp_path / "naive.db")
    assert outcome.downloads + outcome.causes.total() == 5000
    assert {"bot", "not_get", "not_audio", "probe", "short", "duplicate"} == set(outcome.causes)
