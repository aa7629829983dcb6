"""The FastAPI service, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from fastapi import APIRouter, FastAPI
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.types import Receive, Scope, Send

from api import audit_trail_routes, output, proving_routes, webhook_routes
from api.accounts import routes as accounts_routes
from api.addresses import make_proxies
from api.advertising import placement_routes, planning_routes, report_routes
from api.advertising import routes as advertising_routes
from api.delivery import routes as delivery_routes
from api.errors import install_handlers
from api.events.opening import open_log
from api.measurement import explain_routes, pipeline_routes, replay_routes
from api.payouts import batch_routes, hold_routes, payee_routes
from api.payouts import evidence_routes as payouts_evidence_routes
from api.payouts import pending_routes as payouts_pending_routes
from api.payouts import routes as payouts_routes
from api.publishing import arrival_routes, audio_routes, download_routes, retention_routes, stats_routes, url_routes
from api.publishing import routes as publishing_routes
from api.secret import load_secret
from api.settings import Settings
from api.storage import LocalAudio
from api.sync import openapi as sync_openapi
from api.sync import routes as sync_routes
from api.sync.allowance import Allowance
from api.sync.gpodder import routes as gpodder_routes
from api.sync.hot import take_batch
from api.sync.tokens import DeviceTokens
from models.engine import make_engine, make_read_engine


class EarshotAPI(FastAPI):
    """FastAPI with a short cut: what every phone sends goes past the middleware and the list of routes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection event."""
        if scope["type"] == "http" and scope["path"] == "/v1/sync":
            scope["app"] = self
            await take_batch(scope, receive, send)
            return
        await super().__call__(scope, receive, send)


def create_app(settings: Settings | None = None) -> FastAPI:
    """An application with its own store, log and audio, opened when it starts and closed when it stops."""
    output.set_up()
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        state = app.state
        state.engine = make_engine(settings.resolved_store_url())
        state.read_engine = make_read_engine(settings.resolved_store_url())
        state.log = open_log(
            settings.resolved_events_url(), partitions=settings.partitions, max_waiting=settings.max_waiting_batches
        )
        state.audio = LocalAudio(settings.resolved_audio_dir())
        state.proxies = make_proxies(settings.trusted_proxies, settings.country_header)
        state.secret = load_secret(settings.secret, settings.home)
        state.tokens = DeviceTokens(state.secret)
        state.allowance = Allowance(settings.events_per_minute)
        state.registration_limiter = MovingWindowRateLimiter(MemoryStorage())
        try:
            async with _routes().lifespan_context(app):
                yield
        finally:
            state.log.close()
            state.engine.dispose()
            state.read_engine.dispose()

    app = EarshotAPI(title="Earshot", version="0.4.0", lifespan=lifespan, docs_url="/docs", redoc_url=None)
    app.state.settings = settings
    install_handlers(app)
    app.router.routes.extend(_routes().routes)
    sync_openapi.document(app)

    @app.get("/healthz", tags=["operations"])
    def healthz() -> dict[str, str]:
        """Whether the service answers."""
        return {"status": "ok"}

    return app


@cache
def _routes() -> APIRouter:
    """Every caller's routes, in one place. What FastAPI makes of them with the first request takes a third of a second,
    so several applications in one process share them; nothing in them is of one application."""
    router = APIRouter()
    for module in (
        sync_routes,
        gpodder_routes,
        accounts_routes,
        publishing_routes,
        audio_routes,
        url_routes,
        delivery_routes,
        stats_routes,
        arrival_routes,
        retention_routes,
        download_routes,
        explain_routes,
        pipeline_routes,
        replay_routes,
        audit_trail_routes,
        webhook_routes,
        advertising_routes,
        placement_routes,
        planning_routes,
        report_routes,
        payouts_routes,
        hold_routes,
        payouts_pending_routes,
        payouts_evidence_routes,
        payee_routes,
        batch_routes,
        proving_routes,
    ):
        router.include_router(module.router)
    return router
