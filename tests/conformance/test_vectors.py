"""The published vectors are what they say, by other code than the suite's."""

import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import zstandard

from conformance.published import FOLDER, body_of, load
from conformance.suite import CLAUSES, all_requirements
from tests.device import event_id

ROOT = Path(__file__).parents[2]
UNPACK = {
    "": bytes,
    "gzip": gzip.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor(max_window_size=8 << 20).decompressobj().decompress(body),
}


@pytest.mark.parametrize("name", ["sync_chain", "playbacks"])
def test_the_suite_has_the_vectors_of_the_service(name: str) -> None:
    assert load(name) == json.loads((ROOT / "tests" / "vectors" / f"{name}.json").read_text())


def test_a_receipt_is_the_hash_of_the_unpacked_body() -> None:
    taken = [case for case in load("bodies")["cases"] if case["status"] == 202]
    assert len(taken) > 10
    for case in taken:
        text = UNPACK[case["content_encoding"]](body_of(case))
        assert hashlib.sha256(text).hexdigest() == case["receipt"], case["name"]
        assert len(json.loads(text)["events"]) == case["accepted"] + len(case["rejected"]), case["name"]


def test_the_edges_are_exact() -> None:
    sizes = {
        case["name"]: len(UNPACK[case["content_encoding"]](body_of(case)))
        for case in load("bodies")["cases"]
        if case["group"] in {"edges", "too_large"} and "bytes" in case["name"]
    }
    assert len(sizes) == 6
    for name, size in sizes.items():
        assert name.startswith(f"{size:,} bytes")


@pytest.mark.parametrize("log", load("logs")["logs"], ids=lambda log: log["name"])
def test_the_heads_of_the_logs_are_those_of_their_events(log: dict[str, Any]) -> None:
    for batch in log["batches"]:
        body, rejected = batch["body"], {item["seq"] for item in batch["rejected"]}
        previous = body["after"]
        for event in body["events"]:
            if event["seq"] not in rejected:
                previous = event_id(load("logs")["device_id"], previous, event)
        is_genuine = previous == body["head"]
        assert is_genuine or batch["chain"] == "broken", batch["name"]


@pytest.mark.parametrize("name", ["bodies", "events"])
def test_every_group_has_cases_and_every_case_a_group(name: str) -> None:
    vectors = load(name)
    assert set(vectors["groups"]) == {case["group"] for case in vectors["cases"]}
    names = [(case["group"], case["name"]) for case in vectors["cases"]]
    assert len(names) == len(set(names))


def test_every_file_of_vectors_says_how_it_is_read_and_is_on_the_page() -> None:
    page = (ROOT / "docs" / "sync-protocol.md").read_text()
    files = sorted(path.name for path in FOLDER.glob("*.json"))
    assert files == sorted(re.findall(r"^\| `(\w+\.json)`", page, re.MULTILINE))
    assert all(load(name.removesuffix(".json"))["about"] for name in files)


def test_a_requirement_has_an_id_of_its_own_and_a_clause_of_the_page() -> None:
    requirements = all_requirements()
    ids = [requirement.id for requirement in requirements]
    assert len(ids) == len(set(ids))
    headings = re.findall(r"^## (.+)$", (ROOT / "docs" / "sync-protocol.md").read_text(), re.MULTILINE)
    assert [heading for heading in headings if heading in CLAUSES] == list(CLAUSES)
    assert {requirement.clause for requirement in requirements} == set(CLAUSES)
