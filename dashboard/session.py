"""Who is signed in. The browser holds a random token, the store its SHA-256."""

import hashlib

import streamlit as st

from dashboard import clock, store
from models.queries import accounts
from models.tables import User

COOKIE = "earshot_session"


def find_user(token: str | None) -> User | None:
    """The active user that a session token belongs to, asked of the store each time."""
    if not token:
        return None
    with store.read() as session:
        return accounts.get_user_by_token(session, hashlib.sha256(token.encode()).digest(), clock.now())


def token() -> str | None:
    """The token that this browser connected with. Streamlit freezes it then: a later sign-out does not change it."""
    return st.context.cookies.get(COOKIE)


def current_user() -> User | None:
    """Whoever is signed in at this moment. Ask on every run, since a session may end while a page is open."""
    return find_user(token())
