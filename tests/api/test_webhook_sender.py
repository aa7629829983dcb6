"""Events reach whoever may be told: signed, again and again until they arrive, and never inside our own network."""

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import anyio
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from api import clock, outgoing, webhook_deliveries
from api.webhook_deliveries import RETRY_SECONDS, fan_out
from api.webhook_sender import LEASE_SECONDS, Sender
from api.webhook_signing import make_secret
from api.webhooks import EventKind, append_event
from models.payouts import AuditEntry
from models.tables import Role, User
from models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from tests.conftest import free_port, wait_until
from tests.factories import make_user
from tests.receiver import Receiver, receiver


@pytest.fixture
def site() -> Iterator[Receiver]:
    """Somebody who wants to be told."""
    with receiver() as site:
        yield site


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets so many seconds pass."""
    shift = timedelta()

    def pass_seconds(seconds: float) -> None:
        nonlocal shift
        shift += timedelta(seconds=seconds)
        monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + shift)

    return pass_seconds


def send(engine: Engine, is_allowed: outgoing.Judge = outgoing.anywhere) -> int:
    """Send what is due; how many deliveries were tried."""
    return anyio.run(Sender(engine, is_allowed=is_allowed).send_due)


def make_person(engine: Engine, role: Role = Role.CREATOR) -> User:
    """Somebody."""
    with Session(engine, expire_on_commit=False) as session:
        return make_user(session, role)[0]


def make_endpoint(engine: Engine, user: User, url: str, *kinds: EventKind) -> WebhookEndpoint:
    """An address of theirs."""
    with Session(engine, expire_on_commit=False) as session:
        endpoint = WebhookEndpoint(
            user_id=user.id, url=url, secret=make_secret(), events=" ".join(kinds), created_at=datetime.now(UTC)
        )
        session.add(endpoint)
        session.commit()
        return endpoint


def happen(
    engine: Engine,
    kind: EventKind = EventKind.STATEMENT_APPROVED,
    *audience: User,
    subject: UUID | None = None,
    occasion: str = "1",
) -> UUID:
    """Something happens that these people may be told."""
    subject = subject or uuid4()
    with Session(engine) as session:
        append_event(session, kind, subject, occasion, {"total_cents": 12345}, [user.id for user in audience])
        session.commit()
    return subject


def deliveries(engine: Engine) -> list[WebhookDelivery]:
    """All of them, in order."""
    with Session(engine) as session:
        return list(session.exec(select(WebhookDelivery).order_by(WebhookDelivery.id)))


def reload(engine: Engine, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """As it is now."""
    with Session(engine) as session:
        return session.exec(select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint.id)).one()


# -- what is sent ----------------------------------------------------------------------------------------------------


def test_an_event_arrives_signed_as_a_receiver_checks_it(engine: Engine, site: Receiver) -> None:
    creator = make_person(engine)
    endpoint = make_endpoint(engine, creator, site.url)
    happen(engine, EventKind.STATEMENT_APPROVED, creator)
    assert send(engine) == 1
    (received,) = site.received
    assert received.is_signed_with(endpoint.secret)
    assert not received.is_signed_with(make_secret())
    assert received.path == "/hooks"
    assert received.headers["content-type"] == "application/json"
    assert received.message["type"] == "statement.approved"
    assert received.message["data"] == {"total_cents": 12345}
    assert datetime.fromisoformat(received.message["timestamp"]).tzinfo is not None
    (delivery,) = deliveries(engine)
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("delivered", 1, 204)
    assert send(engine) == 0, "it has arrived"


def test_an_event_is_noted_once_for_each_occasion(engine: Engine, site: Receiver) -> None:
    creator = make_person(engine)
    make_endpoint(engine, creator, site.url)
    statement = happen(engine, EventKind.STATEMENT_APPROVED, creator, occasion="1")
    happen(engine, EventKind.STATEMENT_APPROVED, creator, subject=statement, occasion="1")
    happen(engine, EventKind.STATEMENT_APPROVED, creator, subject=statement, occasion="3")
    send(engine)
    assert len({received.id for received in site.received}) == len(site.received) == 2


def test_an_event_of_a_transaction_that_fails_is_never_told(engine: Engine, site: Receiver) -> None:
    admin = make_person(engine, Role.ADMIN)
    make_endpoint(engine, admin, site.url)
    with Session(engine) as session:
        append_event(session, EventKind.SPIKE_FOUND, uuid4(), "1", {}, [])
        session.rollback()
    assert send(engine) == 0


def test_everybody_is_told_what_is_theirs(engine: Engine, site: Receiver) -> None:
    people = {
        name: make_person(engine, role)
        for name, role in {
            "creator": Role.CREATOR,
            "other creator": Role.CREATOR,
            "advertiser": Role.ADVERTISER,
            "other advertiser": Role.ADVERTISER,
            "admin": Role.ADMIN,
        }.items()
    }
    for name, user in people.items():
        make_endpoint(engine, user, f"{site.url}/{name.replace(' ', '-')}")
    concerned = [people["creator"], people["advertiser"]]
    for kind in EventKind:
        happen(engine, kind, *concerned)
    send(engine)
    told = {(received.path.removeprefix("/hooks/"), received.message["type"]) for received in site.received}
    assert told == {
        ("creator", "statement.approved"),
        ("creator", "spike.found"),
        ("advertiser", "campaign.exhausted"),
        ("admin", "statement.approved"),
        ("admin", "campaign.exhausted"),
        ("admin", "spike.found"),
    }


def test_an_endpoint_is_told_the_kinds_that_it_asked_for(engine: Engine, site: Receiver) -> None:
    admin = make_person(engine, Role.ADMIN)
    make_endpoint(engine, admin, site.url, EventKind.SPIKE_FOUND)
    for kind in EventKind:
        happen(engine, kind)
    send(engine)
    assert [received.message["type"] for received in site.received] == ["spike.found"]


def test_who_is_locked_out_is_told_nothing(engine: Engine, site: Receiver) -> None:
    admin = make_person(engine, Role.ADMIN)
    make_endpoint(engine, admin, site.url)
    happen(engine)
    fan_out(engine)
    with Session(engine) as session:
        session.exec(select(User).where(User.id == admin.id)).one().disabled_at = datetime.now(UTC)
        session.commit()
    happen(engine)
    assert send(engine) == 0


# -- when it does not arrive -----------------------------------------------------------------------------------------


def test_an_error_is_tried_again_under_the_same_id(
    engine: Engine, site: Receiver, later: Callable[[float], None]
) -> None:
    endpoint = make_endpoint(engine, make_person(engine, Role.ADMIN), site.url)
    happen(engine)
    site.statuses = [500, 503]
    assert [send(engine), send(engine)] == [1, 0], "not at once"
    for seconds in RETRY_SECONDS[:2]:
        later(seconds * 1.11)
        assert send(engine) == 1
    assert len({received.id for received in site.received}) == 1
    assert all(received.is_signed_with(endpoint.secret) for received in site.received)
    with Session(engine) as session:
        attempts = session.exec(select(WebhookAttempt).order_by(WebhookAttempt.number)).all()
    assert [(attempt.number, attempt.status) for attempt in attempts] == [(1, 500), (2, 503), (3, 204)]
    assert deliveries(engine)[0].state == "delivered"
    assert reload(engine, endpoint).failing_since is None


def test_a_dead_receiver_is_tried_again_when_it_lives(engine: Engine, later: Callable[[float], None]) -> None:
    port = free_port()
    make_endpoint(engine, make_person(engine, Role.ADMIN), f"http://127.0.0.1:{port}/hooks")
    happen(engine)
    send(engine)
    (delivery,) = deliveries(engine)
    assert (delivery.state, delivery.last_status) == ("waiting", None)
    assert "does not answer" in delivery.last_error
    later(RETRY_SECONDS[0] * 1.11)
    with receiver(port) as site:
        send(engine)
        assert len(site.received) == 1
    assert deliveries(engine)[0].state == "delivered"


def test_a_receiver_that_takes_too_long_is_tried_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.webhook_sender.ANSWER_SECONDS", 0.2)
    make_endpoint(engine, make_person(engine, Role.ADMIN), "http://127.0.0.1/")
    happen(engine)
    with socket.create_server(("127.0.0.1", 0)) as silent, Session(engine) as session:
        endpoint = session.exec(select(WebhookEndpoint)).one()
        endpoint.url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        session.commit()
        assert send(engine) == 1
    (delivery,) = deliveries(engine)
    assert delivery.state == "waiting"
    assert "took longer than 0.2 seconds" in delivery.last_error


def test_a_redirect_is_not_followed(engine: Engine, site: Receiver) -> None:
    make_endpoint(engine, make_person(engine, Role.ADMIN), site.url)
    happen(engine)
    site.statuses, site.answer_headers = [307], {"Location": f"{site.url}/elsewhere"}
    send(engine)
    assert [received.path for received in site.received] == ["/hooks"]
    assert (deliveries(engine)[0].state, deliveries(engine)[0].last_status) == ("waiting", 307)


def test_a_failing_receiver_keeps_nobody_else_waiting(engine: Engine, site: Receiver) -> None:
    make_endpoint(engine, make_person(engine, Role.ADMIN), f"http://127.0.0.1:{free_port()}/")
    make_endpoint(engine, make_person(engine, Role.ADMIN), site.url)
    for _ in range(3):
        happen(engine)
    assert send(engine) == 6
    assert len(site.received) == 3


def test_ten_attempts_in_three_days_then_the_endpoint_is_disabled(
    engine: Engine, site: Receiver, later: Callable[[float], None]
) -> None:
    endpoint = make_endpoint(engine, make_person(engine, Role.ADMIN), site.url)
    happen(engine)
    site.statuses = [500] * 10
    send(engine)
    for seconds in RETRY_SECONDS:
        assert reload(engine, endpoint).disabled_at is None
        later(seconds * 1.11)
        assert send(engine) == 1
    (delivery,) = deliveries(engine)
    assert (delivery.state, delivery.attempts) == ("failed", 10)
    assert 3 <= sum(RETRY_SECONDS) / 86_400 < 4
    disabled = reload(engine, endpoint)
    assert disabled.disabled_at is not None
    assert "Nothing has arrived since" in disabled.disabled_reason
    with Session(engine) as session:
        (entry,) = session.exec(select(AuditEntry)).all()
    assert (entry.action, entry.subject_uuid) == ("webhook.disabled", endpoint.uuid)
    happen(engine)
    assert send(engine) == 0, "nothing more is sent there"


def test_a_delivery_that_is_given_up_while_others_arrive_disables_nothing(
    engine: Engine, site: Receiver, later: Callable[[float], None]
) -> None:
    endpoint = make_endpoint(engine, make_person(engine, Role.ADMIN), site.url)
    happen(engine)
    site.statuses = [500]
    send(engine)
    for seconds in RETRY_SECONDS:
        later(seconds * 1.11)
        happen(engine)
        site.statuses = [500, 204]
        send(engine)
    states = [delivery.state for delivery in deliveries(engine)]
    assert states == ["failed"] + ["delivered"] * len(RETRY_SECONDS)
    assert reload(engine, endpoint).disabled_at is None


def test_who_says_gone_is_asked_no_more(engine: Engine, site: Receiver, later: Callable[[float], None]) -> None:
    endpoint = make_endpoint(engine, make_person(engine, Role.ADMIN), site.url)
    happen(engine)
    site.statuses = [410]
    send(engine)
    later(100_000)
    assert send(engine) == 0
    assert deliveries(engine)[0].state == "failed"
    assert "410" in reload(engine, endpoint).disabled_reason


def test_waits_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = {webhook_deliveries._wait_seconds(3) for _ in range(50)}
    assert len(waits) > 10
    assert all(0.9 * RETRY_SECONDS[2] <= wait <= 1.1 * RETRY_SECONDS[2] for wait in waits)


# -- our own network -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433"])
def test_nothing_is_sent_into_our_own_network(engine: Engine, site: Receiver, host: str) -> None:
    make_endpoint(engine, make_person(engine, Role.ADMIN), f"http://{host}:{site.port}/hooks")
    happen(engine)
    assert send(engine, outgoing.is_public) == 1
    assert site.received == []
    (delivery,) = deliveries(engine)
    assert delivery.last_error == "The address is not on the public Internet."


# -- several senders -------------------------------------------------------------------------------------------------


def test_two_senders_at_once_send_each_event_once(engine: Engine, site: Receiver) -> None:
    for number in range(4):
        make_endpoint(engine, make_person(engine, Role.ADMIN), f"{site.url}/{number}")
    for _ in range(5):
        happen(engine)
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait()
        send(engine)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    send(engine)
    sent = [(received.path, received.id) for received in site.received]
    assert len(sent) == len(set(sent)) == 20
    with Session(engine) as session:
        assert all(event.is_fanned_out for event in session.exec(select(WebhookEvent)))


def test_a_delivery_whose_sender_died_is_sent_when_its_lease_is_over(
    engine: Engine, site: Receiver, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_endpoint(engine, make_person(engine, Role.ADMIN), site.url)
    happen(engine)
    with monkeypatch.context() as patch:
        patch.setattr("api.webhook_sender.settle", lambda *_: None)  # it died between sending and noting it
        send(engine)
    assert send(engine) == 0, "somebody may still be at it"
    later(LEASE_SECONDS + 1)
    send(engine)
    assert len(site.received) == 2
    assert len({received.id for received in site.received}) == 1
    assert (deliveries(engine)[0].state, deliveries(engine)[0].attempts) == ("delivered", 2)


def test_a_sender_that_was_taken_over_notes_nothing(
    engine: Engine, site: Receiver, later: Callable[[float], None]
) -> None:
    make_endpoint(engine, make_person(engine, Role.ADMIN), site.url)
    happen(engine)
    fan_out(engine)
    slow, quick = (Sender(engine, is_allowed=outgoing.anywhere) for _ in range(2))
    (message,) = slow._claim_due()
    later(LEASE_SECONDS + 1)
    anyio.run(quick.send_due)
    webhook_deliveries.settle(engine, message.delivery_id, message.number, webhook_deliveries.Answer(500))
    (delivery,) = deliveries(engine)
    assert (delivery.state, delivery.last_status) == ("delivered", 204)


def test_the_thread_sends_and_stops(engine: Engine, site: Receiver) -> None:
    make_endpoint(engine, make_person(engine, Role.ADMIN), site.url)
    stopping = threading.Event()
    thread = threading.Thread(target=anyio.run, args=[Sender(engine, is_allowed=outgoing.anywhere).run, stopping])
    thread.start()
    happen(engine)
    wait_until(lambda: [delivery.state for delivery in deliveries(engine)] == ["delivered"], "the delivery")
    stopping.set()
    thread.join(60)
    assert not thread.is_alive()
