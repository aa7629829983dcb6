"""Events to tell, the addresses that want to be told, and the deliveries between them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, func, select, update

from models.tables import User
from models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent

WAITING, DELIVERED, FAILED = "waiting", "delivered", "failed"
KEEP_DAYS = 30
"""After its last attempt a delivery can be looked at, and sent again, for so long."""

# -- events ----------------------------------------------------------------------------------------------------------


def append_event(session: Session, event: WebhookEvent) -> bool:
    """Add an event; False when this occasion of its subject was noted before."""
    connection = session.connection()
    insert_into = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = event.model_dump(exclude={"id"})
    statement = insert_into(WebhookEvent).values(values).on_conflict_do_nothing()
    return connection.execute(statement.returning(col(WebhookEvent.id))).first() is not None


def list_new_events(session: Session, limit: int) -> list[WebhookEvent]:
    """Events that have no deliveries yet, in the order in which they happened."""
    statement = select(WebhookEvent).where(col(WebhookEvent.is_fanned_out).is_(False))
    return list(session.exec(statement.order_by(col(WebhookEvent.id)).limit(limit)))


def claim_event(session: Session, event_id: int) -> bool:
    """Take an event to make its deliveries in this transaction; False when somebody else has."""
    claim = update(WebhookEvent).where(col(WebhookEvent.id) == event_id, col(WebhookEvent.is_fanned_out).is_(False))
    return bool(session.exec(claim.values(is_fanned_out=True)).rowcount)


# -- endpoints -------------------------------------------------------------------------------------------------------


def append_endpoint(session: Session, endpoint: WebhookEndpoint) -> None:
    """Add an endpoint."""
    session.add(endpoint)
    session.flush()


def list_endpoints(session: Session, user_id: int) -> list[WebhookEndpoint]:
    """A user's endpoints, the first made first."""
    statement = select(WebhookEndpoint).where(WebhookEndpoint.user_id == user_id)
    return list(session.exec(statement.order_by(col(WebhookEndpoint.id))))


def count_endpoints(session: Session, user_id: int) -> int:
    """How many endpoints a user has."""
    statement = select(func.count()).select_from(WebhookEndpoint).where(WebhookEndpoint.user_id == user_id)
    return session.exec(statement).one()


def get_endpoint(session: Session, uuid: UUID, user_id: int) -> WebhookEndpoint | None:
    """A user's endpoint."""
    statement = select(WebhookEndpoint).where(WebhookEndpoint.uuid == uuid, WebhookEndpoint.user_id == user_id)
    return session.exec(statement).first()


def list_all_endpoints(session: Session) -> list[tuple[WebhookEndpoint, User]]:
    """Everybody's endpoints, with whose they are."""
    statement = select(WebhookEndpoint, User).join(User, col(User.id) == WebhookEndpoint.user_id)
    return list(session.exec(statement.order_by(User.email, col(WebhookEndpoint.id))))


def list_open_endpoints(session: Session) -> list[tuple[WebhookEndpoint, User]]:
    """The endpoints that are sent to, with whose they are; people who are locked out are told nothing."""
    statement = select(WebhookEndpoint, User).join(User, col(User.id) == WebhookEndpoint.user_id)
    is_open = (col(WebhookEndpoint.disabled_at).is_(None), col(User.disabled_at).is_(None))
    return list(session.exec(statement.where(*is_open).order_by(col(WebhookEndpoint.id))))


def delete_endpoint(session: Session, endpoint_id: int) -> None:
    """Forget an endpoint with all its deliveries."""
    of_endpoint = select(WebhookDelivery.id).where(WebhookDelivery.endpoint_id == endpoint_id)
    session.exec(delete(WebhookAttempt).where(col(WebhookAttempt.delivery_id).in_(of_endpoint)))
    session.exec(delete(WebhookDelivery).where(col(WebhookDelivery.endpoint_id) == endpoint_id))
    session.exec(delete(WebhookEndpoint).where(col(WebhookEndpoint.id) == endpoint_id))


