"""A creator verifies her statement by herself: with her export, the published script, and nothing of Earshot."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.events.archive import Archive
from api.events.records import Erase, pack
from api.settings import Settings
from models import statements as rules
from models.payouts import Statement
from tests.proof_world import OCT, ProofWorld, lively, october

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_statement.py"
Records = list[dict[str, Any]]


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """On one engine: nothing here touches the dialect."""
    return sqlite_url


@pytest.fixture
def world(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, client: TestClient
) -> Iterator[ProofWorld]:
    """October of a lively installation; another creator has a show with the same campaign's ad."""
    found = lively(ProofWorld(engine, settings, monkeypatch, client))
    other = found.office.show("dave")
    found.office.plan(other)
    found.theirs = found.office.episode(other)
    found.place(found.tea, found.theirs, 0, 20)
    found.count()
    for phone in found.phones:
        found.hear(phone, found.theirs, october(11), (0, 100))
    found.count()
    yield found
    found.house.close()


@pytest.fixture
def statement(world: ProofWorld) -> Statement:
    """Carol's, of October."""
    carol = world.office.users["carol"].id
    return next(row for row in world.close(OCT) if row.creator_id == carol)


def read(path: Path) -> Records:
    """The records of an export."""
    with gzip.open(path, "rt") as file:
        return [json.loads(line) for line in file]


def judged(path: Path) -> tuple[int, str]:
    """Exit code and output of the published script, run as a creator runs it: without Earshot, without packages."""
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=path.parent)
    return done.returncode, done.stdout + done.stderr


def rewritten(path: Path, change: Callable[[Records], object]) -> Path:
    """The export with something changed."""
    records = read(path)
    change(records)
    other = path.with_name("tampered.gz")
    with gzip.open(other, "wt") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    return other


def playbacks(records: Records) -> Records:
    """Those of an export."""
    return [record for record in records if record["type"] == "playback"]


def test_an_export_agrees_with_its_statement(world: ProofWorld, statement: Statement, tmp_path: Path) -> None:
    path = world.export(statement, tmp_path / "mine.gz")
    code, told = judged(path)
    assert code == 0, told
    assert "The statement agrees with this export, line by line." in told
    assert "Delivered impressions are the operator's sums" in told
    records = read(path)
    assert (
        len(playbacks(records))
        == world.house.rows(f"SELECT count(*) FROM playback WHERE episode_id <> {world.theirs.id}")[0][0]
    )
    assert {record["flag"] for record in playbacks(records)} == {"", "held"}
    assert {record["offline"] for record in playbacks(records)} == {True, False}


def test_an_export_tells_nothing_of_devices_and_of_others(
    world: ProofWorld, statement: Statement, tmp_path: Path
) -> None:
    path = world.export(statement, tmp_path / "mine.gz")
    text = gzip.decompress(path.read_bytes()).decode()
    secrets = [str(world.theirs.uuid), "budget_cents", "settled_before", "placements"]
    secrets += [part for phone in world.phones for part in (phone.device_id, phone.bytes.hex(), phone.device_id[:8])]
    secrets += [name for phone in world.phones for name in (phone.ids[0], phone.ids[0][:16])]
    assert [secret for secret in secrets if secret in text] == []
    names = {name for record in playbacks(read(path)) for name in record}
    assert names == {"type", "number", "day", "episode", "heard", "offline", "flag"}
    assert {record["episode"] for record in playbacks(read(path))} == {world.tale.id, world.saga.id}


def test_the_order_of_playbacks_ties_no_days_together(world: ProofWorld, statement: Statement, tmp_path: Path) -> None:
    texts = {world.export(statement, tmp_path / "mine.gz").read_bytes() for _ in range(3)}
    assert len(texts) == 3


def one_listen_more(records: Records) -> None:
    """As if somebody else had heard it, too."""
    records.insert(-1, playbacks(records)[-1] | {"number": 999})
    records[-1]["playbacks"] += 1


def a_coverage_cut(records: Records) -> None:
    """Somebody heard less."""
    next(found for found in playbacks(records) if found["heard"] == [[5, 35]])["heard"] = [[5, 34]]


def an_ad_not_heard(records: Records) -> None:
    """Somebody left before the ad."""
    next(found for found in playbacks(records) if [50, 80] in found["heard"])["heard"].pop()


