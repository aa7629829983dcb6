"""The dashboard as one ASGI app: Streamlit behind our own sign-in.

Run it with `earshot dashboard`, or `uvicorn --factory dashboard.server:create_app`.
"""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit.web.bootstrap import load_config_options

import dashboard.charts  # noqa: F401 - Plotly and pandas take a second, which the first visitor must not wait for
from dashboard import session, sign_in, theme
from dashboard.gate import Gate

SCRIPT = Path(__file__).parent / "app.py"


async def _healthz(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


def create_app() -> st.App:
    """The app; one per process, since Streamlit's runtime is one per process."""
    # Here and not in a config.toml, so that however the app is started it looks the same.
    load_config_options(theme.STREAMLIT_OPTIONS)
    return st.App(
        SCRIPT,
        routes=[*sign_in.routes(), Route("/healthz", _healthz)],
        middleware=[Middleware(Gate, find_user=session.find_user)],
    )
