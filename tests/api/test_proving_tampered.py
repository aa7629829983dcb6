"""What somebody changed behind Earshot's back is found by verifying; what log and archive lack is refused as proof."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, select
from typer.testing import CliRunner

from api.cli import app
from api.payouts import statements, views
from api.payouts.verify import Outcome, Report
from api.settings import Settings
from models import statements as rules
from models.columns import DAY_MS
from models.payouts import Statement
from models.queries.statements import list_lines
from tests.api.payouts.test_pdf import written
from tests.api.test_proving import outcomes, problems
from tests.break_in import drop_triggers
from tests.proof_world import NOV, OCT, ProofWorld, lively, october

run = CliRunner().invoke


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """On one engine: nothing here touches the dialect."""
    return sqlite_url


@pytest.fixture
def world(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProofWorld]:
    """October of a lively installation."""
    found = lively(ProofWorld(engine, settings, monkeypatch))
    yield found
    found.house.close()


@pytest.fixture
def statement(world: ProofWorld) -> Statement:
    """October's, approved."""
    return world.step("approve", world.close(OCT)[0])


def test_a_changed_amount_of_a_line_is_found(world: ProofWorld, statement: Statement) -> None:
    world.change("UPDATE statement_line SET amount_cents = amount_cents + 1 WHERE kind = 'listens' AND quantity > 30")
    report = world.verify(statement)
    assert outcomes(report) == {"lines": Outcome.DIFFERS, "ledger": Outcome.DIFFERS}
    assert [line.agrees for line in report.lines].count(False) == 1
    assert report.verdict is Outcome.DIFFERS


def test_a_changed_total_is_found(world: ProofWorld, statement: Statement) -> None:
    world.change("UPDATE statement SET total_cents = total_cents + 1")
    found = outcomes(world.verify(statement))
    assert found == {"draft": Outcome.DIFFERS, "lines": Outcome.DIFFERS, "ledger": Outcome.DIFFERS}


def repinned(world: ProofWorld, change: Any, *, with_hash: bool) -> None:
    """Change the pinned inputs, and perhaps their hash."""
    with world.engine.begin() as connection:
        drop_triggers(connection)
        packed = connection.execute(text("SELECT inputs FROM statement")).scalar_one()
        inputs = rules.unpack(packed)
        change(inputs)
        kept, digest = rules.pack(inputs, rules.unpack_sealed(packed))
        connection.execute(text("UPDATE statement SET inputs = :kept"), {"kept": kept})
        if with_hash:
            connection.execute(text("UPDATE statement SET inputs_hash = :digest"), {"digest": digest})


def one_more(inputs: rules.Inputs) -> None:
    """A listen that nobody heard."""
    row = inputs["counts"][-1]
    for place in (3, 7, 8):
        row[place] += 1


def test_changed_inputs_are_found_by_their_hash(world: ProofWorld, statement: Statement) -> None:
    repinned(world, one_more, with_hash=False)
    report = world.verify(statement)
    assert outcomes(report) == {"inputs": Outcome.DIFFERS}
    assert report.verdict is Outcome.DIFFERS


def test_changed_inputs_with_a_changed_hash_are_found_by_everything_else(
    world: ProofWorld, statement: Statement
) -> None:
    repinned(world, one_more, with_hash=True)
    report = world.verify(statement)
    assert outcomes(report) == dict.fromkeys(("draft", "lines", "settled", "counts"), Outcome.DIFFERS)


def invented(inputs: rules.Inputs) -> None:
    """A price that no plan has, and an amount that no statement carried."""
    inputs["plans"][0]["listen_price_cents"] = 90_000
    row = {"statement": "00000000-0000-0000-0000-000000000000", "month": "2026-09-01", "cents": 777_777}
    inputs["brought_forward"] = [row]


def forged(world: ProofWorld) -> None:
    """Invent them in every row that can be made to fit: inputs, hash, lines and totals."""
    repinned(world, invented, with_hash=True)
    with Session(world.engine) as session:
        row = session.exec(select(Statement)).one()
        worked = rules.work_out(rules.unpack(row.inputs))
        row.total_cents, row.brought_forward_cents = worked.total_cents, worked.brought_forward_cents
        row.is_carried = worked.is_carried
        lines = list_lines(session, row.id or 0)
        for line, made in zip(lines, worked.lines, strict=True):
            line.exact, line.amount_cents = made.exact, made.amount_cents
        session.add_all([row, *lines])
        session.commit()


