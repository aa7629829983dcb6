"""`earshot import-logs`: whatever way lines come in, each is counted once; and what it says of them adds up."""

import asyncio
import gzip
import os
import signal
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from api.delivery.importing.episodes import EpisodeFinder
from api.delivery.importing.formats import Choice
from api.events import Record
from api.events.opening import open_log
from api.events.records import Gone, pack
from api.hits.lookup import make_classifier
from api.import_logs import Handles, Importer, Watcher
from api.measurement.worker import Worker
from api.settings import Settings
from models.queries import episode_urls
from tests.conftest import Processes, free_port, wait_until
from tests.imported import (
    APP,
    ENOUGH,
    EPISODES,
    SECRET,
    Imports,
    counted,
    different_lines,
    episode_id,
    line,
    off_topic,
    outcomes,
    random_lines,
    straight,
    write,
)

ON_SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For what the store's dialect has no part in."""


# -- each line once ----------------------------------------------------------------------------------------------------


def test_a_file_that_was_imported_is_skipped_and_so_is_a_packed_copy_of_it(
    imports: Imports, engine: Engine, tmp_path: Path
) -> None:
    log = write(tmp_path / "a.log", random_lines(1, 400))
    first = imports.report(log)
    before = counted(engine)
    assert first["downloads"] > 10
    assert first["skipped"] == 0
    packed = tmp_path / "old.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    for again in (log, packed):
        report = imports.report(again)
        assert (report["hits"], report["known"], report["lines"]) == (0, 0, 0)
        assert report["skipped"] == first["lines"]
    assert counted(engine) == before == straight(tmp_path / "straight", log)


def test_of_a_file_that_grew_only_the_new_lines_are_read(imports: Imports, engine: Engine, tmp_path: Path) -> None:
    lines = random_lines(2, 400)
    log = write(tmp_path / "a.log", lines[:150])
    imports.report(log)
    write(log, lines)
    report = imports.report(log)
    assert (report["skipped"], report["lines"]) == (150, len(lines) - 150)
    assert counted(engine) == straight(tmp_path / "straight", log)


def test_a_line_that_is_only_half_written_waits_for_its_end(imports: Imports, engine: Engine, tmp_path: Path) -> None:
    """Cut behind the number of bytes it could be read, and would be a bot's."""
    log = tmp_path / "a.log"
    whole = write(log, [line(seconds=n, ip=f"192.0.2.{n}") for n in range(8)]).read_bytes()
    log.write_bytes(whole[: whole.rindex(b' "-" "Overcast')])
    first = imports.run(log)
    assert (first.code, outcomes(engine)) == (0, {"download": 7})
    assert "a.log: its last line has no end yet. It is read by the next import, when it has one." in first.text
    log.write_bytes(whole)
    second = imports.report(log)
    assert (second["skipped"], second["lines"], second["unfinished"]) == (7, 1, [])
    assert outcomes(engine) == {"download": 8}


