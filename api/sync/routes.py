"""HTTP of the sync protocol: registering a device and asking what became of a batch."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api import clock
from api.addresses import host_of, network
from api.bodies import BoundedRoute
from api.deps import ReadSessionDep, SessionDep
from api.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    documented,
)
from api.events import LogUnavailableError
from api.hits.networks_of_devices import hash_network
from api.sync import service
from api.sync.schemas import DeviceIn, DeviceOut, ReceiptOut
from models.columns import DAY_MS
from models.metrics import LISTEN_SECONDS

router = APIRouter(prefix="/v1", tags=["sync"], route_class=BoundedRoute)

_bearer = HTTPBearer(auto_error=False, scheme_name="DeviceToken", description="The token of POST /v1/devices.")


def get_device(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> bytes:
    """The sixteen bytes of the device whose token was sent."""
    device = request.app.state.tokens.device_of(credentials.credentials) if credentials else None
    if device is None:
        raise UnauthenticatedError("Send the device's token: Authorization: Bearer <token>.")
    found: bytes = device.bytes
    return found


@router.post("/devices", status_code=201, responses=documented(TooLargeError, InvalidError, UnavailableError))
def register_device(body: DeviceIn, request: Request, session: SessionDep) -> DeviceOut:
    """Register an installed client; it keeps the id and the token for good."""
    host = host_of(request)
    service.check_registration_rate(request.app.state, network(host))
    device_id = uuid4()
    service.register(session, device_id, body, hash_network(request.app.state.secret, host, clock.now_ms() // DAY_MS))
    token = request.app.state.tokens.issue(device_id)
    return DeviceOut(device_id=device_id, token=token, server_time_ms=clock.now_ms(), listen_seconds=LISTEN_SECONDS)


@router.delete(
    "/devices/{device_id}",
    status_code=202,
    responses=documented(UnauthenticatedError, ForbiddenError, InvalidError, UnavailableError),
)
async def erase_device(
    device_id: UUID, request: Request, device: Annotated[bytes, Depends(get_device)]
) -> dict[str, str]:
    """Forget the device: what it sent is erased from store, log and archive within moments; totals stay as they are.

    The answer comes when the wish is on disk. Discard id and token then: what is still sent with them is not counted.
    """
    if device_id.bytes != device:
        raise ForbiddenError("This token is another device's.")
    service.check_registration_rate(request.app.state, f"erase {network(host_of(request))}")
    try:
        await service.request_erasure(request.app.state.log, device)
    except LogUnavailableError as error:
        raise UnavailableError("The event log takes nothing at the moment. Ask again.") from error
    return {"state": "accepted"}


@router.get("/sync/{receipt}", responses=documented(UnauthenticatedError, NotFoundError, UnavailableError))
def get_receipt(
    receipt: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    request: Request,
    session: ReadSessionDep,
    device: Annotated[bytes, Depends(get_device)],
) -> ReceiptOut:
    """What became of one of the device's own batches."""
    found = service.find_receipt(session, request.app.state.log, device, bytes.fromhex(receipt))
    if found is None:
        raise NotFoundError("No batch of this device has that receipt, or it is over 30 days old.")
    return found
