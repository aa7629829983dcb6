"""A listener's devices, and which of them share their subscriptions."""
# ruff: noqa: FAST003 - the dependency that finds the listener takes `user`

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from sqlmodel import Session

from api.deps import ReadSessionDep, SessionDep
from api.errors import ForbiddenError, InvalidError, TooLargeError, UnavailableError, documented
from api.sync.gpodder import schemas, service
from api.sync.gpodder.access import GpodderRoute, ListenerDep, ListenerUnauthenticatedError
from api.sync.gpodder.addresses import clean_text
from api.sync.gpodder.service import TooManyDevicesError
from api.sync.gpodder.uploads import UnreadableError, device_name, parse_json
from models.listeners import Listener, ListenerDevice
from models.queries import listeners, subscriptions

DEVICE_KINDS = frozenset({"desktop", "laptop", "mobile", "server", "other"})
MAX_CAPTION = 200

router = APIRouter(
    route_class=GpodderRoute,
    responses=documented(ListenerUnauthenticatedError, ForbiddenError, UnavailableError),
)


async def get_body(request: Request) -> bytes:
    """The body, whatever its type is said to be: apps send JSON as text/plain."""
    return await request.body()


BodyDep = Annotated[bytes, Depends(get_body)]


def get_device_name(device: Annotated[str, Path(description="The id that the app chose for its device.")]) -> str:
    """A device's name; raises InvalidError for what can be none."""
    if not device_name(device):
        raise InvalidError("A device's id has 1 to 64 letters, digits, dots, hyphens or underscores.")
    return device


DeviceNameDep = Annotated[str, Depends(get_device_name)]


@router.get("/api/2/devices/{user}.json")
def list_devices(listener: ListenerDep, session: ReadSessionDep) -> list[schemas.DeviceOut]:
    """The listener's devices."""
    counts = subscriptions.count_subscriptions(session, service.key_of(listener))
    return [
        schemas.DeviceOut(
            id=device.name,
            caption=device.caption,
            type=device.kind,
            subscriptions=counts.get(service.key_of(device), 0),
        )
        for device in listeners.list_devices(session, service.key_of(listener))
    ]


@router.put("/api/2/devices/{user}/{device}.json", include_in_schema=False)
@router.post(
    "/api/2/devices/{user}/{device}.json",
    responses=documented(UnreadableError, TooLargeError, InvalidError, TooManyDevicesError),
    openapi_extra=schemas.body_of(schemas.DeviceIn),
)
def put_device(listener: ListenerDep, device: DeviceNameDep, body: BodyDep, session: SessionDep) -> Response:
    """Name a device and say what it is. One that is new is made; the answer is empty."""
    told = parse_object(body) if body.strip() else {}
    service.next_sequence(session, listener)
    row = service.ensure_device(session, listener, device)
    if caption := clean_text(told.get("caption"))[:MAX_CAPTION]:
        row.caption = caption
    if "type" in told:
        row.kind = told["type"] if isinstance(told["type"], str) and told["type"] in DEVICE_KINDS else "other"
    return Response()


@router.get("/api/2/sync-devices/{user}.json")
def read_sync_groups(listener: ListenerDep, session: ReadSessionDep) -> schemas.SyncGroupsOut:
    """Which devices share their subscriptions."""
    return _groups(session, listener)


@router.post(
    "/api/2/sync-devices/{user}.json",
    responses=documented(UnreadableError, TooLargeError),
    openapi_extra=schemas.body_of(schemas.SyncGroupsIn),
)
def put_sync_groups(listener: ListenerDep, body: BodyDep, session: SessionDep) -> schemas.SyncGroupsOut:
    """Let devices share their subscriptions, or stop. Those that begin to share get what any of them has."""
    told = parse_object(body)
    sequence = service.next_sequence(session, listener)
    known = {device.name: device for device in listeners.list_devices(session, service.key_of(listener))}
    for names in _lists(told.get("synchronize")):
        _join(session, [known[name] for name in names if name in known], sequence, list(known.values()))
    stopping = told.get("stop-synchronize")
    leaving = [service.key_of(device) for name, device in known.items() if name in _list(stopping)]
    subscriptions.put_sync_group(session, leaving, None)
    session.expire_all()
    return _groups(session, listener)


def _join(session: Session, devices: list[ListenerDevice], sequence: int, known: list[ListenerDevice]) -> None:
    if len(devices) < 2:
        return
    groups = {device.sync_group for device in devices if device.sync_group is not None}
    # Never the number of a device: a group that it has left may go by that.
    number = max((device.sync_group for device in known if device.sync_group is not None), default=0) + 1
    joined = {service.key_of(device) for device in devices}
    joined |= {service.key_of(device) for device in known if device.sync_group in groups}
    urls = subscriptions.list_subscriptions(session, joined)
    subscriptions.put_subscriptions(session, sorted(joined), urls, sequence, is_subscribed=True)
    subscriptions.put_sync_group(session, joined, number)
    session.expire_all()


def _groups(session: Session, listener: Listener) -> schemas.SyncGroupsOut:
    groups: dict[int, list[str]] = {}
    alone = []
    for device in listeners.list_devices(session, service.key_of(listener)):
        if device.sync_group is None:
            alone.append(device.name)
        else:
            groups.setdefault(device.sync_group, []).append(device.name)
    alone += [names[0] for names in groups.values() if len(names) == 1]
    shared = [names for names in groups.values() if len(names) > 1]
    return schemas.SyncGroupsOut(synchronized=shared, not_synchronized=sorted(alone))


def _lists(value: Any) -> list[list[Any]]:
    return [[name for name in _list(names) if isinstance(name, str)] for names in _list(value)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def parse_object(body: bytes) -> dict[str, Any]:
    """A JSON object; raises UnreadableError for anything else."""
    value = parse_json(body)
    if not isinstance(value, dict):
        raise UnreadableError("Send a JSON object.")
    return value
