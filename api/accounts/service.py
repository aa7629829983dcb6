"""People: adding them, signing them in and out."""

import re
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from api import clock, passwords
from api.addresses import network
from api.attempts import Attempts
from api.errors import ConflictError, InvalidError, NotFoundError, UnauthenticatedError
from models.queries import accounts
from models.tables import Role, User, WebSession

SESSION_DAYS = 14
API_KEY_PREFIX = "es_"
"""So that a leaked key is recognised for what it is."""

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")


class BadCredentialsError(UnauthenticatedError):
    """The e-mail address or the password is wrong; which of them is not said."""

    code = "bad_credentials"


@dataclass(frozen=True, slots=True)
class NewUser:
    """What is shown once, when a user is made."""

    email: str
    password: str
    api_key: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session just begun."""

    token: str
    session: WebSession
    user: User


# -- sessions ------------------------------------------------------------------------------------------------------


def check_password(session: Session, attempts: Attempts, email: str, password: str, host: str) -> User:
    """The active user with this password; raises BadCredentialsError or TooManyAttemptsError. Writes nothing."""
    email = email.strip().lower()
    with attempts.attempt(f"email {email}", f"address {network(host)}") as attempt:
        user = accounts.get_user_by_email(session, email) if _EMAIL.fullmatch(email) else None
        if user is not None and user.disabled_at is not None:
            user = None
        # Always one argon2 run, so that the time does not tell whether the address has an account.
        if not passwords.is_password(password, user.password_hash if user else None) or user is None:
            raise BadCredentialsError("The e-mail address or the password is wrong.")
        attempt.succeeded()
    return user


def begin_session(session: Session, user: User) -> SignedIn:
    """Sign in, and forget sessions that are over."""
    now = clock.now()
    accounts.delete_expired_sessions(session, now)
    token = passwords.make_token()
    row = WebSession(
        token_hash=passwords.hash_token(token),
        user_id=_id_of(user),
        created_at=now,
        expires_at=now + timedelta(days=SESSION_DAYS),
    )
    accounts.append_session(session, row)
    return SignedIn(token, row, user)


def end_session(session: Session, token: str) -> None:
    """Sign out; raises ConflictError for an API key, which is no session."""
    if not accounts.delete_session(session, passwords.hash_token(token)):
        raise ConflictError("This is an API key, not a session. Replace a key with: earshot users key EMAIL")


# -- people --------------------------------------------------------------------------------------------------------


def add_user(session: Session, email: str, role: str, name: str = "") -> NewUser:
    """Make a user with a random password and API key; raises ApiError when the address or the role is no good."""
    email = email.strip().lower()
    if not _EMAIL.fullmatch(email):
        raise InvalidError(f"{email!r} is not an e-mail address.")
    if role not in list(Role):
        raise InvalidError(f"There is no role {role!r}. Choose one of: {', '.join(Role)}.")
    made = NewUser(email, passwords.make_password(), passwords.make_token(API_KEY_PREFIX))
    user = User(
        email=email,
        name=name.strip(),
        role=role,
        password_hash=passwords.hash_password(made.password),
        api_key_hash=passwords.hash_token(made.api_key),
        created_at=clock.now(),
    )
    try:
        accounts.append_user(session, user)
    except IntegrityError as error:
        message = f"There is a user {email} already. For a new password: earshot users password {email}"
        raise ConflictError(message) from error
    return made


def renew_password(session: Session, email: str) -> str:
    """Give a user a new random password, and sign out every browser that used the old one."""
    user = _get_user(session, email)
    password = passwords.make_password()
    user.password_hash = passwords.hash_password(password)
    accounts.delete_sessions_of(session, _id_of(user))
    return password


def renew_api_key(session: Session, email: str) -> str:
    """Give a user a new API key; the old one stops working."""
    key = passwords.make_token(API_KEY_PREFIX)
    _get_user(session, email).api_key_hash = passwords.hash_token(key)
    return key


def disable_user(session: Session, email: str) -> None:
    """Lock a user out at once: password, API key and open sessions. Their shows stay."""
    user = _get_user(session, email)
    if user.disabled_at is None:
        user.disabled_at = clock.now()
    accounts.delete_sessions_of(session, _id_of(user))


def _get_user(session: Session, email: str) -> User:
    user = accounts.get_user_by_email(session, email)
    if user is None:
        raise NotFoundError(f"There is no user {email.strip().lower()}. All users: earshot users list")
    return user


def _id_of(user: User) -> int:
    if user.id is None:
        raise ValueError("this user was never stored")
    return user.id