def test_an_invented_price_and_an_invented_amount_are_found_and_nobody_approves_them(world: ProofWorld) -> None:
    (draft,) = world.close(OCT)
    forged(world)
    report = world.verify(draft)
    assert outcomes(report) == {"draft": Outcome.DIFFERS, "pins": Outcome.DIFFERS}
    assert "are not as they are pinned" in problems(report)
    assert "bring forward 777777 of 1 statements; there are 0" in problems(report)
    with pytest.raises(statements.DiffersError, match="not what it was drafted as"):
        world.step("approve", draft)
    assert world.found(draft.uuid).statement.state == "draft"


def test_what_was_forged_after_it_was_approved_is_not_paid(world: ProofWorld, statement: Statement) -> None:
    forged(world)
    with pytest.raises(statements.DiffersError, match="it was drafted"):
        world.step("pay", statement, "TX-1")
    assert world.found(statement.uuid).statement.state == "approved"


def test_a_second_entry_of_its_draft_in_the_audit_trail_is_found(world: ProofWorld, statement: Statement) -> None:
    world.change(
        "INSERT INTO audit_entry (id, at, action, subject, subject_uuid, detail) "
        "SELECT -1, at, action, subject, subject_uuid, detail FROM audit_entry WHERE action = 'statement.drafted'"
    )
    report = world.verify(statement)
    assert "draft: The audit trail has 2 entries of its draft" in problems(report)
    assert report.verdict is Outcome.DIFFERS


def test_a_day_that_was_left_out_of_the_inputs_is_found(world: ProofWorld, statement: Statement) -> None:
    repinned(world, lambda inputs: inputs["counts"].pop(), with_hash=True)
    report = world.verify(statement)
    assert outcomes(report)["counts"] is Outcome.DIFFERS
    assert "stated nothing; recomputed" in problems(report)


def more_than_the_budget(inputs: rules.Inputs) -> None:
    """The advertiser's budget would not have paid for these."""
    for row in inputs["counts"]:
        row[8], row[9] = row[8] + row[9], 0


def test_impressions_beyond_the_budget_are_found(world: ProofWorld, statement: Statement) -> None:
    repinned(world, more_than_the_budget, with_hash=True)
    report = world.verify(statement)
    assert outcomes(report)["limits"] is Outcome.DIFFERS
    assert "pay for another number than its budget and caps leave" in problems(report)


def test_a_changed_seal_is_found(world: ProofWorld, statement: Statement) -> None:
    packed = world.found(statement.uuid).statement.inputs
    sealed = rules.unpack_sealed(packed)
    assert sealed is not None
    sealed["campaigns"][0]["budget_cents"] += 1
    kept, _ = rules.pack(rules.unpack(packed), sealed)
    world.change("UPDATE statement SET inputs = :kept", kept=kept)
    assert outcomes(world.verify(statement)) == {"inputs": Outcome.DIFFERS}


def test_what_is_settled_otherwise_is_found(world: ProofWorld, statement: Statement) -> None:
    world.change("UPDATE settled_day SET quantity = quantity - 1 WHERE campaign_id = 0 AND day = 20734")
    assert outcomes(world.verify(statement)) == {"settled": Outcome.DIFFERS}


def test_another_number_settled_before_is_found_in_the_later_statement(world: ProofWorld, statement: Statement) -> None:
    world.hear(world.phones[1], world.tale, october(4), (0, 100))
    world.hear(world.phones[1], world.saga, october(4), (0, 100))
    world.count()
    later = world.close(NOV)[-1]
    assert world.verify(later).verdict is Outcome.AGREES
    world.change(
        "UPDATE settled_day SET quantity = quantity - 1 WHERE campaign_id = 0 AND statement_id = :id", id=statement.id
    )
    assert outcomes(world.verify(later)) == {"before": Outcome.DIFFERS}


