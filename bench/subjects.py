"""What is measured: an installation of Earshot in a folder of its own, and the naive baseline."""

import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import msgspec
from sqlmodel import Session

from api.secret import load_secret
from api.sync.tokens import DeviceTokens
from bench.load import Order
from bench.naive.tokens import sign
from bench.processes import BenchError, Processes, Server, wait_until
from bench.traffic import Device, Expected
from models.engine import make_engine
from models.migrate import migrate
from models.tables import Episode, Role, Show, User

EPISODES = 300
EPISODE_MS = 3_600_000
"""Every episode lasts an hour."""


class _Stats(msgspec.Struct):
    rows: list[Expected]


class Naive:
    """The baseline over an empty database."""

    def __init__(self, processes: Processes, name: str, *, is_counting: bool) -> None:
        environment = {
            "NAIVE_DATABASE": str(processes.folder / f"{name}.db"),
            "NAIVE_COUNT": "1" if is_counting else "0",
        }
        self.server = processes.serve("-m", "bench.naive", environment=environment)
        self.episodes = tuple(str(uuid4()) for _ in range(EPISODES))

    def devices(self, count: int) -> tuple[Device, ...]:
        """New devices with tokens signed here."""
        ids = [str(uuid4()) for _ in range(count)]
        return tuple(Device(device_id, sign(device_id)) for device_id in ids)

    def counted(self) -> Expected:
        """What it counted so far."""
        return msgspec.json.decode(self.server.get("/stats")[1], type=Expected)


class Earshot:
    """An installation with a migrated store and a catalogue published long ago."""

    def __init__(self, processes: Processes, name: str, published_days: int = 80) -> None:
        self._processes = processes
        self.home = processes.folder / name
        self.home.mkdir()
        self.environment = {"EARSHOT_HOME": str(self.home)}
        self.api_key = secrets.token_urlsafe(32)
        self.store_url = f"sqlite:///{self.home / 'store.db'}"
        self.show, self.episodes = self._fill(published_days)

    def _fill(self, published_days: int) -> tuple[str, tuple[str, ...]]:
        engine = make_engine(self.store_url)
        migrate(engine)
        with Session(engine) as session:
            show, episodes = _catalogue(session, self.api_key, published_days)
            session.commit()
        engine.dispose()
        return show, episodes

    def serve(self) -> Server:
        """The API, alone: nothing is folded."""
        return self._processes.serve("-m", "api", "serve", environment=self.environment)

    def start_worker(self) -> None:
        """The worker, until the bench ends; returns when it turns."""
        alive = self.home / "worker.alive"
        alive.unlink(missing_ok=True)
        process = self._processes.start("-m", "api", "worker", environment=self.environment)
        wait_until(alive.exists, "the worker", process, self._processes.folder)

    def devices(self, count: int) -> tuple[Device, ...]:
        """New devices with tokens signed here: sync asks nobody else, and registering is not what is measured."""
        tokens = DeviceTokens(load_secret("", self.home))
        ids = [uuid4() for _ in range(count)]
        return tuple(Device(str(uuid), tokens.issue(uuid)) for uuid in ids)

    def counted(self, server: Server) -> Expected:
        """What a creator sees now, over all days."""
        today = datetime.now(UTC).date()
        path = f"/v1/shows/{self.show}/stats?from={today - timedelta(days=60)}&to={today}&by=day"
        status, body = server.get(path, self.api_key)
        if status != 200:
            raise BenchError(f"{path} got {status}: {body[:300]!r}")
        rows = msgspec.json.decode(body, type=_Stats).rows
        return Expected(
            starts=sum(row.starts for row in rows),
            listens=sum(row.listens for row in rows),
            heard_seconds=sum(row.heard_seconds for row in rows),
        )


def _catalogue(session: Session, api_key: str, published_days: int) -> tuple[str, tuple[str, ...]]:
    now = datetime.now(UTC)
    published_at = now - timedelta(days=published_days)
    owner = User(
        email="bench@example.com",
        role=Role.CREATOR,
        password_hash="!",
        api_key_hash=sha256(api_key.encode()).digest(),
        created_at=now,
    )
    session.add(owner)
    session.flush()
    show = Show(owner_id=owner.id, slug="bench", title="Bench", created_at=now, updated_at=now)
    session.add(show)
    session.flush()
    uuids = [uuid4() for _ in range(EPISODES)]
    for uuid in uuids:
        session.add(
            Episode(
                uuid=uuid,
                show_id=show.id,
                guid=str(uuid),
                title="Bench",
                duration_ms=EPISODE_MS,
                published_at=published_at,
                first_published_at=published_at,
                created_at=published_at,
                updated_at=published_at,
            )
        )
    return str(show.uuid), tuple(map(str, uuids))


def order_for(server: Server, devices: tuple[Device, ...], episodes: tuple[str, ...], **how: object) -> Order:
    """An order to send to this server; `how` is the rest of `Order`."""
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    return Order(port=server.port, devices=devices, episodes=episodes, episode_ms=EPISODE_MS, now_ms=now_ms, **how)


class Counting:
    """Both subjects where counting is measured, the worker not started."""

    def __init__(self, processes: Processes) -> None:
        self.earshot = Earshot(processes, "counting")
        self.server = self.earshot.serve()
        self.naive = Naive(processes, "naive-counting", is_counting=True)
