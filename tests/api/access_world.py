"""Eight who ask, and things that belong to some of them: what the role matrix asks for."""

import base64
import hashlib
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session

from api.app import create_app
from api.settings import Settings
from api.storage import LocalAudio
from api.sync.gpodder import service
from api.webhook_signing import make_secret
from models.advertising import Advertiser, AdvertiserMember, Campaign, Creative, Hold, Placement
from models.counting import Receipt
from models.engine import make_engine
from models.migrate import migrate
from models.payouts import Payee, PayoutBatch, PayoutFile, RatePlan, Statement
from models.queries import webhooks
from models.statements import RULE_VERSION
from models.tables import Role, User
from models.webhooks import WebhookDelivery, WebhookEndpoint, WebhookEvent
from tests.factories import LONG_AGO, make_episode, make_show, make_user, tone_mp3

ROLES = ("anonymous", "device", "listener", "owner", "other", "member", "stranger", "admin")
"""Nobody; an installed client; a listener's app; the creator whose show it is, and another; a member of the advertiser
whose campaign it is, and of another; an admin."""
LISTENER, PASSWORD = "lena", "correct horse battery staple"
NOW = datetime.now(UTC)


@dataclass
class World:
    """An installation that runs, and its people."""

    client: TestClient
    engine: Engine
    users: dict[str, User] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=lambda: {"anonymous": {}})
    months: Iterator[int] = field(default_factory=itertools.count)

    def settle_in(self) -> None:
        """Everybody gets what proves who they are."""
        roles = {"owner": Role.CREATOR, "other": Role.CREATOR, "member": Role.ADVERTISER, "stranger": Role.ADVERTISER}
        with Session(self.engine, expire_on_commit=False) as session:
            for who, role in {**roles, "admin": Role.ADMIN}.items():
                self.users[who], key = make_user(session, role, f"{who}@example.com")
                self.headers[who] = {"Authorization": f"Bearer {key}"}
                session.add(Payee(user_id=self.users[who].id, name=who, iban="DE89370400440532013000", updated_at=NOW))
            service.add_listener(session, LISTENER, PASSWORD)
            session.commit()
        basic = base64.b64encode(f"{LISTENER}:{PASSWORD}".encode()).decode()
        self.headers["listener"] = {"Authorization": f"Basic {basic}"}

    def things(self, statement_state: str = "draft") -> dict[str, str]:
        """A show of the owner, a campaign of the member's advertiser, and all that hangs on them, made anew; their
        names as addresses and bodies have them."""
        device = self.client.post("/v1/devices", json={"app": "Matrix"}).json()
        self.headers["device"] = {"Authorization": f"Bearer {device['token']}"}
        with Session(self.engine, expire_on_commit=False) as session:
            found = {
                **self._show(session),
                **self._campaign(session),
                **self._money(session, statement_state),
                **self._webhook(session),
            }
            session.add(
                Receipt(
                    received_day=NOW.date(),
                    device=UUID(device["device_id"]).bytes,
                    receipt=bytes(32),
                    counted=1,
                    duplicate=0,
                    set_aside="{}",
                    chain="intact",
                )
            )
            session.commit()
        return {
            **found,
            "device_id": device["device_id"],
            "receipt": "0" * 64,
            "user": LISTENER,
            "device": "phone",
            "form": "opml",
            "scope": "account",
            "fresh": uuid4().hex[:12],
            "today": f"{NOW:%Y-%m-%d}",
            "soon": f"{NOW + timedelta(days=2):%Y-%m-%d}",
        }

    def _show(self, session: Session) -> dict[str, str]:
        self._owned = make_show(session, self.users["owner"])
        self._heard = make_episode(session, self._owned, published_at=LONG_AGO)
        audio = tone_mp3(1.0)
        self._heard.audio_sha256 = hashlib.sha256(audio).hexdigest()
        self._heard.audio_bytes, self._heard.audio_type = len(audio), "audio/mpeg"
        path = LocalAudio(self.client.app.state.settings.resolved_audio_dir()).path(self._heard.audio_sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(audio)
        return {
            "show_id": str(self._owned.uuid),
            "slug": self._owned.slug,
            "episode_id": str(self._heard.uuid),
            "episode": str(self._heard.uuid),
            "filename": f"{self._heard.uuid}.mp3",
            "version": f"{self._heard.audio_sha256[:16]}.mp3",
        }

    def _campaign(self, session: Session) -> dict[str, str]:
        advertisers = []
        for who in ("member", "stranger"):
            advertiser = Advertiser(name=uuid4().hex, created_at=NOW)
            session.add(advertiser)
            session.flush()
            session.add(AdvertiserMember(advertiser_id=advertiser.id, user_id=self.users[who].id))
            advertisers.append(advertiser)
        days = {"from_day": NOW.date(), "to_day": NOW.date() + timedelta(days=30)}
        made = {"created_by": self.users["member"].id, "created_at": NOW}
        price = {"price_cents": 1000, "currency": "EUR", "budget_cents": 100_000}
        campaign = Campaign(advertiser_id=advertisers[0].id, name="Tea", updated_at=NOW, **price, **days, **made)
        session.add(campaign)
        session.flush()
        creative = Creative(campaign_id=campaign.id, name="Kettle", created_at=NOW)
        session.add(creative)
        session.flush()
        where = {"show_id": self._owned.id, "episode_id": self._heard.id, "start_ms": 0, "end_ms": 30_000}
        placement = Placement(campaign_id=campaign.id, creative_id=creative.id, **where, **days, **made)
        session.add(placement)
        return {
            "advertiser_id": str(advertisers[0].uuid),
            "campaign_id": str(campaign.uuid),
            "creative_id": str(creative.uuid),
            "placement_id": str(placement.uuid),
            "email": "stranger@example.com",
            "member_email": "member@example.com",
        }

    def _money(self, session: Session, state: str) -> dict[str, str]:
        number = next(self.months)
        month = date(1900 + number // 12, number % 12 + 1, 1)
        plan = RatePlan(
            show_id=self._owned.id,
            from_day=date(2026, 1, 1),
            currency="EUR",
            listen_price_cents=1000,
            ad_share_bp=7000,
            created_by=self.users["admin"].id,
            created_at=NOW,
        )
        statement = Statement(
            creator_id=self.users["owner"].id,
            currency="EUR",
            month=month,
            state=state,
            held_from="draft" if state == "held" else "",
            total_cents=100,
            rule_version=RULE_VERSION,
            position='{"0": 0}',
            inputs=b"",
            inputs_hash=bytes(32),
            drafted_at=NOW,
        )
        hold = Hold(
            rule="over_24_hours",
            day=NOW.date(),
            subject=uuid4().hex,
            show_id=self._owned.id,
            evidence="{}",
            found_at=NOW,
        )
        batch = PayoutBatch(currency="EUR", made_by=self.users["admin"].id, made_at=NOW)
        session.add_all([plan, statement, hold, batch])
        session.flush()
        session.add_all([PayoutFile(batch_id=batch.id, format=name, content=b"-") for name in ("csv", "xml")])
        return {
            "statement_id": str(statement.uuid),
            "hold_id": str(hold.uuid),
            "plan_id": str(plan.uuid),
            "batch_id": str(batch.uuid),
        }

    def _webhook(self, session: Session) -> dict[str, str]:
        owner = self.users["owner"].id
        for old in webhooks.list_endpoints(session, owner):
            webhooks.delete_endpoint(session, old.id)
        endpoint = WebhookEndpoint(
            user_id=owner, url="https://example.com/", secret=make_secret(), events="", created_at=NOW
        )
        event = WebhookEvent(
            kind="spike.found",
            subject_uuid=uuid4(),
            occasion="1",
            payload="{}",
            created_at=NOW,
            is_fanned_out=True,
            audience="[]",
        )
        session.add_all([endpoint, event])
        session.flush()
        delivery = WebhookDelivery(endpoint_id=endpoint.id, event_id=event.id, state="failed", next_at=NOW)
        session.add(delivery)
        return {"webhook_id": str(endpoint.uuid), "delivery_id": str(delivery.uuid)}


@contextmanager
def inhabited(home: Path) -> Iterator[World]:
    """A world that lasts as long as the block. What a role may do is the same on each store, so one is enough."""
    settings = Settings(
        home=home,
        payer_name="Earshot",
        payer_iban="NL91ABNA0417164300",
        sign_ins_per_minute=100_000,
        registrations_per_minute=100_000,
    )
    engine = make_engine(settings.resolved_store_url())
    migrate(engine)
    with TestClient(create_app(settings)) as client:
        world = World(client, engine)
        world.settle_in()
        yield world
    engine.dispose()
