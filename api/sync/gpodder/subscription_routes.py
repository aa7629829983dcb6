"""The feeds that a listener follows: what changed, by device, and whole lists as files."""
# ruff: noqa: FAST003 - the dependency that finds the listener takes `user`

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from sqlmodel import Session

from api.deps import ReadSessionDep, SessionDep
from api.errors import ForbiddenError, InvalidError, NotFoundError, TooLargeError, UnavailableError, documented
from api.sync.gpodder import schemas, service
from api.sync.gpodder.access import GpodderRoute, ListenerDep, ListenerUnauthenticatedError
from api.sync.gpodder.addresses import clean_all, clean_url
from api.sync.gpodder.device_routes import BodyDep, DeviceNameDep, parse_object
from api.sync.gpodder.lists import MEDIA_TYPES, parse_list, write_list
from api.sync.gpodder.service import TooManyDevicesError
from api.sync.gpodder.uploads import UnreadableError
from models.listeners import Listener, ListenerDevice
from models.queries import listeners, subscriptions

router = APIRouter(
    route_class=GpodderRoute,
    responses=documented(ListenerUnauthenticatedError, ForbiddenError, UnavailableError),
)
Form = Annotated[Literal["opml", "json", "txt"], Path(description="How the list is written.")]
FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {media_type: {"schema": {"type": "string"}} for media_type in MEDIA_TYPES.values()}}
}


@router.post(
    "/api/2/subscriptions/{user}/{device}.json",
    responses=documented(UnreadableError, TooLargeError, InvalidError, TooManyDevicesError),
    openapi_extra=schemas.body_of(schemas.ChangesIn),
)
def change_subscriptions(
    listener: ListenerDep, device: DeviceNameDep, body: BodyDep, session: SessionDep
) -> schemas.Uploaded:
    """Subscribe a device to feeds, and end subscriptions. What is in both lists is subscribed to."""
    told = parse_object(body)
    added, changed = clean_all(_list_of(told, "add"), clean_url)
    removed, also_changed = clean_all(_list_of(told, "remove"), clean_url)
    sequence = service.next_sequence(session, listener)
    devices = _sharing(session, listener, service.ensure_device(session, listener, device))
    ended = [url for url in removed if url not in set(added)]
    subscriptions.put_subscriptions(session, devices, added, sequence, is_subscribed=True)
    subscriptions.put_subscriptions(session, devices, ended, sequence, is_subscribed=False)
    return schemas.Uploaded(timestamp=sequence, update_urls=list(dict(changed + also_changed).items()))


@router.get("/api/2/subscriptions/{user}/{device}.json", responses=documented(NotFoundError, InvalidError))
def list_changes(
    listener: ListenerDep, device: DeviceNameDep, session: ReadSessionDep, since: schemas.Since = 0
) -> schemas.ChangesOut:
    """What changed in a device's subscriptions after `since`."""
    row = _find_device(session, listener, device)
    until = listeners.get_sequence(session, service.key_of(listener))
    added, removed = subscriptions.list_changes(session, service.key_of(row), since, until)
    return schemas.ChangesOut(add=added, remove=removed, timestamp=until)


@router.get("/subscriptions/{user}/{device}.{form}", responses=FILE | documented(NotFoundError, InvalidError))
def read_list(listener: ListenerDep, device: DeviceNameDep, form: Form, session: ReadSessionDep) -> Response:
    """The feeds that a device follows."""
    row = _find_device(session, listener, device)
    return _file(subscriptions.list_subscriptions(session, [service.key_of(row)]), form, listener)


@router.put(
    "/subscriptions/{user}/{device}.{form}",
    responses=documented(UnreadableError, TooLargeError, InvalidError, TooManyDevicesError),
)
def put_list(listener: ListenerDep, device: DeviceNameDep, form: Form, body: BodyDep, session: SessionDep) -> Response:
    """Replace the feeds that a device follows. The answer is empty. A body in which no address is found, though there
    is something else, is refused, and the list stays as it is."""
    values = parse_list(body, form)
    urls, _ = clean_all(values, clean_url)
    if values and not urls:
        # A page of an error, say, that came in the place of a list. It must not cost the listener all subscriptions.
        raise UnreadableError("None of what is listed is the address of a feed. To end all subscriptions, send none.")
    sequence = service.next_sequence(session, listener)
    devices = _sharing(session, listener, service.ensure_device(session, listener, device))
    ended = set(subscriptions.list_subscriptions(session, devices)) - set(urls)
    subscriptions.put_subscriptions(session, devices, urls, sequence, is_subscribed=True)
    subscriptions.put_subscriptions(session, devices, ended, sequence, is_subscribed=False)
    return Response()


@router.get("/subscriptions/{user}.{form}", responses=FILE)
def read_all(listener: ListenerDep, form: Form, session: ReadSessionDep) -> Response:
    """The feeds that any of the listener's devices follows."""
    devices = listeners.list_devices(session, service.key_of(listener))
    return _file(subscriptions.list_subscriptions(session, map(service.key_of, devices)), form, listener)


def _find_device(session: Session, listener: Listener, name: str) -> ListenerDevice:
    device = listeners.get_device(session, service.key_of(listener), name)
    if device is None:
        raise NotFoundError(f"You have no device {name}. POST /api/2/devices/{listener.name}/{name}.json makes it.")
    return device


def _sharing(session: Session, listener: Listener, device: ListenerDevice) -> list[int]:
    """The device, and those that share its subscriptions."""
    if device.sync_group is None:
        return [service.key_of(device)]
    devices = listeners.list_devices(session, service.key_of(listener))
    return [service.key_of(other) for other in devices if other.sync_group == device.sync_group]


def _file(urls: list[str], form: str, listener: Listener) -> Response:
    return Response(write_list(urls, form, f"Podcasts of {listener.name}"), media_type=MEDIA_TYPES[form])


def _list_of(told: dict[str, Any], name: str) -> list[Any]:
    value = told.get(name)
    if value is not None and not isinstance(value, list):
        raise UnreadableError(f'Send {{"{name}": [...]}}: a list of addresses.')
    return value or []
