"""Whoever has many receivers, slow ones and much to be sent keeps nobody else waiting."""

from sqlalchemy import Engine

from api.webhook_deliveries import fan_out
from api.webhook_sender import Sender
from models.tables import Role
from tests.api.test_webhook_sender import happen, make_endpoint, make_person


def test_who_has_many_receivers_keeps_nobody_else_waiting(engine: Engine) -> None:
    many, other = make_person(engine, Role.ADMIN), make_person(engine, Role.ADMIN)
    for number in range(6):
        make_endpoint(engine, many, f"http://127.0.0.1/{number}")
    for _ in range(120):
        happen(engine)
    while fan_out(engine):
        pass
    late = make_endpoint(engine, other, "http://127.0.0.1/late")
    happen(engine)
    fan_out(engine)
    sender = Sender(engine)
    messages = sender._claim_due()
    assert messages[1].endpoint_id == late.id, "it has waited least, but is the other's first"
    assert len({message.endpoint_id for message in messages}) == len(messages) == 5
    sender._busy = {message.endpoint_id for message in messages}
    assert sender._claim_due() == [], "four are on their way, and the other has no more"
    sender._busy = {messages[0].endpoint_id, messages[1].endpoint_id}
    assert len(sender._claim_due()) == 3
