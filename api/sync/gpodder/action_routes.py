"""Episode actions: uploaded, kept for the listener's other apps, and those that are plays counted."""
# ruff: noqa: FAST003 - the dependency that finds the listener takes `user`

from collections import defaultdict
from dataclasses import replace
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request
from sqlalchemy import Engine
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from api import clock
from api.deps import ReadSessionDep, SessionDep
from api.errors import ForbiddenError, TooLargeError, UnavailableError, documented
from api.events import EventLog, LogUnavailableError, Record
from api.events.log import append_all
from api.events.records import Actions, ActionTuple, pack
from api.pseudonyms import listener_device
from api.sync.gpodder import schemas, service
from api.sync.gpodder.access import GpodderRoute, ListenerDep, ListenerUnauthenticatedError
from api.sync.gpodder.addresses import clean_url
from api.sync.gpodder.uploads import UnreadableError, Upload, parse_upload
from models.listeners import EpisodeAction, Listener
from models.queries import actions, listeners
from models.queries.episode_urls import resolve_episodes

ACTIONS_PER_RECORD = 500
"""As many as a batch of our own protocol may have: the worker takes a record whole."""

_logger = structlog.get_logger(__name__)

router = APIRouter(
    route_class=GpodderRoute,
    responses=documented(ListenerUnauthenticatedError, ForbiddenError, UnavailableError),
)


@router.post(
    "/api/2/episodes/{user}.json",
    responses=documented(UnreadableError, TooLargeError),
    openapi_extra=schemas.body_of(schemas.ActionIn, is_list=True),
)
async def upload_actions(
    listener: ListenerDep, request: Request, reading: ReadSessionDep, session: SessionDep
) -> schemas.Uploaded:
    """Tell what was done with episodes: `download`, `play`, `delete`, `new`, `flattr`.

    Answered only after the plays are on disk. May be repeated: an action that is known already changes nothing. An
    action that cannot be kept never fails the others.
    """
    state = request.app.state
    received_ms = clock.now_ms()
    upload = await run_in_threadpool(parse_upload, await request.body(), received_ms)
    if upload.dropped:
        _logger.info("episode actions dropped", causes=dict(upload.dropped))
    await run_in_threadpool(_register_devices, reading, state.engine, listener, upload)
    devices = {
        name: listener_device(state.secret, listener.uuid, name) for name in {one.device for one in upload.actions}
    }
    episodes = await run_in_threadpool(_resolve, state.read_engine, upload)
    # Many may wait for the log at once; none may keep a connection meanwhile.
    await run_in_threadpool(reading.close)
    plays = await run_in_threadpool(_by_device, upload, devices, episodes)
    _take_allowance(state, plays)
    # The log first: what is in it and not in the store is told again and recognised; the other way round a play that
    # was acknowledged would never be counted.
    await _append(state.log, await run_in_threadpool(_records, plays, received_ms))
    sequence = await run_in_threadpool(_keep, session, listener, upload, devices)
    return schemas.Uploaded(timestamp=sequence, update_urls=list(upload.changed.items()))


@router.get("/api/2/episodes/{user}.json")
def list_actions(
    listener: ListenerDep,
    session: ReadSessionDep,
    since: schemas.Since = 0,
    podcast: Annotated[str | None, Query(description="Only of this feed.")] = None,
    device: Annotated[str | None, Query(description="Only from this device.")] = None,
    aggregated: Annotated[bool, Query(description="Only the latest action of each episode.")] = False,
) -> schemas.ActionsOut:
    """What was told after `since`, by any of the listener's apps."""
    until = listeners.get_sequence(session, service.key_of(listener))
    rows = actions.list_actions(
        session,
        service.key_of(listener),
        since,
        until,
        podcast=None if podcast is None else clean_url(podcast),
        device=None if device is None else device.replace("\0", ""),
    )
    if aggregated:
        rows = _latest(rows)
    return schemas.ActionsOut(actions=[schemas.action_out(row) for row in rows], timestamp=until)


def _resolve(engine: Engine, upload: Upload) -> dict[str, str]:
    """Reference -> UUID, for the plays."""
    plays = [action for action in upload.actions if action.span_ms() is not None]
    references = {reference for play in plays for reference in (play.episode, play.guid) if reference}
    with engine.connect() as connection:
        return {reference: str(uuid) for reference, uuid in resolve_episodes(connection, references).items()}


def _register_devices(reading: Session, engine: Engine, listener: Listener, upload: Upload) -> None:
    """Keep the names of the devices, in a transaction of its own before their plays are in the log: by these names a
    listener's plays are found when they are to be erased. Devices beyond what a listener may have become none."""
    names = list(dict.fromkeys(action.device for action in upload.actions if action.device))
    known = {device.name for device in listeners.list_devices(reading, service.key_of(listener))}
    if not known.issuperset(names):
        with Session(engine) as session:
            service.next_sequence(session, listener)
            known = set(service.ensure_devices(session, listener, names))
            session.commit()
    upload.actions = [action if action.device in known else replace(action, device="") for action in upload.actions]


def _by_device(upload: Upload, devices: dict[str, bytes], episodes: dict[str, str]) -> dict[bytes, list[ActionTuple]]:
    """The plays, as the log has them."""
    plays: dict[bytes, list[ActionTuple]] = defaultdict(list)
    for action in upload.actions:
        span = action.span_ms()
        if span is None:
            continue
        device = devices[action.device]
        episode = episodes.get(action.episode) or episodes.get(action.guid, "")
        told = (action.podcast, action.episode, action.guid)
        plays[device].append((action.event_id(device), action.at_ms, *span, episode, *told))
    return plays


def _take_allowance(state: Any, plays: dict[bytes, list[ActionTuple]]) -> None:
    """Raises UnavailableError when a device sends more than it may."""
    for device, told in plays.items():
        # One upload that is more than a minute's takes the whole minute: its app could not send less.
        if not state.allowance.take(device, min(len(told), state.settings.events_per_minute)):
            raise UnavailableError("This device sends more than any listener can hear. Keep the actions for later.", 60)


def _records(plays: dict[bytes, list[ActionTuple]], received_ms: int) -> list[Record]:
    return [
        Record(device, pack(Actions(device, received_ms, told[start : start + ACTIONS_PER_RECORD])))
        for device, told in plays.items()
        for start in range(0, len(told), ACTIONS_PER_RECORD)
    ]


async def _append(log: EventLog, records: list[Record]) -> None:
    try:
        await append_all(log, records)
    except LogUnavailableError as error:
        _logger.warning("episode actions not taken", cause=str(error))
        raise UnavailableError("The actions could not be kept just now. Keep them and send them again.") from error


def _keep(session: Session, listener: Listener, upload: Upload, devices: dict[str, bytes]) -> int:
    """Keep the actions for the listener's other apps; the number to ask from the next time."""
    sequence = service.next_sequence(session, listener)
    actions.append_actions(
        session,
        [
            (
                listener.id,
                action.action_id(devices[action.device]),
                sequence,
                action.device,
                action.podcast,
                action.episode,
                action.guid,
                action.kind,
                action.at_ms,
                action.started,
                action.position,
                action.total,
            )
            for action in upload.actions
        ],
    )
    return sequence


def _latest(rows: list[EpisodeAction]) -> list[EpisodeAction]:
    latest: dict[tuple[str, str], EpisodeAction] = {}
    for row in sorted(rows, key=lambda row: row.at_ms):
        latest[row.podcast, row.episode] = row
    return sorted(latest.values(), key=lambda row: (row.sequence, row.at_ms))
