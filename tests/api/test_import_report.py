"""What `earshot import-logs` says: it adds up, and tells what to do about what could not be counted."""

import gzip
import json
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.imported import (
    ENOUGH,
    TALE,
    Imports,
    line,
    outcomes,
    random_lines,
    write,
)

ON_SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For what the store's dialect has no part in."""


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
