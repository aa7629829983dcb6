"""Everybody has webhooks of their own; the secret is shown once, and what was sent can be looked at and sent again."""

import json
from uuid import uuid4

import anyio
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session, select
from typer.testing import CliRunner

from api import outgoing
from api.cli import app as commands
from api.settings import Settings
from api.webhook_routes import MAX_ENDPOINTS
from api.webhook_sender import Sender
from api.webhooks import EventKind, append_event
from models.payouts import AuditEntry, IdempotencyKey
from models.webhooks import WebhookAttempt, WebhookDelivery
from tests.api.conftest import People
from tests.receiver import receiver

ADDRESS = "https://example.com/hooks"


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """An installation whose webhooks keep to the Internet, unless a test is marked otherwise."""
    return settings.model_copy(update={"webhook_private": "private" in request.fixturenames})


@pytest.fixture
def private() -> None:
    """Webhooks may go into our own network."""


def add(people: People, who: str = "owner", url: str = ADDRESS, events: list[str] | None = None, key: str = ""):
    """Ask to be told."""
    headers = {"Idempotency-Key": key or str(uuid4())}
    return people.call(who, "POST", "/v1/webhooks", headers, json={"url": url, "events": events or []})


def write(people: People, method: str, path: str, who: str = "owner"):
    """Another call that changes something."""
    return people.call(who, method, path, {"Idempotency-Key": str(uuid4())})


def happen(engine: Engine) -> None:
    """Something that admins are told."""
    with Session(engine) as session:
        append_event(session, EventKind.SPIKE_FOUND, uuid4(), "1", {"listens": 5}, [])
        session.commit()


def send(engine: Engine) -> None:
    """Send what is due."""
    anyio.run(Sender(engine, is_allowed=outgoing.anywhere).send_due)


def test_the_secret_is_shown_once(people: People) -> None:
    made = add(people, events=["statement.approved"])
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    (listed,) = people.call("owner", "GET", "/v1/webhooks").json()["items"]
    assert listed == {name: value for name, value in made.json().items() if "secret" not in name}
    assert people.call("owner", "GET", f"/v1/webhooks/{listed['id']}").json() == listed


def test_asked_twice_with_one_key_there_is_one_webhook(people: People) -> None:
    first, second = add(people, key="k").json(), add(people, key="k").json()
    assert first["id"] == second["id"]
    assert first["secret"]
    assert second["secret"] is None
    assert "shown once" in second["secret_note"]
    assert len(people.call("owner", "GET", "/v1/webhooks").json()["items"]) == 1


def test_without_a_key_nothing_is_added(people: People) -> None:
    answer = people.call("owner", "POST", "/v1/webhooks", json={"url": ADDRESS})
    assert (answer.status_code, answer.json()["error"]) == (400, "idempotency_key_missing")


