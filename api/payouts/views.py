"""How statements, lines and bookings look from outside."""

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlmodel import Session

from api.payouts import schemas
from models.payouts import RatePlan, Statement, StatementLine
from models.queries import ledger, payable, plans, statements
from models.queries.ledger import Balance, Booking
from models.tables import Role, Show, User

Row = tuple[Statement, User]


def plan_out(row: RatePlan, show: Show) -> schemas.PlanOut:
    """A rate plan."""
    return schemas.PlanOut(
        id=row.uuid,
        show_id=show.uuid,
        from_day=row.from_day,
        currency=row.currency,
        listen_price_cents=row.listen_price_cents,
        ad_share_bp=row.ad_share_bp,
        minimum_cents=row.minimum_cents,
        created_at=row.created_at,
    )


def statements_out(session: Session, viewer: User | None, rows: Sequence[Row]) -> list[schemas.StatementOut]:
    """Statements; who drafted, approved and paid is for admins, and for whoever sits at the machine (no viewer)."""
    deciders = [number for row, _ in rows for number in (row.drafted_by, row.approved_by, row.paid_by)]
    users = statements.list_users(session, deciders) if viewer is None or viewer.role == Role.ADMIN else {}
    emails = {number: user.email for number, user in users.items()}
    into = statements.list_uuids(session, [row.carried_into_id for row, _ in rows])
    return [_statement(row, creator, emails, into) for row, creator in rows]


def _statement(row: Statement, creator: User, emails: dict[int, str], into: dict[int, UUID]) -> schemas.StatementOut:
    return schemas.StatementOut(
        id=row.uuid,
        creator=schemas.CreatorOut(id=creator.uuid, name=creator.name, email=creator.email),
        currency=row.currency,
        month=f"{row.month:%Y-%m}",
        state=row.state,
        revision=row.revision,
        total_cents=row.total_cents,
        brought_forward_cents=row.brought_forward_cents,
        payable_cents=row.total_cents + row.brought_forward_cents,
        minimum_cents=row.minimum_cents,
        is_carried=row.is_carried,
        carried_into=into.get(row.carried_into_id or 0),
        rule_version=row.rule_version,
        position=json.loads(row.position),
        inputs_hash=row.inputs_hash.hex(),
        drafted_at=row.drafted_at,
        drafted_by=emails.get(row.drafted_by or 0),
        approved_at=row.approved_at,
        approved_by=emails.get(row.approved_by or 0),
        paid_at=row.paid_at,
        paid_by=emails.get(row.paid_by or 0),
        paid_reference=row.paid_reference,
        held_from=row.held_from,
        reason=row.reason,
    )


def detail_out(session: Session, viewer: User | None, row: Statement, creator: User) -> schemas.StatementDetail:
    """A statement with its lines."""
    (head,) = statements_out(session, viewer, [(row, creator)])
    brought = statements.list_brought_forward(session, row.id or 0)
    return schemas.StatementDetail(
        **head.model_dump(),
        lines=lines_out(session, row, statements.list_lines(session, row.id or 0)),
        brought_forward=[
            schemas.BroughtForward(statement_id=old.uuid, month=f"{old.month:%Y-%m}", cents=old.total_cents)
            for old in brought
        ],
    )


def lines_out(session: Session, statement: Statement, lines: Sequence[StatementLine]) -> list[schemas.LineOut]:
    """Lines with the names of what they are of."""
    episodes = payable.list_paid_episodes(session.connection(), {line.episode_id for line in lines})
    campaigns = statements.list_campaigns(session, {line.campaign_id for line in lines} - {0})
    plan_uuids = plans.list_uuids(session, {line.plan_id for line in lines})
    found = []
    for line in lines:
        episode, campaign = episodes[line.episode_id], campaigns.get(line.campaign_id)
        found.append(
            schemas.LineOut(
                kind=line.kind,
                episode_id=episode.uuid,
                episode=episode.title,
                show_id=episode.show_uuid,
                show=episode.show_title,
                campaign_id=campaign[0].uuid if campaign else None,
                campaign=campaign[0].name if campaign else "",
                plan_id=plan_uuids[line.plan_id],
                month=f"{line.month:%Y-%m}",
                is_late=line.month < statement.month,
                quantity=line.quantity,
                counted=line.counted,
                held=line.held,
                void=line.void,
                unbilled=line.unbilled,
                amount_cents=line.amount_cents,
                gross_cents=line.gross_cents,
            )
        )
    return found


def bookings_out(session: Session, bookings: Sequence[Booking]) -> list[schemas.BookingOut]:
    """Bookings with who made them."""
    heads = [booking.transaction for booking in bookings]
    emails = {
        number: user.email for number, user in statements.list_users(session, [h.booked_by for h in heads]).items()
    }
    uuids = statements.list_uuids(session, [head.statement_id for head in heads])
    reversed_ones = ledger.list_uuids(session, [head.reverses_id for head in heads])
    return [
        schemas.BookingOut(
            id=head.uuid,
            number=head.id or 0,
            at=head.at,
            kind=head.kind,
            statement_id=uuids[head.statement_id],
            description=head.description,
            booked_by=emails.get(head.booked_by or 0),
            reverses=reversed_ones.get(head.reverses_id or 0),
            entries=[
                schemas.EntryOut(account=entry.account, currency=entry.currency, amount_cents=entry.amount_cents)
                for entry in booking.entries
            ],
        )
        for head, booking in zip(heads, bookings, strict=True)
    ]


def balances_out(balances: Iterable[Balance]) -> list[schemas.EntryOut]:
    """What accounts come to."""
    return [schemas.EntryOut(**balance._asdict()) for balance in balances]
