"""Calls that move money may be sent again: the second time does nothing and gets the answer of the first.

A client that got no answer cannot know whether its call arrived. So it sends a key of its own with every such call, and
the same key when it tries again. Key, answer and effect are one transaction: after a crash there are all or none.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response, params
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from api import clock
from api.bodies import BoundedRoute, Handler
from api.deps import SessionDep, UserDep
from api.errors import ApiError, ConflictError, ForbiddenError, InvalidError, documented
from models.queries import idempotency

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replay"
MAX_KEY_CHARACTERS = 200
WAIT_SECONDS = 10.0
"""For an earlier call with the same key that is still under way."""

_WRITING = {"POST", "PUT", "PATCH", "DELETE"}
_PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "description": "A key of your own for this call, as a random UUID. Sent again with the same key, the call does "
    f"nothing and is answered as the first time, with the header `{REPLAYED}: true`. "
    f"Kept {idempotency.KEEP_DAYS} days.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARACTERS, "pattern": "^[!-~]+$"},
}


class KeyMissingError(ApiError):
    """A call that moves money needs an Idempotency-Key."""

    code = "idempotency_key_missing"


class KeyReusedError(InvalidError):
    """The request makes no sense, or its Idempotency-Key belongs to another request."""

    code = "idempotency_key_reused"


class UnderWayError(ConflictError):
    """It clashes with what is there, or a call with the same Idempotency-Key is still under way."""

    code = "idempotency_key_in_use"
    headers = {"Retry-After": "5"}  # noqa: RUF012 - never changed


@dataclass(frozen=True, slots=True)
class _Claim:
    """A key that this request's transaction has taken."""

    session: Session
    user_id: int
    key: str

    def keep(self, response: Response, instead: dict[str, Any]) -> None:
        """Put the answer beside the effect, some of its fields replaced. A refusal that was returned, not raised, is
        not kept either."""
        if response.status_code >= 400:
            self.session.rollback()
            return
        body = bytes(response.body).decode()
        if instead:
            body = json.dumps(json.loads(body) | instead, ensure_ascii=False)
        idempotency.put_answer(self.session, self.user_id, self.key, response.status_code, body)


def show_once(request: Request, instead: dict[str, Any]) -> None:
    """Keep the answer to this request with these fields in the place of its own: what is shown once is not stored."""
    request.state.idempotency_instead = instead


class _AnsweredBefore(Exception):  # noqa: N818 - no error: the way out of a route that has nothing to do
    def __init__(self, status: int, body: str) -> None:
        super().__init__(status)
        self.response = Response(body, status, {REPLAYED: "true"}, media_type="application/json" if body else None)


async def _hash_request(request: Request) -> bytes:
    """SHA-256 of all that decides what a call does; lengths keep the parts apart."""
    digest = hashlib.sha256()
    for part in (request.method.encode(), request.scope["path"].encode(), request.scope["query_string"]):
        digest.update(len(part).to_bytes(4, "big") + part)
    digest.update(await request.body())
    return digest.digest()


def _check_key(request: Request) -> str:
    keys = request.headers.getlist(HEADER)
    if not keys:
        raise KeyMissingError(
            f"Send a header {HEADER} with a key of your own, as a random UUID; when no answer comes, send the call "
            "again with the same key, and it is done once."
        )
    key = keys[0].strip()
    is_visible = all("!" <= character <= "~" for character in key)
    if len(keys) > 1 or not is_visible or not 1 <= len(key) <= MAX_KEY_CHARACTERS:
        raise KeyMissingError(
            f"The header {HEADER} has one key of 1 to {MAX_KEY_CHARACTERS} visible ASCII characters, without spaces."
        )
    return key


def _claim(
    request: Request,
    user: UserDep,
    session: SessionDep,
    request_hash: Annotated[bytes, Depends(_hash_request)],
    _documented: Annotated[str | None, Header(alias=HEADER, include_in_schema=False)] = None,
) -> None:
    """Take the request's key before anything is done; leave with the earlier answer when there is one."""
    key, user_id = _check_key(request), user.id or 0
    try:
        is_first = idempotency.claim_key(session, user_id, key, request_hash, user.role, clock.now(), WAIT_SECONDS)
    except OperationalError as error:
        if "lock timeout" not in str(error.orig):
            raise
        raise UnderWayError("A call with this key is still under way. Send it again in a few seconds.") from error
    if is_first:
        request.state.idempotency_claim = _Claim(session, user_id, key)
        return
    stored = idempotency.get_key(session, user_id, key)
    if stored is None:  # its time was over at this very moment
        raise UnderWayError("This key was just forgotten. Send the call again.")
    if bytes(stored.request_hash) != request_hash:
        raise KeyReusedError(
            f"The {HEADER} {key!r} belongs to another request. Send a new key with a new request, and the very same "
            "body when you try again."
        )
    if stored.role != user.role:  # what the role may see is decided in the route, which a replay never reaches
        raise ForbiddenError(
            f"You made this call with the role {stored.role}; yours is {user.role} now. Its answer is not shown again."
        )
    raise _AnsweredBefore(stored.status, stored.body)


class MoneyRoute(BoundedRoute):
    """A route whose effect happens once for each Idempotency-Key: `APIRouter(route_class=MoneyRoute)`.

    Covers the routes with a writing method; others of the router are left as they are. They must write through
    `SessionDep`, whose commit takes effect and answer together.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: set[str] | list[str] | None = None,
        dependencies: Sequence[params.Depends] | None = None,
        responses: dict[int | str, dict[str, Any]] | None = None,
        openapi_extra: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        if _WRITING & {method.upper() for method in methods or ()}:
            dependencies = [Depends(_claim), *(dependencies or ())]
            responses = {**documented(KeyMissingError, UnderWayError, KeyReusedError), **(responses or {})}
            extra = openapi_extra or {}
            openapi_extra = {**extra, "parameters": [*extra.get("parameters", ()), _PARAMETER]}
        super().__init__(
            path,
            endpoint,
            methods=methods,
            dependencies=dependencies,
            responses=responses,
            openapi_extra=openapi_extra,
            **more,
        )

    def get_route_handler(self) -> Handler:
        """The bounded handler; the answer is kept before the request's transaction commits."""
        handle = super().get_route_handler()

        async def handle_once(request: Request) -> Response:
            try:
                response = await handle(request)
            except _AnsweredBefore as before:
                return before.response
            claim: _Claim | None = getattr(request.state, "idempotency_claim", None)
            if claim is not None:
                instead: dict[str, Any] = getattr(request.state, "idempotency_instead", {})
                await run_in_threadpool(claim.keep, response, instead)
            return response

        return handle_once
