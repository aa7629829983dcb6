"""Signing in and out, and who one is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api import passwords
from api.accounts import service
from api.accounts.schemas import SessionOut, SignInRequest, UserOut
from api.addresses import host_of
from api.attempts import Attempts, TooManyAttemptsError
from api.bodies import BoundedRoute
from api.deps import ReadSessionDep, SessionDep, UserDep
from api.errors import ConflictError, InvalidError, TooLargeError, UnauthenticatedError, documented


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.sign_ins = Attempts(app.state.settings.sign_ins_per_minute)
    passwords.nobodys_hash()  # made now, so that the first unknown address does not take twice as long
    yield


router = APIRouter(prefix="/v1", tags=["accounts"], route_class=BoundedRoute, lifespan=_lifespan)

BearerDep = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer(auto_error=False))]


# A plain function, so that argon2 runs on a thread and not in the event loop.
@router.post(
    "/session",
    status_code=201,
    responses=documented(service.BadCredentialsError, TooManyAttemptsError, TooLargeError, InvalidError),
)
def sign_in(body: SignInRequest, request: Request, reading: ReadSessionDep, session: SessionDep) -> SessionOut:
    """Sign in with e-mail address and password. The token is valid for 14 days, or until `DELETE /v1/session`."""
    # Two sessions: on SQLite a writer holds the only write lock, which must not wait for argon2.
    user = service.check_password(reading, request.app.state.sign_ins, body.email, body.password, host_of(request))
    signed_in = service.begin_session(session, user)
    return SessionOut(
        token=signed_in.token, expires_at=signed_in.session.expires_at, user=UserOut.model_validate(signed_in.user)
    )


@router.delete("/session", status_code=204, responses=documented(UnauthenticatedError, ConflictError))
def sign_out(_user: UserDep, credentials: BearerDep, session: SessionDep) -> Response:
    """End the session whose token is sent."""
    service.end_session(session, credentials.credentials)
    return Response(status_code=204)


@router.get("/me", responses=documented(UnauthenticatedError))
def read_me(user: UserDep) -> UserOut:
    """Whose key or session this is."""
    return UserOut.model_validate(user)
