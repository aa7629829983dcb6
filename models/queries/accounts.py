"""Users and their browser sessions."""

from datetime import datetime

from sqlmodel import Session, col, delete, or_, select

from models.tables import User, WebSession


def append_user(session: Session, user: User) -> None:
    """Add a user; raises IntegrityError when the address is taken."""
    session.add(user)
    session.flush()


def get_user_by_email(session: Session, email: str) -> User | None:
    """The user who signs in with this address, in any case of letters."""
    return session.exec(select(User).where(User.email == email.strip().lower())).first()


def get_user_by_token(session: Session, token_hash: bytes, now: datetime) -> User | None:
    """The active user whose API key or unexpired browser session has this SHA-256."""
    signed_in = select(WebSession.user_id).where(WebSession.token_hash == token_hash, WebSession.expires_at > now)
    statement = select(User).where(
        or_(User.api_key_hash == token_hash, col(User.id).in_(signed_in)), col(User.disabled_at).is_(None)
    )
    return session.exec(statement).first()


def list_users(session: Session) -> list[User]:
    """Everyone, in order of e-mail address."""
    return list(session.exec(select(User).order_by(User.email)))


def append_session(session: Session, row: WebSession) -> None:
    """Keep a browser signed in."""
    session.add(row)


def delete_session(session: Session, token_hash: bytes) -> bool:
    """Sign a browser out; False when no session has this SHA-256."""
    return bool(session.exec(delete(WebSession).where(col(WebSession.token_hash) == token_hash)).rowcount)


def delete_sessions_of(session: Session, user_id: int) -> None:
    """Sign a user out everywhere."""
    session.exec(delete(WebSession).where(col(WebSession.user_id) == user_id))


def delete_expired_sessions(session: Session, now: datetime) -> None:
    """Forget sessions that are over."""
    session.exec(delete(WebSession).where(col(WebSession.expires_at) <= now))
