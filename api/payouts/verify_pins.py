"""What a statement pins, compared with rows that nobody can change: inputs and their hash stand in one row, and whoever
could change the one could change the other."""

from collections.abc import Iterator
from uuid import UUID

from sqlmodel import Session

from models import statements as rules
from models.payouts import Statement
from models.queries import plans, proving, statements
from models.statements import Inputs


def wrong_draft(session: Session, statement: Statement) -> list[str]:
    """How the statement differs from what the audit trail said when it was drafted."""
    drafted = proving.list_drafted(session, statement)
    if len(drafted) != 1:
        return [f"The audit trail has {len(drafted)} entries of its draft; there has to be one."]
    said = {
        "month": f"{statement.month:%Y-%m}",
        "currency": statement.currency,
        "total_cents": statement.total_cents,
        "brought_forward_cents": statement.brought_forward_cents,
        "is_carried": statement.is_carried,
        "inputs_hash": bytes(statement.inputs_hash).hex(),
    }
    return [
        f"Its {name} is {value}; when it was drafted the audit trail noted {drafted[0].get(name)}."
        for name, value in said.items()
        if drafted[0].get(name) != value
    ]


def wrong_pins(session: Session, statement: Statement, inputs: Inputs) -> Iterator[str]:
    """How the pinned prices and amounts differ from rate plans and earlier statements."""
    rows = plans.list_plans_by_id(session, {row["id"] for row in inputs["plans"]})
    stored = {row.id: plans.pin(row, show) for row, show in rows}
    wrong = [row["uuid"] for row in inputs["plans"] if stored.get(row["id"]) != row]
    if wrong:
        yield f"The rate plans {', '.join(wrong)} are not as they are pinned."
    least = rules.minimum(rules.list_plans(inputs), statement.currency, statement.month)
    if inputs["minimum_cents"] != least:
        yield f"The pinned minimum is {inputs['minimum_cents']}; the plans say {least}."
    pinned = inputs["brought_forward"]
    carried = proving.list_carried_into(session, statement, {UUID(row["statement"]) for row in pinned})
    if _sorted(pinned) != _sorted([statements.pin_carried(row) for row in carried]):
        cents = sum(row["cents"] for row in pinned)
        found = sum(row.total_cents + row.brought_forward_cents for row in carried)
        yield (
            f"The inputs bring forward {cents} of {len(pinned)} statements; there are {len(carried)} that were carried "
            f"into this one, with {found}."
        )


def _sorted(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return sorted(rows, key=lambda row: str(row["statement"]))