# -- deliveries ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery whose time has come, with all that is needed to send it."""

    delivery: WebhookDelivery
    event: WebhookEvent
    endpoint: WebhookEndpoint


def append_delivery(session: Session, delivery: WebhookDelivery) -> None:
    """Add a delivery."""
    session.add(delivery)
    session.flush()


def list_due(session: Session, now: datetime, without: Collection[int], limit: int, *, most_of_user: int) -> list[Due]:
    """Deliveries whose time has come, of open endpoints that are not among `without`, on which something is on its way.

    One for each endpoint, and at most `most_of_user` for each user with those on their way. First the users with the
    fewest before it, then the longest due.
    """
    longest_due = (col(WebhookDelivery.next_at), col(WebhookDelivery.id))
    of_endpoint = func.row_number().over(partition_by=col(WebhookDelivery.endpoint_id), order_by=longest_due)
    waiting = (
        select(WebhookDelivery.id, WebhookDelivery.next_at, WebhookEndpoint.user_id, of_endpoint.label("place"))
        .join(WebhookEndpoint, col(WebhookEndpoint.id) == WebhookDelivery.endpoint_id)
        .join(User, col(User.id) == WebhookEndpoint.user_id)
        .where(
            WebhookDelivery.state == WAITING,
            WebhookDelivery.next_at <= now,
            col(WebhookEndpoint.disabled_at).is_(None),
            col(User.disabled_at).is_(None),
            col(WebhookDelivery.endpoint_id).not_in(without),
        )
        .subquery()
    )
    of_user = func.row_number().over(partition_by=waiting.c.user_id, order_by=(waiting.c.next_at, waiting.c.id))
    firsts = select(waiting.c.id, waiting.c.user_id, of_user.label("turn")).where(waiting.c.place == 1).subquery()
    sent_to = (
        select(func.count())
        .select_from(WebhookEndpoint)
        .where(col(WebhookEndpoint.user_id) == firsts.c.user_id, col(WebhookEndpoint.id).in_(without))
        .correlate(firsts)
        .scalar_subquery()
    )
    turn = firsts.c.turn + sent_to
    statement = (
        select(WebhookDelivery, WebhookEvent, WebhookEndpoint)
        .join(firsts, firsts.c.id == WebhookDelivery.id)
        .join(WebhookEvent, col(WebhookEvent.id) == WebhookDelivery.event_id)
        .join(WebhookEndpoint, col(WebhookEndpoint.id) == WebhookDelivery.endpoint_id)
        .where(turn <= most_of_user)
        .order_by(turn, *longest_due)
    )
    return [Due(*row) for row in session.exec(statement.limit(limit))]


def claim_delivery(session: Session, delivery: WebhookDelivery, now: datetime, until: datetime) -> bool:
    """Take a delivery for one attempt; it is due again at `until` should this process not live to settle it.

    False when somebody else has taken it since it was read.
    """
    claim = update(WebhookDelivery).where(
        col(WebhookDelivery.id) == delivery.id,
        col(WebhookDelivery.state) == WAITING,
        col(WebhookDelivery.attempts) == delivery.attempts,
        col(WebhookDelivery.next_at) <= now,
    )
    values = {"attempts": delivery.attempts + 1, "next_at": until}
    return bool(session.exec(claim.values(**values).execution_options(synchronize_session=False)).rowcount)


def get_claimed(session: Session, delivery_id: int, number: int) -> tuple[WebhookDelivery, WebhookEndpoint] | None:
    """A delivery and its endpoint for as long as this attempt is its last; None when it was taken over, or removed."""
    statement = (
        select(WebhookDelivery, WebhookEndpoint)
        .join(WebhookEndpoint, col(WebhookEndpoint.id) == WebhookDelivery.endpoint_id)
        .where(WebhookDelivery.id == delivery_id, WebhookDelivery.attempts == number, WebhookDelivery.state == WAITING)
        .with_for_update()
    )
    return session.exec(statement).first()


def append_attempt(session: Session, attempt: WebhookAttempt) -> None:
    """Add what became of an attempt."""
    session.add(attempt)


