"""`earshot import-logs`: whatever way lines come in, each is counted once; and what it says of them adds up."""

import asyncio
import gzip
import json
import os
import signal
from itertools import permutations
from pathlib import Path
from typing import Any

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
from tests.api.measurement.downloads import product
from tests.conftest import Processes, free_port, wait_until
from tests.imported import (
    ENOUGH,
    EPISODES,
    SECRET,
    TALE,
    Imports,
    counted,
    different_lines,
    episode_id,
    line,
    outcomes,
    random_lines,
    straight,
    write,
)

ON_SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For what the store's dialect has no part in."""


@pytest.fixture
def imports(engine: Engine, store_url: str, tmp_path: Path) -> Imports:
    """An installation with a feed's episodes."""
    product.publish(engine, EPISODES)
    return Imports(tmp_path, store_url)


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
    imports.report(write(log, lines))
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


# -- what it says ------------------------------------------------------------------------------------------------------


def off_topic(report: dict[str, Any]) -> int:
    """Lines that are about no episode: in no rollup, and in the report."""
    return int(report["causes"].get("unknown_episode", 0) + report["causes"].get("not_audio", 0))


@pytest.mark.parametrize("seed", range(3))
def test_the_report_adds_up(imports: Imports, engine: Engine, tmp_path: Path, seed: int) -> None:
    lines = random_lines(100 + seed, 300)
    for part in (lines[:200], lines[100:]):
        before = outcomes(engine)
        report = imports.report(write(tmp_path / "a.log", part))
        assert report["hits"] == report["downloads"] + sum(report["causes"].values())
        assert report["lines"] == report["hits"] + report["known"] + report["unreadable"] + part.count("")
        assert report["problems"] == {}
        gained = {name: hits - before.get(name, 0) for name, hits in outcomes(engine).items()}
        told = {"download": report["downloads"], **report["causes"]}
        assert {name: hits for name, hits in gained.items() if hits} == {
            name: hits for name, hits in told.items() if name not in {"unknown_episode", "not_audio"}
        }
    assert report["known"] > 50


@ON_SQLITE
def test_unreadable_lines_are_kept_aside_with_their_numbers_and_without_addresses(
    imports: Imports, tmp_path: Path
) -> None:
    addresses = ["192.0.2.7", "2001:db8::7", "198.51.100.7:8080", "::ffff:203.0.113.9", "[2001:db8::8]:443"]
    told = [f"client {address}: no request at 12:00:00" for address in addresses]
    log = write(tmp_path / "a.log", [line(), told[0], "", *told[1:], line(seconds=1)])
    done = imports.run(log)
    assert (done.code, f"{len(told)} lines could not be read" in done.text) == (0, True)
    [aside] = (tmp_path / "imports").glob("*.tsv")
    assert str(aside) in done.text
    kept = [row.split("\t") for row in aside.read_text().splitlines()]
    assert [int(number) for number, _, _ in kept] == [2, 4, 5, 6, 7]
    assert all(reason for _, reason, _ in kept)
    assert all("[address]" in text for _, _, text in kept)
    assert [part for part in ("192.0", "2001", "198.51", "203.0", "db8", "8::") if part in aside.read_text()] == []
    assert aside.read_text().count("no request at 12:00:00") == len(told)


