"""What requests are given: a store session that commits once, and who is asking."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from api import clock
from api.errors import ForbiddenError, UnauthenticatedError
from models.queries import accounts
from models.tables import Role, User

_bearer = HTTPBearer(auto_error=False, description="An API key, or the token of a signed-in session.")


def get_session(request: Request) -> Iterator[Session]:
    """One transaction per request: committed when the route returned, rolled back when it raised."""
    with Session(request.app.state.engine, expire_on_commit=False) as session:
        yield session
        session.commit()


# scope="function": the commit comes before the answer, so nobody is told of a write that then fails.
SessionDep = Annotated[Session, Depends(get_session, scope="function")]


def get_read_session(request: Request) -> Iterator[Session]:
    """A session that reads, and does not wait for writers."""
    session = Session(request.app.state.read_engine, expire_on_commit=False)
    try:
        yield session
    finally:
        # What was read was read, and there is nothing to undo: a connection that broke since then takes no answer away.
        with suppress(SQLAlchemyError):
            session.close()


ReadSessionDep = Annotated[Session, Depends(get_read_session, scope="function")]


def get_user(
    session: ReadSessionDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> User:
    """Whoever the bearer key or session token belongs to."""
    if credentials is None:
        raise UnauthenticatedError("Send your API key: Authorization: Bearer <api key>.")
    token_hash = hashlib.sha256(credentials.credentials.encode()).digest()
    user = accounts.get_user_by_token(session, token_hash, clock.now())
    if user is None:
        raise UnauthenticatedError("This key or session is not valid any more. Sign in again, or make a new key.")
    return user


UserDep = Annotated[User, Depends(get_user)]


def require(*roles: Role) -> Callable[[User], User]:
    """A dependency that lets these roles pass."""

    def check(user: UserDep) -> User:
        if user.role not in roles:
            raise ForbiddenError(f"This needs the role {' or '.join(roles)}; yours is {user.role}.")
        return user

    return check


PublisherDep = Annotated[User, Depends(require(Role.CREATOR, Role.ADMIN))]
"""A creator, or an admin, who may see and change every show."""