def a_flag_gone(records: Records) -> None:
    """Nothing was held."""
    next(found for found in playbacks(records) if found["flag"])["flag"] = ""


def a_line_changed(records: Records) -> None:
    """A cent less."""
    records[0]["lines"][0]["amount_cents"] -= 1


def a_total_changed(records: Records) -> None:
    """A cent less."""
    records[0]["statement"]["total_cents"] -= 1


def a_price_changed(records: Records) -> None:
    """A cent less for a thousand."""
    records[0]["inputs"]["plans"][0]["listen_price_cents"] -= 1


def a_delivery_more(records: Records) -> None:
    """One more than the statement counts."""
    next(record for record in records if record["type"] == "delivered")["counted"] += 1


TAMPERED = [
    *(one_listen_more, a_coverage_cut, an_ad_not_heard, a_flag_gone),
    *(a_line_changed, a_total_changed, a_price_changed, a_delivery_more),
]


def test_whatever_is_changed_the_script_says_so(world: ProofWorld, statement: Statement, tmp_path: Path) -> None:
    path = world.export(statement, tmp_path / "mine.gz")
    assert judged(rewritten(path, lambda _: None))[0] == 0
    told = {change.__name__: judged(rewritten(path, change)) for change in TAMPERED}
    assert {name: code for name, (code, _) in told.items()} == dict.fromkeys(told, 1)
    assert all("does NOT agree" in text for _, text in told.values())
    assert "The inputs have another hash" in told["a_price_changed"][1]
    assert "A line differs" in told["a_line_changed"][1]


def test_half_a_file_and_other_rules_are_refused(world: ProofWorld, statement: Statement, tmp_path: Path) -> None:
    path = world.export(statement, tmp_path / "mine.gz")
    for change in (
        lambda records: records.pop(),
        lambda records: records.pop(-2),
        lambda records: records[0]["statement"].update(rule_version="payout/9 listen/30s"),
        lambda records: records[0].update(format="earshot-statement/9"),
    ):
        code, told = judged(rewritten(path, change))
        assert (code, "cannot be verified" in told) == (2, True), told
    assert judged(tmp_path / "nothing.gz")[0] == 2


def test_the_script_knows_the_rules_of_this_release() -> None:
    assert f'RULES = "{rules.RULE_VERSION}"' in SCRIPT.read_text()


def test_playbacks_of_devices_erased_since_are_marked(world: ProofWorld, statement: Statement, tmp_path: Path) -> None:
    for phone in (world.phones[0], world.cheat):
        world.house.append(phone.bytes, pack(Erase(phone.bytes)))
    world.count()
    world.house.housekeeper.erase()
    path = world.export(statement, tmp_path / "mine.gz")
    code, told = judged(path)
    assert code == 0, told
    assert "are from devices erased since" in told
    assert sum(record.get("erased", False) for record in playbacks(read(path))) == 8


def test_a_creator_gets_her_own_export_over_http_and_admins_verify(
    world: ProofWorld, statement: Statement, tmp_path: Path
) -> None:
    call, path = world.office.call, f"/v1/statements/{statement.uuid}"
    answer = call("carol", "GET", f"{path}/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/gzip"
    assert answer.headers["content-disposition"].startswith('attachment; filename="statement-2026-10-EUR-')
    (tmp_path / "mine.gz").write_bytes(answer.content)
    assert judged(tmp_path / "mine.gz")[0] == 0
    assert call("dave", "GET", f"{path}/export").status_code == 404
    found = call("ada", "POST", f"{path}/verify")
    assert (found.status_code, found.json()["verdict"]) == (200, "agrees"), found.text
    assert call("carol", "POST", f"{path}/verify").status_code == 403


def test_while_somebody_is_at_the_archive_the_others_are_told_to_come_again(
    world: ProofWorld, statement: Statement
) -> None:
    with Archive(world.settings.resolved_archive_dir()).lock():
        answer = world.office.call("carol", "GET", f"/v1/statements/{statement.uuid}/export")
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_an_export_without_its_records_is_refused(world: ProofWorld, statement: Statement) -> None:
    world.house.log.trim(0, 3, int(world.now.timestamp() * 1000) + 1)
    answer = world.office.call("carol", "GET", f"/v1/statements/{statement.uuid}/export")
    assert (answer.status_code, answer.json()["error"]) == (409, "cannot_be_proved")
    assert "The records before offset 3" in answer.json()["message"]
