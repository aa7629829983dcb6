"""Listeners' accounts: adding and removing them, checking passwords, beginning sessions."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from api import clock, passwords
from api.attempts import Attempts, TooManyAttemptsError
from api.errors import ConflictError, InvalidError, NotFoundError, UnauthenticatedError, UnavailableError
from models.listeners import Listener, ListenerDevice, ListenerSession
from models.queries import listeners

SESSION_DAYS = 60
MIN_PASSWORD, MAX_PASSWORD = 10, 200
MOST_DEVICES = 50
"""Of one listener. Each is counted by itself, so whoever could name any number could make any number of listens."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")


class WrongPasswordError(UnauthenticatedError):
    """The name or the password is wrong; which of them is not said."""

    code = "bad_credentials"
    headers = {"WWW-Authenticate": 'Basic realm="Earshot listeners", charset="UTF-8"'}  # noqa: RUF012 - never changed


class TooManyDevicesError(ConflictError):
    """The listener has as many devices as there may be."""

    code = "too_many_devices"


@dataclass(frozen=True, slots=True)
class NewListener:
    """What is shown once, when a listener is made."""

    username: str
    password: str


def key_of(row: Listener | ListenerDevice) -> int:
    """The small key of a row that was read from the store."""
    if row.id is None:
        raise ValueError("this row was never stored")
    return row.id


def add_listener(session: Session, name: str, password: str | None = None) -> NewListener:
    """Make a listener, with a random password unless one is chosen; raises ApiError when either will not do."""
    name = name.strip().lower()
    check_new(name, password)
    made = NewListener(name, password or passwords.make_password())
    listener = Listener(name=name, password_hash=passwords.hash_password(made.password), created_at=clock.now())
    try:
        listeners.append_listener(session, listener)
    except IntegrityError as error:
        raise _taken(name) from error
    return made


def check_new(name: str, password: str | None) -> None:
    """Raises InvalidError for a name or a password that will not do."""
    if not _NAME.fullmatch(name.strip().lower()):
        raise InvalidError(
            "A name has 1 to 32 letters a to z, digits, dots, hyphens or underscores; a letter or a digit comes first."
        )
    if password is not None and not _is_text(password):
        raise InvalidError("This password has characters that cannot be read. Choose another.")
    if password is not None and not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidError(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")


def refuse_taken(session: Session, name: str) -> None:
    """Raises ConflictError when there is such a listener: sooner than `add_listener`, which has to hash first."""
    if find_listener(session, name) is not None:
        raise _taken(name.strip().lower())


def _taken(name: str) -> ConflictError:
    return ConflictError(f"The name {name} is taken. Choose another.")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def find_listener(session: Session, name: str) -> Listener | None:
    """The listener of this name; what can be no name finds nobody."""
    name = name.strip().lower()
    return listeners.get_listener_by_name(session, name) if _NAME.fullmatch(name) else None


def check_password(session: Session, attempts: Attempts, name: str, password: str, host: str) -> Listener:
    """The listener with this password. Raises WrongPasswordError, or UnavailableError after too many wrong ones."""
    keys = (f"listener {name.strip().lower()[:64]}", f"address {host}")
    try:
        with attempts.attempt(*keys) as attempt:
            listener = find_listener(session, name)
            # Always one argon2 run, so that the time does not tell whether there is such a listener.
            if not passwords.is_password(password, listener.password_hash if listener else None) or listener is None:
                raise WrongPasswordError("The name or the password is wrong.")
            attempt.succeeded()
    except TooManyAttemptsError as error:
        # Podcast apps take a 429 for a refusal, and some then throw away what they had to tell.
        raise UnavailableError(error.message, error.retry_after_seconds) from error
    return listener


def begin_session(session: Session, listener: Listener) -> str:
    """The token of a new session for who was let in; those that are over are forgotten. Raises WrongPasswordError when
    the listener was removed, or given a new password, since the password was checked."""
    current = listeners.lock_listener(session, key_of(listener))
    if current is None or current.password_hash != listener.password_hash:
        raise WrongPasswordError("The name or the password is wrong.")
    now = clock.now()
    listeners.delete_expired_sessions(session, now)
    token = passwords.make_token()
    row = ListenerSession(
        token_hash=passwords.hash_token(token),
        listener_id=key_of(current),
        created_at=now,
        expires_at=now + timedelta(days=SESSION_DAYS),
    )
    listeners.append_session(session, row)
    return token


def renew_password(session: Session, name: str) -> NewListener:
    """Give a listener a new random password, and sign their apps out."""
    # Hashed before the transaction begins: other writers would wait for it.
    password = passwords.make_password()
    password_hash = passwords.hash_password(password)
    listener = get_listener(session, name)
    listener.password_hash = password_hash
    listeners.delete_sessions_of(session, key_of(listener))
    return NewListener(listener.name, password)


def remove_listener(session: Session, name: str) -> str:
    """Leave nothing of a listener but what was counted; the name that is gone."""
    listener = get_listener(session, name)
    gone = listener.name
    listeners.delete_listener(session, key_of(listener))
    return gone


def get_listener(session: Session, name: str) -> Listener:
    """The listener of this name; raises NotFoundError."""
    listener = find_listener(session, name)
    if listener is None:
        raise NotFoundError(f"There is no listener {name.strip().lower()}. All of them: earshot listeners list")
    return listener


def next_sequence(session: Session, listener: Listener) -> int:
    """The number for the change that this transaction makes; other requests of this listener wait until it ends."""
    sequence = listeners.raise_sequence(session, key_of(listener), int(clock.now().timestamp()))
    if sequence is None:
        raise WrongPasswordError("This listener was removed.")
    return sequence


def ensure_device(session: Session, listener: Listener, name: str) -> ListenerDevice:
    """The listener's device of this name, made when it is new. Raises TooManyDevicesError. Call `next_sequence` first:
    it keeps another request from making the same."""
    device = ensure_devices(session, listener, [name]).get(name)
    if device is None:
        raise TooManyDevicesError(
            f"You have {MOST_DEVICES} devices, and there may be no more. Let the app use the id of one of them: "
            f"GET /api/2/devices/{listener.name}.json lists them."
        )
    return device


def ensure_devices(session: Session, listener: Listener, names: Iterable[str]) -> dict[str, ListenerDevice]:
    """The listener's devices of these names, made where they are new and for as many as there may be; those beyond are
    left out. Call `next_sequence` first."""
    known = {device.name: device for device in listeners.list_devices(session, key_of(listener))}
    wanted = list(dict.fromkeys(names))
    places = max(MOST_DEVICES - len(known), 0)
    made = [
        ListenerDevice(listener_id=key_of(listener), name=name, caption=name, kind="other")
        for name in [name for name in wanted if name not in known][:places]
    ]
    listeners.append_devices(session, made)
    known |= {device.name: device for device in made}
    return {name: known[name] for name in wanted if name in known}
