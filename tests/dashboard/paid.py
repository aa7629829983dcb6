"""An office that pays, as pages find it: its store is the dashboard's, and its API answers the pages' forms."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select
from streamlit.testing.v1 import AppTest

from dashboard import calls, session
from dashboard.calls import Answer
from models.advertising import HeldPlayback, Hold
from models.payouts import Statement
from models.tables import Episode
from tests.api.payouts.conftest import Office

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
OCTOBER, SEPTEMBER = date(2026, 10, 5), date(2026, 9, 28)


class Browser:
    """Somebody's browser: pages run as them, and what they send goes to the API in this process."""

    def __init__(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        self.office = office
        self.who = ""
        monkeypatch.setattr(session, "token", lambda: self.office.keys[self.who])
        monkeypatch.setattr(calls, "ask", self._ask)

    def _ask(
        self, method: str, path: str, json: Any = None, *, key: str | None = None, timeout: float = 30
    ) -> Answer:  # fmt: skip
        headers = {"Authorization": f"Bearer {self.office.keys[self.who]}"}
        headers |= {"Idempotency-Key": key} if key else {}
        answer = self.office.client.request(method, path, json=json, headers=headers)
        return Answer(answer.status_code, answer.json() if answer.content else {})

    def open(self, who: str, page: str, function: str = "render", pages: int = 0, **query: str) -> AppTest:
        """One run of a page as somebody; `pages` is how many other pages it may lead to."""

        def script(name, function, arguments) -> None:
            from importlib import import_module

            getattr(import_module(f"dashboard.app_pages.{name}"), function)(*arguments)

        self.who = who
        arguments = ([self.office.users[who]] if page not in ("ledger", "trail") else []) + [None] * pages
        app = AppTest.from_function(script, default_timeout=60, args=(page, function, tuple(arguments)))
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        return app

    def statement(self, who: str, statement: dict[str, Any]) -> AppTest:
        """A statement's own page."""
        return self.open(who, "statement", pages=1, statement=statement["id"])

    def desk(self, who: str) -> AppTest:
        """The admins' page with all statements."""
        return self.open(who, "statements", pages=2)

    def earnings(self, who: str) -> AppTest:
        """A creator's page with her statements."""
        return self.open(who, "earnings", pages=3)


def table(app: AppTest, *columns: str) -> list[dict[str, Any]]:
    """The rows of the one table that has these columns."""
    found = [element.value for element in app.dataframe if set(columns) <= set(element.value.columns)]
    assert found, f"no table with {columns}"
    return found[0].to_dict("records")


def statement_row(engine: Engine, statement: dict[str, Any]) -> Statement:
    """As it is in the store."""
    with Session(engine, expire_on_commit=False) as store_session:
        return store_session.exec(select(Statement).where(Statement.uuid == UUID(statement["id"]))).one()


def put_hold(office: Office, episode: Episode, day: date = OCTOBER, rule: str = "identical_coverage") -> Hold:
    """A hold that flags two playbacks, of which one was a listen."""
    hold = Hold(
        rule=rule,
        day=day,
        subject=f"episode:{episode.id}:coverage:0",
        show_id=episode.show_id,
        evidence='{"measured": {"devices": 2, "seconds": 910}, "parameters": {"devices": 25}}',
        found_at=NOW,
    )
    hold = office._keep(hold)
    for number in (1, 2):
        office.put(
            HeldPlayback(
                day=day, episode_id=episode.id, device=bytes([number]) * 16, hold_id=hold.id, found_at=NOW
            )
        )  # fmt: skip
    office.held(episode, day, 1, rule=rule)
    return hold