def test_a_last_line_that_lacks_nothing_but_its_end_is_read(imports: Imports, engine: Engine, tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", [line(seconds=n, ip=f"192.0.2.{n}") for n in range(8)], end="")
    report = imports.report(log)
    assert (report["lines"], report["unfinished"], outcomes(engine)) == (8, [], {"download": 8})
    grown = imports.report(write(log, [line(seconds=n, ip=f"192.0.2.{n}") for n in range(9)]))
    assert (grown["unreadable"], outcomes(engine)) == (0, {"download": 9})


@ON_SQLITE
def test_a_last_line_that_ends_with_a_number_waits_since_that_may_be_cut(
    imports: Imports, engine: Engine, tmp_path: Path
) -> None:
    """Half of the digits would be a line, too, of another size."""
    template = '$remote_addr "$http_user_agent" [$time_iso8601] "$request" $status $body_bytes_sent'
    lines = [f'192.0.2.{n} "{APP}" [2025-06-10T12:00:00Z] "GET /audio/e05.mp3" 200 {ENOUGH}' for n in range(8)]
    log = write(tmp_path / "a.log", lines)
    log.write_bytes(log.read_bytes()[:-4])
    assert imports.report(log, "--log-format", template)["unfinished"] == [str(log)]
    assert outcomes(engine) == {"download": 7}
    imports.report(write(log, lines), "--log-format", template)
    assert outcomes(engine) == {"download": 8}


def test_a_file_of_nothing_but_half_a_line_is_no_problem(imports: Imports, engine: Engine, tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", [line()], end="")
    report = imports.report(log)
    assert (report["lines"], report["unfinished"], outcomes(engine)) == (0, [str(log)], {})
    assert imports.report(write(log, [line()]))["downloads"] == 1


def test_the_last_line_of_a_packed_file_needs_no_end(imports: Imports, tmp_path: Path) -> None:
    packed = tmp_path / "a.log.gz"
    packed.write_bytes(gzip.compress(line().encode()))
    assert imports.report(packed)["downloads"] == 1
    assert imports.report("-", piped=line(ip="192.0.2.8").encode())["downloads"] == 1


def test_overlapping_files_in_any_order_are_counted_as_one(imports: Imports, engine: Engine, tmp_path: Path) -> None:
    lines = different_lines(3, 300)
    files = [write(tmp_path / f"{place}.log", lines[first : first + 180]) for place, first in enumerate((0, 120, 60))]
    whole = straight(tmp_path / "straight", write(tmp_path / "whole.log", lines[:300]))
    for place, order in enumerate(list(permutations(files))[1:]):
        found = straight(tmp_path / f"order {place}", *order)
        assert {**found, "pipeline_day": []} == {**whole, "pipeline_day": []}
    imports.report(*files)
    assert {**counted(engine), "pipeline_day": []} == {**whole, "pipeline_day": []}


def test_files_that_begin_alike_are_told_from_each_other(imports: Imports, engine: Engine, tmp_path: Path) -> None:
    lines = different_lines(4, 300)
    one = write(tmp_path / "one.log", lines[:150])
    other = write(tmp_path / "other.log", [*lines[:20], *lines[150:]])
    for log in (one, other, one, other):
        imports.report(log)
    last = imports.report(one, other)
    assert (last["lines"], last["skipped"]) == (0, 150 + len(lines) - 130)
    whole = straight(tmp_path / "straight", write(tmp_path / "whole.log", lines))
    assert counted(engine)["hit_outcome"] == whole["hit_outcome"]


def test_equal_lines_of_one_file_are_so_many_hits_and_in_a_second_file_they_are_the_same(
    imports: Imports, engine: Engine, tmp_path: Path
) -> None:
    three, two, five = (write(tmp_path / f"{n}.log", [line()] * n + [line(seconds=n)]) for n in (3, 2, 5))
    imports.report(three)
    assert outcomes(engine) == {"download": 1, "duplicate": 3}
    assert imports.report(two)["known"] == 2
    assert outcomes(engine) == {"download": 1, "duplicate": 4}
    assert imports.report(five)["known"] == 3
    assert outcomes(engine) == {"download": 1, "duplicate": 7}


def test_a_request_for_two_bytes_and_one_without_a_range_are_two(
    imports: Imports, engine: Engine, tmp_path: Path
) -> None:
    """Both sent the first two bytes, one after being asked for them only."""
    probe, part = (
        write(tmp_path / f"{name}.log", [line(status=206, sent=2, asked=asked), line(seconds=9, asked="bytes=0-")])
        for name, asked in (("probe", "bytes=0-1"), ("part", "bytes=0-"))
    )
    imports.report(probe)
    imports.report(part)
    assert outcomes(engine) == {"probe": 1, "download": 1, "duplicate": 1}


def test_the_standard_input_is_a_file_too(imports: Imports, engine: Engine, tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", random_lines(5, 300))
    first = imports.report("-", piped=log.read_bytes())
    assert counted(engine) == straight(tmp_path / "straight", log)
    again = imports.report("-", piped=gzip.compress(log.read_bytes()))
    assert again["hits"] == off_topic(again)
    assert again["known"] == first["hits"] - again["hits"]


def test_it_does_not_matter_how_many_partitions_the_event_log_has(
    imports: Imports, engine: Engine, tmp_path: Path
) -> None:
    imports.settings["EARSHOT_PARTITIONS"] = "4"
    lines = random_lines(6, 500)
    log = write(tmp_path / "a.log", lines[:200])
    imports.report(log)
    report = imports.report(write(log, lines))
    assert report["lines"] == report["hits"] + report["known"] + report["unreadable"] + lines[200:].count("")
    assert counted(engine) == straight(tmp_path / "straight", log)


def test_a_file_is_read_anew_once_more_of_its_episodes_are_known(
    imports: Imports, engine: Engine, tmp_path: Path
) -> None:
    log = write(
        tmp_path / "a.log", [line(f"/audio/{name}.mp3", seconds=n) for name in ("e05", "new") for n in range(9)]
    )
    assert imports.report(log)["causes"] == {"unknown_episode": 9, "duplicate": 8}
    publish_as(engine, "https://audio.example/audio/new.mp3")
    again = imports.report(log)
    assert (again["lines"], again["known"], again["skipped"]) == (18, 9, 0)
    assert outcomes(engine) == {"download": 2, "duplicate": 16}
    assert imports.report(log)["skipped"] == 18


def publish_as(engine: Engine, url: str) -> None:
    """One more address of an episode."""
    with Session(engine) as session:
        episode_urls.put_urls(session, episode_id(engine, EPISODES[0].uuid), [url])
        session.commit()


def test_a_country_that_only_the_second_file_knows_is_kept(imports: Imports, engine: Engine, tmp_path: Path) -> None:
    """Each rollup is the sum over the rows, also when a line changes nothing but what is known of its consumer."""
    combined = '$remote_addr - - [$time_local] "$request" $status $bytes_sent "$http_referer" "$http_user_agent"'
    plain, told = (write(tmp_path / f"{name}.log", [line(asked=name)]) for name in ("-", "de"))
    assert imports.report(plain)["downloads"] == 1
    for copy in ("second", "third"):
        again = write(tmp_path / f"{copy}.log", [line(path=f"/{copy}.css", asked="-"), told.read_text().rstrip()])
        report = imports.report(again, "--log-format", f'{combined} "$geoip2_data_country_code"')
        assert report["known"] == 1
        assert country(engine, "download_split", "value", "WHERE kind = 'country' AND downloads > 0") == [("DE",)]
        assert country(engine, "consumer_day", "country") == [("DE",)]


def country(engine: Engine, table: str, column: str, where: str = "") -> list[tuple[str]]:
    with engine.connect() as connection:
        return [(row[0],) for row in connection.execute(text(f"SELECT {column} FROM {table} {where}"))]


# -- not alone ---------------------------------------------------------------------------------------------------------


def test_two_imports_at_once_count_each_line_once(imports: Imports, engine: Engine, tmp_path: Path) -> None:
    """Of the same file, and of two files that begin alike."""
    lines = different_lines(7, 600)
    one = write(tmp_path / "one.log", lines[:400])
    other = write(tmp_path / "other.log", [*lines[:100], *lines[400:]])
    running = [imports.start("--json", path) for path in (one, other, one, other)]
    for process in running:
        _, err = process.communicate()
        assert process.returncode == 0, err
    found, whole = counted(engine), straight(tmp_path / "straight", one, other)
    assert {**found, "pipeline_day": []} == {**whole, "pipeline_day": []}


def test_an_import_waits_for_the_one_that_is_running(imports: Imports, tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", [line()])
    first = imports.start("--json", log, EARSHOT_FAILPOINT="import.after_append:1:stop")
    os.waitid(os.P_PID, first.pid, os.WSTOPPED | os.WNOWAIT)
    second = imports.start(log)
    assert second.stderr is not None
    assert b"Another import is running; waiting for it to end." in second.stderr.readline()
    first.send_signal(signal.SIGCONT)
    assert first.communicate()[0]
    out, _ = second.communicate()
    assert first.returncode == second.returncode == 0
    assert b"1 lines skipped: the same file was imported before." in b" ".join(out.split())


@pytest.mark.parametrize("command", [["worker"], ["up", "--no-demo"]], ids=["worker", "up"])
def test_a_worker_that_is_running_counts_what_an_import_appends(
    imports: Imports, processes: Processes, engine: Engine, tmp_path: Path, command: list[str]
) -> None:
    ports = {"EARSHOT_PORT": str(free_port()), "EARSHOT_DASHBOARD_PORT": str(free_port())}
    processes.start(*command, **ports, **imports.environment())
    wait_until((tmp_path / "worker.alive").exists, "the worker to turn")
    log = write(tmp_path / "a.log", random_lines(8, 600))
    report = imports.report(log)
    assert report["hits"] - off_topic(report) == sum(outcomes(engine).values())
    assert counted(engine) == straight(tmp_path / "straight", log)


def test_an_import_ends_though_others_keep_the_worker_busy(imports: Imports, engine: Engine, tmp_path: Path) -> None:
    """It waits for its own lines, and not for a moment in which nothing is left to count."""
    log = open_log(f"sqlite:///{tmp_path / 'events.db'}")
    settings = Settings(home=tmp_path, store_url=imports.store_url, secret=SECRET)
    importer = Importer(
        Handles(settings, engine, log, make_classifier(settings), SECRET), EpisodeFinder(engine), Watcher()
    )
    worker = Worker(engine, log, settings)

    rounds = iter(range(20))

    def count_some() -> None:
        next(rounds)
        worker.step()
        asyncio.run(log.append(Record(b"of somebody else", pack(Gone()))))

    importer._count_some = count_some  # type: ignore[method-assign]
    importer.run(str(write(tmp_path / "a.log", [line()])), Choice())
    log.close()
    assert importer.report.downloads == 1