@pytest.mark.parametrize(
    ("who", "kind", "status"),
    [
        ("owner", "campaign.exhausted", 422),
        ("owner", "spike.found", 201),
        ("advertiser", "statement.approved", 422),
        ("advertiser", "campaign.exhausted", 201),
        ("admin", "statement.approved", 201),
        ("admin", "nonsense", 422),
    ],
)
def test_a_role_chooses_from_the_kinds_that_it_is_told(people: People, who: str, kind: str, status: int) -> None:
    answer = add(people, who, events=[kind])
    assert answer.status_code == status
    if kind == "campaign.exhausted" and status == 422:
        assert "Choose from: spike.found, statement.approved" in answer.json()["message"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com/hooks", "https://"),
        ("https://10.1.2.3/hooks", "not on the public Internet"),
        ("https://[::1]/hooks", "not on the public Internet"),
        ("https://user:password@example.com/", "without a user name"),
        ("ftp://example.com/", "no address on the web"),
        ("nonsense", "no address on the web"),
        ("https://" + "a" * 2000, "2000"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(people: People, url: str, why: str) -> None:
    answer = add(people, url=url)
    assert answer.status_code == 422
    assert why in answer.json()["message"]
    assert "user:password" not in answer.text


@pytest.mark.usefixtures("private")
def test_an_operator_may_allow_addresses_of_the_own_network(people: People) -> None:
    assert add(people, url="http://10.1.2.3/hooks").status_code == 201


def test_nobody_has_more_webhooks_than_there_is_use_for(people: People) -> None:
    assert {add(people).status_code for _ in range(MAX_ENDPOINTS)} == {201}
    answer = add(people)
    assert (answer.status_code, answer.json()["error"]) == (409, "too_many_webhooks")
    assert add(people, "other").status_code == 201


def test_other_peoples_webhooks_are_not_there(people: People, engine: Engine) -> None:
    mine = add(people, "admin").json()["id"]
    happen(engine)
    send(engine)
    (delivery,) = people.call("admin", "GET", f"/v1/webhooks/{mine}/deliveries").json()["items"]
    theirs = add(people, "other").json()["id"]
    for method, path in [
        ("GET", f"/v1/webhooks/{mine}"),
        ("DELETE", f"/v1/webhooks/{mine}"),
        ("POST", f"/v1/webhooks/{mine}/enable"),
        ("GET", f"/v1/webhooks/{mine}/deliveries"),
        ("POST", f"/v1/webhooks/{mine}/deliveries/{delivery['id']}/replay"),
        ("POST", f"/v1/webhooks/{theirs}/deliveries/{delivery['id']}/replay"),
    ]:
        assert write(people, method, path, "other").status_code == 404, path


@pytest.mark.usefixtures("private")
def test_what_was_sent_is_listed_and_sent_again_under_the_same_id(people: People, engine: Engine) -> None:
    with receiver() as site:
        site.statuses = [500]
        webhook = add(people, "admin", site.url).json()
        happen(engine)
        happen(engine)
        send(engine)
        path = f"/v1/webhooks/{webhook['id']}/deliveries"
        (arrived,) = people.call("admin", "GET", path, params={"state": "delivered"}).json()["items"]
        (waiting,) = people.call("admin", "GET", path, params={"state": "waiting"}).json()["items"]
        assert [attempt["status"] for attempt in waiting["attempts"]] == [500]
        assert waiting["next_at"] is not None
        assert (arrived["next_at"], arrived["replay"]) == (None, 0)

        again = write(people, "POST", f"{path}/{arrived['id']}/replay", "admin")
        assert again.status_code == 202
        assert (again.json()["replay"], again.json()["state"]) == (1, "waiting")
        assert again.json()["event_id"] == arrived["event_id"]
        for one in (arrived, waiting):
            refused = write(people, "POST", f"{path}/{one['id']}/replay", "admin")
            assert (refused.status_code, refused.json()["error"]) == (409, "delivery_waiting")
        send(engine)
        assert [received.id for received in site.received].count(arrived["event_id"]) == 2
        assert all(received.is_signed_with(webhook["secret"]) for received in site.received)

        page = people.call("admin", "GET", path, params={"limit": 2}).json()
        rest = people.call("admin", "GET", path, params={"before": page["next_before"]}).json()
        assert [item["number"] for item in page["items"] + rest["items"]] == [3, 2, 1]
        assert rest["next_before"] is None


@pytest.mark.usefixtures("private")
def test_an_endpoint_that_is_enabled_again_gets_what_waited(people: People, engine: Engine) -> None:
    with receiver() as site:
        webhook = add(people, "admin", site.url).json()
        site.statuses = [410]
        happen(engine)
        send(engine)
        path = f"/v1/webhooks/{webhook['id']}"
        disabled = people.call("admin", "GET", path).json()
        assert disabled["disabled_at"] is not None
        assert "410" in disabled["disabled_reason"]
        (given_up,) = people.call("admin", "GET", f"{path}/deliveries").json()["items"]
        write(people, "POST", f"{path}/deliveries/{given_up['id']}/replay", "admin")
        send(engine)
        assert len(site.received) == 1, "it is disabled"
        assert write(people, "POST", f"{path}/enable", "admin").json()["disabled_at"] is None
        send(engine)
        assert [received.id for received in site.received] == [given_up["event_id"]] * 2


@pytest.mark.usefixtures("private")
def test_a_deleted_webhook_leaves_nothing_behind_but_the_audit_trail(people: People, engine: Engine) -> None:
    with receiver() as site:
        webhook = add(people, "admin", site.url).json()
        happen(engine)
        send(engine)
    assert write(people, "DELETE", f"/v1/webhooks/{webhook['id']}", "admin").status_code == 204
    assert people.call("admin", "GET", "/v1/webhooks").json()["items"] == []
    with Session(engine) as session:
        assert session.exec(select(WebhookDelivery)).all() == session.exec(select(WebhookAttempt)).all() == []
        actions = [entry.action for entry in session.exec(select(AuditEntry).order_by(AuditEntry.id))]
    assert actions == ["webhook.added", "webhook.deleted"]
    with Session(engine) as session:
        kept = [entry.detail for entry in session.exec(select(AuditEntry))]
        kept += [row.body for row in session.exec(select(IdempotencyKey))]
    assert not any(webhook["secret"] in text for text in kept)


def test_the_audit_trail_has_an_address_without_its_path(people: People, engine: Engine) -> None:
    assert add(people, url="https://hooks.example:8443/T0KEN?key=T0KEN").status_code == 201
    with Session(engine) as session:
        (entry,) = session.exec(select(AuditEntry))
    assert json.loads(entry.detail)["host"] == "hooks.example:8443"
    assert len(json.loads(entry.detail)["path_sha256"]) == 64
    assert "T0KEN" not in entry.detail


@pytest.mark.usefixtures("private")
def test_the_operator_sees_and_replays_everybodys(
    people: People, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, client: TestClient
) -> None:
    monkeypatch.setenv("EARSHOT_HOME", str(settings.home))
    monkeypatch.setenv("EARSHOT_STORE_URL", settings.resolved_store_url())

    def earshot(*arguments: str):
        return CliRunner().invoke(commands, ["webhooks", *arguments])

    with receiver() as site:
        webhook = add(people, "admin", site.url).json()
        happen(engine)
        send(engine)
        (row,) = json.loads(earshot("list", "--json").output)
        assert (row["id"], row["state"], row["delivered"], row["waiting"]) == (webhook["id"], "well", 1, 0)
        assert webhook["secret"] not in earshot("list").output
        (delivery,) = people.call("admin", "GET", f"/v1/webhooks/{webhook['id']}/deliveries").json()["items"]
        assert json.loads(earshot("replay", delivery["id"], "--json").output)["url"] == site.url
        send(engine)
        assert len(site.received) == 2
    for wrong in (str(uuid4()), "nonsense"):
        refused = earshot("replay", wrong)
        assert refused.exit_code == 1
        assert "has them" in refused.output
