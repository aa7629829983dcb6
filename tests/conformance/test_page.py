"""docs/sync-protocol.md suffices: its bytes are recomputed, its commands and its code are run as they stand."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from api.sync.tokens import DeviceTokens
from conformance.published import body_of, load
from tests.conftest import Processes, wait_until
from tests.device import DAY_MS
from tests.factories import make_episode

PAGE = (Path(__file__).parents[2] / "docs" / "sync-protocol.md").read_text()
DEVICE = "0b6f6a0e-7c1d-4b57-9a53-6f0f5a6d2e11"
PROSE = " ".join(PAGE.split())
"""The page without its line ends, to find sentences in."""
SECRET = "a secret that the test knows"


def blocks(language: str, beginning: str = "") -> list[str]:
    """The page's fenced blocks that begin like this."""
    found = re.findall(rf"^```{language}\n(.*?)\n```$", PAGE, re.DOTALL | re.MULTILINE)
    return [text for text in found if text.startswith(beginning)]


def test_each_worked_event_hashes_to_the_id_beside_it() -> None:
    texts = blocks("text", "earshot/1\n")
    beside = re.findall(r"These (\d+) bytes hash to `([0-9a-f]{64})`", PROSE)
    assert len(texts) == len(beside) == 2
    for text, (size, event_id) in zip(texts, beside, strict=True):
        assert (len(text.encode()), hashlib.sha256(text.encode()).hexdigest()) == (int(size), event_id)
    assert texts[1].split("\n")[3] == beside[0][1]
    assert [event_id for _, event_id in beside] == load("sync_chain")["batches"][0]["ids"][:2]


def test_each_worked_event_is_that_of_the_batch() -> None:
    batch = json.loads(blocks("json", '{"sent_at_ms"')[0])
    for text, event in zip(blocks("text", "earshot/1\n"), batch["events"], strict=False):
        _, device, seq, _, *fields, offline = text.split("\n")
        names = ("kind", "episode", "session", "at_ms", "from_ms", "to_ms", "wall_ms")
        assert (device, int(seq), offline) == (DEVICE, event["seq"], str(int(event["offline"])))
        assert fields == [str(event[name]) for name in names]


def test_the_body_in_bytes_is_the_batch_and_has_the_receipt_beside_it() -> None:
    (text,) = blocks("text", '{"sent_at_ms"')
    assert json.loads(text) == json.loads(blocks("json", '{"sent_at_ms"')[0])
    size = re.search(r"in bytes as they may travel, ([\d,]+) of them", PROSE)
    assert size is not None
    assert len(text.encode()) == int(size[1].replace(",", ""))
    receipt = hashlib.sha256(text.encode()).hexdigest()
    assert f"**receipt**, `{receipt}`" in PROSE
    assert json.loads(blocks("json", '{"receipt"')[0])["receipt"] == receipt
    assert body_of(load("bodies")["cases"][0]) == text.encode()


def test_the_clock_of_the_example_is_that_of_the_formula() -> None:
    numbers = re.search(
        r"sent at (\d+), answered at (\d+) with `server_time_ms` (\d+): the offset is (\d+), "
        r"and what happens at (\d+) by the device has `at_ms` (\d+)",
        PROSE,
    )
    assert numbers is not None
    sent, received, server, offset, device, at = map(int, numbers.groups())
    assert server - (sent + received) // 2 == offset
    assert device + offset == at


@pytest.fixture
def api(processes: Processes, engine: Engine) -> Iterator[httpx2.Client]:
    """A running Earshot whose secret is known, so that the page's device can have a token."""
    url, _ = processes.serve(EARSHOT_SECRET=SECRET)
    processes.start("worker", EARSHOT_SECRET=SECRET)
    with httpx2.Client(base_url=url, trust_env=False) as client:
        yield client


