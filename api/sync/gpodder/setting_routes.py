"""Values that apps keep for a listener, and the listener's favourite episodes."""
# ruff: noqa: FAST003 - the dependency that finds the listener takes `user`

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path

from api.deps import ReadSessionDep, SessionDep
from api.errors import ForbiddenError, InvalidError, TooLargeError, UnavailableError, documented
from api.sync.gpodder import schemas, service
from api.sync.gpodder.access import GpodderRoute, ListenerDep, ListenerUnauthenticatedError
from api.sync.gpodder.addresses import clean_reference, clean_text, clean_url
from api.sync.gpodder.device_routes import BodyDep, parse_object
from api.sync.gpodder.uploads import UnreadableError, device_name
from models.queries import listener_settings
from models.queries.listener_settings import Subject

MAX_NAME = 255
MAX_VALUE = 64 << 10
"""Of a value, as JSON."""
MAX_DEPTH = 32
"""Lists and objects within each other in a value."""
MAX_NAMES = 1000
"""Values set, and names forgotten, by one request."""

router = APIRouter(
    route_class=GpodderRoute,
    responses=documented(ListenerUnauthenticatedError, ForbiddenError, UnavailableError, InvalidError),
)


def get_subject(
    scope: Annotated[Literal["account", "device", "podcast", "episode"], Path()],
    device: str = "",
    podcast: str = "",
    episode: str = "",
) -> Subject:
    """What settings are attached to; raises InvalidError when the query does not say it."""
    match scope:
        case "account":
            return Subject(scope)
        case "device" if device_name(device):
            return Subject(scope, device=device)
        case "podcast" if clean_url(podcast):
            return Subject(scope, podcast=clean_url(podcast))
        case "episode" if clean_url(podcast) and clean_reference(episode):
            return Subject(scope, podcast=clean_url(podcast), episode=clean_reference(episode))
        case _:
            raise InvalidError("Say what the settings are of: ?device=, ?podcast=, or ?podcast= with &episode=.")


SubjectDep = Annotated[Subject, Depends(get_subject)]


@router.get("/api/2/settings/{user}/{scope}.json")
def read_settings(listener: ListenerDep, subject: SubjectDep, session: ReadSessionDep) -> dict[str, Any]:
    """The values attached to the account, a device, a podcast or an episode."""
    return listener_settings.get_settings(session, service.key_of(listener), subject)


@router.post(
    "/api/2/settings/{user}/{scope}.json",
    responses=documented(UnreadableError, TooLargeError),
    openapi_extra=schemas.body_of(schemas.SettingsIn),
)
def change_settings(listener: ListenerDep, subject: SubjectDep, body: BodyDep, session: SessionDep) -> dict[str, Any]:
    """Set and forget values; all that are there then."""
    told = parse_object(body)
    values = told.get("set") or {}
    removed = told.get("remove") or []
    if not isinstance(values, dict) or not isinstance(removed, list):
        raise UnreadableError('Send {"set": {"name": value}, "remove": ["name"]}.')
    if max(len(values), len(removed)) > MAX_NAMES:
        raise InvalidError(f"One request sets and removes at most {MAX_NAMES:,} values each. Send several.")
    _check(values)
    service.next_sequence(session, listener)
    key = service.key_of(listener)
    listener_settings.put_settings(session, key, subject, values)
    listener_settings.delete_settings(session, key, subject, {name for name in map(clean_text, removed) if name})
    return listener_settings.get_settings(session, key, subject)


@router.get("/api/2/favorites/{user}.json")
def list_favorites(listener: ListenerDep, session: ReadSessionDep) -> list[schemas.FavoriteOut]:
    """The episodes whose setting `is_favorite` is true. Titles are not kept here: the address stands for them."""
    return [
        schemas.FavoriteOut(
            title=episode,
            url=episode,
            podcast_title=podcast,
            podcast_url=podcast,
            description="",
            website="",
            released="",
            mygpo_link="",
        )
        for podcast, episode in listener_settings.list_favorites(session, service.key_of(listener))
    ]


def _check(values: dict[str, Any]) -> None:
    for name, value in values.items():
        if not clean_text(name) == name or not 0 < len(name) <= MAX_NAME:
            raise InvalidError(f"A setting's name has 1 to {MAX_NAME} characters, without control characters.")
        if _is_deeper(value, MAX_DEPTH):
            raise InvalidError(f"The value of {name} has over {MAX_DEPTH} lists and objects within each other.")
        try:
            size = len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
        except (ValueError, RecursionError) as error:
            raise InvalidError(f"The value of {name} cannot be kept: {error}.") from error
        if size > MAX_VALUE:
            raise InvalidError(f"The value of {name} has over {MAX_VALUE:,} bytes as JSON.")


def _is_deeper(value: Any, depth: int) -> bool:
    """Whether lists and objects are nested deeper than that. Level by level: no value is too deep to be looked at."""
    level = [value]
    for _ in range(depth + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)