@ON_SQLITE
def test_a_packed_file_that_is_cut_off_is_read_as_far_as_it_goes(imports: Imports, tmp_path: Path) -> None:
    packed = gzip.compress("".join(f"{line(seconds=n, ip=f'192.0.2.{n % 250}')}\n" for n in range(4000)).encode())
    (tmp_path / "a.log.gz").write_bytes(packed[: len(packed) // 2])
    done = imports.run("--json", tmp_path / "a.log.gz")
    report = json.loads(done.out)
    assert done.code == 1
    assert report["problems"] == {str(tmp_path / "a.log.gz"): "its gzip part ends too early"}
    assert 0 < report["hits"] < 4000
    (tmp_path / "a.log.gz").write_bytes(packed)
    assert imports.report(tmp_path / "a.log.gz")["skipped"] == report["lines"]


@ON_SQLITE
def test_what_cannot_be_imported_is_refused_before_anything_is(
    imports: Imports, engine: Engine, tmp_path: Path
) -> None:
    log = write(tmp_path / "a.log", [line()])
    os.mkfifo(tmp_path / "pipe")
    for name, why in {
        "b.log": "there is no such file",
        "imports": "this is a folder. Name the files in it",
        "pipe": "this cannot be read twice. Pipe it in, and name `-` instead",
    }.items():
        (tmp_path / "imports").mkdir(exist_ok=True)
        done = imports.run(log, tmp_path / name)
        assert (done.code, f"{tmp_path / name}: {why}." in done.text) == (2, True), done
    assert outcomes(engine) == {}


@ON_SQLITE
def test_one_file_that_cannot_be_read_keeps_no_other_from_being_imported(
    imports: Imports, engine: Engine, tmp_path: Path
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    files = [write(tmp_path / folder / "access.log", ["no log at all"] * 9) for folder in ("a", "b")]
    done = imports.run("--json", files[0], write(tmp_path / "c.log", [line()]), files[1])
    assert done.code == 1
    assert {name: "in no format known here" in why for name, why in json.loads(done.out)["problems"].items()} == {
        str(path): True for path in files
    }
    assert outcomes(engine) == {"download": 1}


@ON_SQLITE
def test_paths_of_no_known_episode_are_told_and_a_pattern_finds_their_episodes(
    imports: Imports, engine: Engine, tmp_path: Path
) -> None:
    lines = [line(f"/cdn/{TALE.uuid}/v2.mp3", ip=f"192.0.2.{n}") for n in range(3)] + [line("/cdn/x.mp3"), line("/x")]
    log = write(tmp_path / "a.log", lines)
    done = imports.run(log)
    assert f"3 lines /cdn/{TALE.uuid}/v2.mp3 1 lines /cdn/x.mp3" in done.text
    assert "/x " not in done.text
    assert "--pattern says how paths name them" in done.text
    assert outcomes(engine) == {}
    again = imports.report(log, "--pattern", "/cdn/{id}/*.mp3")
    assert (again["downloads"], again["lines"], again["skipped"]) == (3, 5, 0)
    assert imports.report(log, "--pattern", "/cdn/{id}/*.mp3")["skipped"] == 5
    refused = imports.run(log, "--pattern", "/cdn/*.mp3")
    assert (refused.code, "must have one of {guid}, {id} and {file} in it" in refused.text) == (2, True)


@ON_SQLITE
def test_a_log_without_range_says_that_parts_were_added_up(imports: Imports, tmp_path: Path) -> None:
    half = ENOUGH // 2
    lines = [line(seconds=n, status=206, sent=half, asked=None) for n in range(2)]
    done = imports.run(write(tmp_path / "a.log", lines))
    assert "a.log: without the Range header. Partial answers were counted by their bytes, added up." in done.text
    assert "download │ 1 │" in done.text


@ON_SQLITE
def test_a_log_without_user_agents_says_that_all_of_it_is_judged_a_bots(
    imports: Imports, engine: Engine, tmp_path: Path
) -> None:
    lines = [line(seconds=n, asked=None).split(' "-"')[0] for n in range(7)]
    log = write(tmp_path / "common.log", lines)
    done = imports.run(log, "--format", "common")
    assert outcomes(engine) == {"bot": 7}
    assert "common.log: without user agents. A request without one is judged a bot's, so nothing in it" in done.text
    told = imports.run("--json", write(tmp_path / "combined.log", [*(line(agent="-") for _ in range(9)), line()]))
    assert json.loads(told.out)["without_agents"] == []


@ON_SQLITE
def test_without_an_episode_there_is_nothing_to_count_for(engine: Engine, store_url: str, tmp_path: Path) -> None:
    done = Imports(tmp_path, store_url).run(write(tmp_path / "a.log", [line()]))
    assert (done.code, done.text) == (
        1,
        "There is no episode to count downloads of. Make one, or bring a feed: earshot import-feed FEED",
    )


@ON_SQLITE
def test_what_a_worker_would_warn_of_is_not_in_the_json(imports: Imports, tmp_path: Path) -> None:
    imports.report(write(tmp_path / "a.log", [line()]))
    imports.settings["EARSHOT_DOWNLOAD_WINDOW"] = "last_touch"
    done = imports.run("--json", write(tmp_path / "b.log", [line(seconds=1)]))
    assert json.loads(done.out)["causes"] == {"duplicate": 1}
    assert "`earshot recount --apply`" in done.err