def list_deliveries(
    session: Session, endpoint_id: int, *, state: str | None, before: int | None, limit: int
) -> list[tuple[WebhookDelivery, WebhookEvent]]:
    """An endpoint's deliveries, the last one first; `before` is the number of the last one seen."""
    statement = (
        select(WebhookDelivery, WebhookEvent)
        .join(WebhookEvent, col(WebhookEvent.id) == WebhookDelivery.event_id)
        .where(WebhookDelivery.endpoint_id == endpoint_id)
    )
    if state is not None:
        statement = statement.where(WebhookDelivery.state == state)
    if before is not None:
        statement = statement.where(col(WebhookDelivery.id) < before)
    return list(session.exec(statement.order_by(col(WebhookDelivery.id).desc()).limit(limit)))


def list_attempts(session: Session, delivery_ids: Iterable[int]) -> dict[int, list[WebhookAttempt]]:
    """What became of the attempts of these deliveries, by delivery, in order."""
    statement = select(WebhookAttempt).where(col(WebhookAttempt.delivery_id).in_(list(delivery_ids)))
    found: dict[int, list[WebhookAttempt]] = {}
    for attempt in session.exec(statement.order_by(col(WebhookAttempt.delivery_id), col(WebhookAttempt.number))):
        found.setdefault(attempt.delivery_id, []).append(attempt)
    return found


def get_delivery(
    session: Session, uuid: UUID, endpoint_id: int | None = None
) -> tuple[WebhookDelivery, WebhookEvent, WebhookEndpoint] | None:
    """A delivery with its event and endpoint; of this endpoint when one is given."""
    statement = (
        select(WebhookDelivery, WebhookEvent, WebhookEndpoint)
        .join(WebhookEvent, col(WebhookEvent.id) == WebhookDelivery.event_id)
        .join(WebhookEndpoint, col(WebhookEndpoint.id) == WebhookDelivery.endpoint_id)
        .where(WebhookDelivery.uuid == uuid)
    )
    if endpoint_id is not None:
        statement = statement.where(WebhookDelivery.endpoint_id == endpoint_id)
    return session.exec(statement).first()


def lock_endpoint(session: Session, endpoint_id: int) -> None:
    """Until the transaction ends nobody else passes here for this endpoint."""
    session.exec(select(WebhookEndpoint.id).where(WebhookEndpoint.id == endpoint_id).with_for_update()).first()


def is_waiting(session: Session, endpoint_id: int, event_id: int) -> bool:
    """Whether an event is still to be sent to an endpoint, again or for the first time."""
    statement = select(WebhookDelivery.id).where(
        WebhookDelivery.endpoint_id == endpoint_id,
        WebhookDelivery.event_id == event_id,
        WebhookDelivery.state == WAITING,
    )
    return session.exec(statement.limit(1)).first() is not None


def get_last_replay(session: Session, endpoint_id: int, event_id: int) -> int:
    """How often an event was asked for again by an endpoint."""
    statement = select(func.max(WebhookDelivery.replay)).where(
        WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.event_id == event_id
    )
    return session.exec(statement).one() or 0


def delete_old_deliveries(session: Session, before: datetime) -> None:
    """Forget deliveries that arrived or failed before that instant; events stay, since each is told once."""
    is_old = col(WebhookDelivery.state).in_((DELIVERED, FAILED)), col(WebhookDelivery.next_at) < before
    old = select(WebhookDelivery.id).where(*is_old)
    session.exec(delete(WebhookAttempt).where(col(WebhookAttempt.delivery_id).in_(old)))
    session.exec(delete(WebhookDelivery).where(*is_old))


def count_deliveries(session: Session) -> dict[tuple[int, str], int]:
    """How many deliveries there are, by endpoint and state."""
    statement = select(WebhookDelivery.endpoint_id, WebhookDelivery.state, func.count())
    rows = session.exec(statement.group_by(col(WebhookDelivery.endpoint_id), col(WebhookDelivery.state)))
    return {(endpoint_id, state): number for endpoint_id, state, number in rows}