def fate(api: httpx2.Client, receipt: str, token: str) -> dict[str, Any]:
    """What a receipt says once it is counted."""
    headers = {"Authorization": f"Bearer {token}"}
    wait_until(lambda: api.get(f"/v1/sync/{receipt}", headers=headers).json()["state"] == "done", "the receipt")
    return dict(api.get(f"/v1/sync/{receipt}", headers=headers).json())


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl: apt-get install curl")
def test_the_command_shown_gets_the_answer_shown(api: httpx2.Client, tmp_path: Path) -> None:
    (tmp_path / "batch.json").write_text(blocks("text", '{"sent_at_ms"')[0])
    token = DeviceTokens(SECRET).issue(UUID(DEVICE))
    done = subprocess.run(
        ["bash", "-c", blocks("sh", "gzip")[0]],
        env={**os.environ, "API": str(api.base_url).rstrip("/"), "TOKEN": token},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    answer, shown = json.loads(done.stdout), json.loads(blocks("json", '{"receipt"')[0])
    assert {**answer, "server_time_ms": 0} == {**shown, "server_time_ms": 0}
    assert fate(api, answer["receipt"], token)["chain"] == "intact"


def page_log(device_id: str, listen_seconds: int) -> Any:
    """A log as the page's own code keeps it."""
    names: dict[str, Any] = {}
    exec(blocks("python", "from hashlib")[0], names)
    return names["Log"](device_id, listen_seconds)


def told() -> list[dict[str, Any]]:
    """The timeline of the page's example."""
    (text,) = blocks("json", '[{"kind"')
    return [{**event, "session": "s1", "offline": True} for event in json.loads(text)]


def table() -> list[tuple[int, str, str, int, int, int]]:
    """The log that the page says comes of it."""
    rows = re.findall(r"^\| (\d+) \| (\w+) \| (\w+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    return [(int(seq), kind, episode, int(at), int(a), int(b)) for seq, kind, episode, at, a, b in rows]


def test_the_code_shown_seals_the_example_as_the_table_shows() -> None:
    log = page_log(DEVICE, 30)
    for event in told():
        log.record(event, 600)
    names = ("seq", "kind", "episode", "at_ms", "from_ms", "to_ms")
    assert [tuple(event[name] for name in names) for event in log.sealed] == table()
    assert len(table()) == 7


def test_the_code_shown_seals_a_trailer_that_was_heard_whole() -> None:
    log = page_log(DEVICE, 30)
    event = {"kind": "complete", "episode": "trailer", "session": "s1", "offline": False, "at_ms": 1793052600000}
    log.record({**event, "from_ms": 0, "to_ms": 20_600, "wall_ms": 20_600}, 20)
    assert [sealed["kind"] for sealed in log.sealed] == ["complete"]


def test_the_example_counts_when_the_code_shown_sends_it(api: httpx2.Client, engine: Engine) -> None:
    with Session(engine) as session:
        episodes = {name: str(make_episode(session).uuid) for name in ("trains", "rivers", "clouds")}
    device = api.post("/v1/devices", json={"app": "My Player"}).json()
    events = told()
    days_later = device["server_time_ms"] // DAY_MS - events[-1]["at_ms"] // DAY_MS - 1
    log = page_log(device["device_id"], device["listen_seconds"])
    for event in events:
        at_ms = event["at_ms"] + days_later * DAY_MS
        log.record({**event, "episode": episodes[event["episode"]], "at_ms": at_ms}, 600)
    batch = log.next_batch(device["server_time_ms"])
    headers = {"Authorization": f"Bearer {device['token']}"}
    answer = api.post("/v1/sync", json=batch, headers=headers)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 7)
    log.confirmed(batch)
    assert (log.sealed, log.ids) == ([], [batch["head"]])
    intact = {"state": "done", "counted": 7, "duplicate": 0, "set_aside": {}, "chain": "intact"}
    assert fate(api, answer.json()["receipt"], device["token"]) == intact
    log.end_days(device["server_time_ms"] + DAY_MS)
    second = log.next_batch(device["server_time_ms"])
    assert second["after"] == batch["head"]
    answer = api.post("/v1/sync", json=second, headers=headers)
    assert fate(api, answer.json()["receipt"], device["token"])["chain"] == "intact"
