"""What `earshot webhooks ...` does, for the operator: everybody's webhooks, without secrets."""

import json
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from sqlmodel import Session

from api import audit_trail, webhook_deliveries
from api.command_line import open_store, print_fields
from api.errors import InvalidError, NotFoundError
from models.queries import webhooks
from models.tables import User
from models.webhooks import WebhookEndpoint


def show_all(*, as_json: bool) -> None:
    """Everybody's webhooks, and how their deliveries stand."""
    with open_store() as session:
        numbers = webhooks.count_deliveries(session)
        rows = [_describe(endpoint, user, numbers) for endpoint, user in webhooks.list_all_endpoints(session)]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table("id", "owner", "url", "events", "state", "waiting", "delivered", "failed", box=None)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console(highlight=False, markup=False).print(table)


def _describe(endpoint: WebhookEndpoint, user: User, numbers: dict[tuple[int, str], int]) -> dict[str, str | int]:
    state = f"disabled: {endpoint.disabled_reason}" if endpoint.disabled_at else "failing"
    return {
        "id": str(endpoint.uuid),
        "owner": user.email,
        "url": endpoint.url,
        "events": endpoint.events or "all",
        "state": state if endpoint.disabled_at or endpoint.failing_since else "well",
        **{
            name: numbers.get((endpoint.id or 0, name), 0)
            for name in (webhooks.WAITING, webhooks.DELIVERED, webhooks.FAILED)
        },
    }


def replay(delivery: str, *, as_json: bool) -> None:
    """Send an event to a webhook once more."""
    with open_store() as session:
        uuid, url = _replay(session, delivery)
    print_fields({"delivery": str(uuid), "url": url}, as_json=as_json)


def _replay(session: Session, text: str) -> tuple[UUID, str]:
    try:
        found = webhooks.get_delivery(session, UUID(text))
    except ValueError as error:
        raise InvalidError(f"{text!r} is no delivery's id. GET /v1/webhooks/ID/deliveries has them.") from error
    if found is None:
        raise NotFoundError(f"There is no delivery {text}. GET /v1/webhooks/ID/deliveries has them.")
    delivery, event, endpoint = found
    again = webhook_deliveries.replay(session, delivery.endpoint_id, delivery.event_id)
    detail = {"delivery": delivery.uuid, "event": event.uuid}
    audit_trail.append(session, None, "webhook.replayed", "webhook", endpoint.uuid, detail)
    return again.uuid, endpoint.url
