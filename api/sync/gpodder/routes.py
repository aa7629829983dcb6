"""All routes of the gpodder API, as the application includes them."""

from fastapi import APIRouter

from api.sync.gpodder import (
    action_routes,
    auth_routes,
    device_routes,
    registration,
    setting_routes,
    subscription_routes,
)
from api.sync.gpodder.access import lifespan

PARTS = (
    auth_routes.router,
    device_routes.router,
    subscription_routes.router,
    action_routes.router,
    setting_routes.router,
    registration.router,
)

router = APIRouter(tags=["gpodder"], lifespan=lifespan)
for part in PARTS:
    router.include_router(part)