LEDGER = {
    "an amount": "UPDATE ledger_entry SET amount_cents = amount_cents + 3 WHERE account = 'listens'",
    "an account": "UPDATE ledger_entry SET account = 'creator:somebody' WHERE account LIKE 'creator:%'",
    "a lost booking": "DELETE FROM ledger_entry",
}


@pytest.mark.parametrize("what", LEDGER)
def test_a_ledger_that_says_otherwise_is_found(world: ProofWorld, statement: Statement, what: str) -> None:
    world.change(LEDGER[what])
    report = world.verify(statement)
    assert outcomes(report) == {"ledger": Outcome.DIFFERS}


def test_the_ledger_agrees_at_every_step(world: ProofWorld, statement: Statement) -> None:
    for step in (("hold", "Wait."), ("release", "Go on."), ("pay", "TX-1")):
        world.step(step[0], statement, step[1])
        report = world.verify(statement)
        assert report.verdict is Outcome.AGREES, problems(report)


def unproved(report: Report) -> str:
    """What could not be proved: the counts, and nothing else is wrong."""
    assert outcomes(report) == {"counts": Outcome.UNPROVED}
    assert report.verdict is Outcome.UNPROVED
    return report.checks[-1].detail


def test_a_file_missing_in_the_archive_is_no_proof(world: ProofWorld, statement: Statement) -> None:
    world.now = world.now.replace(year=2027)
    world.house.housekeeper.tidy()
    assert world.verify(statement).verdict is Outcome.AGREES
    (file,) = world.house.archive.files(0)
    whole = file.path.read_bytes()
    file.path.unlink()
    assert "No record of partition 0 is in log or archive" in unproved(world.verify(statement))
    file.path.write_bytes(whole[: len(whole) // 2])
    assert "cannot be read" in unproved(world.verify(statement))


def test_a_log_that_forgot_its_beginning_is_no_proof(world: ProofWorld, statement: Statement) -> None:
    world.house.log.trim(0, 3, int(world.now.timestamp() * 1000) + DAY_MS)
    found = unproved(world.verify(statement))
    assert "The records before offset 3 of partition 0 are in neither log nor archive" in found


def shown(world: ProofWorld, statement: Statement) -> tuple[object, str]:
    """The statement as its page and its PDF have it."""
    found = world.found(statement.uuid)
    with Session(world.engine) as session:
        detail = views.detail_out(session, None, found.statement, found.creator)
    return detail.model_dump(), written(detail)


def test_a_changed_rule_never_changes_an_approved_statement(
    world: ProofWorld, statement: Statement, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shown(world, statement)
    monkeypatch.setattr("models.statements.RULE_VERSION", "payout/2 listen/60s")
    monkeypatch.setattr("models.statements.exact_for_listens", lambda quantity, _price: quantity * 10**9)
    monkeypatch.setattr("models.coverage.LISTEN_SECONDS", 60)
    assert [row.uuid for row in world.close(OCT)] == [statement.uuid]
    assert shown(world, statement) == before
    report = world.verify(statement)
    assert report.verdict is Outcome.UNPROVED
    assert outcomes(report) == {"lines": Outcome.UNPROVED}
    assert "made by the rules payout/1 listen/30s; this Earshot has payout/2 listen/60s" in problems(report)


def test_the_command_prints_line_by_line_and_its_exit_code_is_the_verdict(
    world: ProofWorld, statement: Statement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARSHOT_HOME", str(world.settings.home))
    monkeypatch.setenv("EARSHOT_STORE_URL", world.settings.resolved_store_url())
    monkeypatch.setenv("COLUMNS", "200")
    good = run(app, ["payouts", "verify", str(statement.uuid)])
    assert good.exit_code == 0, good.output
    assert "Night Trains" in good.stdout
    assert "The statement agrees" in good.stdout
    world.change("UPDATE statement_line SET amount_cents = amount_cents + 1 WHERE id = 1")
    bad = run(app, ["payouts", "verify", str(statement.uuid), "--json"])
    assert bad.exit_code == 1
    found = json.loads(bad.stdout)
    assert found["verdict"] == "differs"
    assert [line["agrees"] for line in found["lines"]].count(False) == 1
    assert run(app, ["payouts", "verify", "nothing"]).exit_code == 1
