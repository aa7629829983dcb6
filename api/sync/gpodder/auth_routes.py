"""Signing in and out."""
# ruff: noqa: FAST003 - the dependency that finds the listener takes `user`

from fastapi import APIRouter, Request, Response

from api import passwords
from api.deps import SessionDep
from api.errors import ForbiddenError, UnavailableError, documented
from api.sync.gpodder import service
from api.sync.gpodder.access import COOKIE, GpodderRoute, ListenerDep, ListenerUnauthenticatedError
from models.queries import listeners

router = APIRouter(
    route_class=GpodderRoute,
    responses=documented(ListenerUnauthenticatedError, ForbiddenError, UnavailableError),
)


@router.post("/api/2/auth/{user}/login.json")
def sign_in(_listener: ListenerDep) -> Response:
    """Check name and password (HTTP Basic), or a cookie that is there already. The answer sets the cookie `sessionid`,
    which stands for the password for 60 days, or until signing out."""
    return Response()


@router.post("/api/2/auth/{user}/logout.json")
def sign_out(listener: ListenerDep, request: Request, session: SessionDep) -> Response:
    """End the session whose cookie is sent."""
    if token := request.cookies.get(COOKIE):
        listeners.delete_session(session, passwords.hash_token(token), service.key_of(listener))
    request.state.new_session = ""
    response = Response()
    response.delete_cookie(COOKIE)
    return response
