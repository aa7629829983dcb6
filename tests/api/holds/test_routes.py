"""Holds over HTTP and on the command line."""

import json
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, select
from typer.testing import CliRunner

from api.cli import app
from api.measurement.playback import Playback, to_row
from api.settings import Settings
from models.columns import day_from_number
from models.queries import folding
from models.tables import Show, User
from tests.api.conftest import People
from tests.device import now_ms
from tests.factories import make_episode

TODAY = day_from_number(now_ms() // 86_400_000)


def put_binge(engine: Engine, show_id: int, device: bytes = b"d" * 16) -> None:
    """A device that listened for 25 hours today, to an episode of this show."""
    with Session(engine) as session:
        episode = make_episode(session, session.get_one(Show, show_id))
    heard = Playback()
    heard.add(b"12345678", "pause", now_ms(), 0, 60_000, 90_000_000, False)
    day = now_ms() // 86_400_000
    with engine.begin() as connection:
        folding.put_playbacks(connection, [to_row((day, device, episode.id or 0), heard)])
        folding.put_counted_durations(connection, [(episode.id or 0, 600)])


@pytest.fixture
def show(people: People, engine: Engine) -> dict[str, Any]:
    """The owner's show, of which one playback is held."""
    made = people.show()
    with Session(engine) as session:
        show_id = session.exec(select(Show.id).where(Show.slug == made["slug"])).one()
    put_binge(engine, show_id or 0)
    answer = act(people, "/v1/holds/scan", {"from": str(TODAY), "to": str(TODAY)})
    assert answer.json() == {"new_holds": 1, "playbacks": 1, "downloads": 0, "ended": 0}
    return made


def act(people: People, path: str, body: dict[str, Any], who: str = "admin", key: str = "") -> Any:
    """A call that changes something."""
    return people.call(who, "POST", path, {"Idempotency-Key": key or str(uuid4())}, json=body)


def the_hold(people: People) -> dict[str, Any]:
    """The one there is."""
    (hold,) = people.call("admin", "GET", "/v1/holds").json()["items"]
    return hold


def test_an_admin_sees_the_evidence_and_decides(people: People, show: dict[str, Any]) -> None:
    hold = the_hold(people)
    assert hold["rule"] == "over_24_hours"
    assert hold["state"] == "open"
    assert hold["evidence"]["measured"] == {"wall_ms": 90_000_000}
    assert hold["evidence"]["parameters"] == {"wall_ms": 86_400_000}
    assert hold["source"] == "docs/fraud.md#over_24_hours"
    detail = people.call("admin", "GET", f"/v1/holds/{hold['id']}").json()
    assert detail["episodes"][0]["show_id"] == show["id"]
    assert (detail["playbacks"], detail["devices"], detail["decisions"]) == (1, 1, [])

    void = act(people, f"/v1/holds/{hold['id']}/void", {"reason": "a machine"})
    assert void.status_code == 200, void.text
    again = act(people, f"/v1/holds/{hold['id']}/void", {"reason": "a machine"})
    assert (again.status_code, again.json()["error"]) == (409, "already_decided")
    released = act(people, f"/v1/holds/{hold['id']}/release", {"reason": "an installation in a museum"}).json()
    assert [(made["state"], made["reason"]) for made in released["decisions"]] == [
        ("void", "a machine"),
        ("released", "an installation in a museum"),
    ]
    assert released["reason"] == "an installation in a museum"


def test_the_same_key_decides_once(people: People, show: dict[str, Any], engine: Engine) -> None:
    path = f"/v1/holds/{the_hold(people)['id']}/release"
    first = act(people, path, {"reason": "known to us"}, key="k1")
    second = act(people, path, {"reason": "known to us"}, key="k1")
    assert first.json() == second.json()
    assert (first.status_code, second.status_code) == (200, 200)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM hold_decision")).scalar_one() == 1


def test_a_decision_needs_a_reason_and_a_key(people: People, show: dict[str, Any]) -> None:
    path = f"/v1/holds/{the_hold(people)['id']}/void"
    assert act(people, path, {"reason": "  "}).status_code == 422
    answer = people.call("admin", "POST", path, json={"reason": "a machine"})
    assert (answer.status_code, answer.json()["error"]) == (400, "idempotency_key_missing")
    assert the_hold(people)["state"] == "open"


def test_a_creator_sees_what_is_kept_back_and_no_device(people: People, show: dict[str, Any]) -> None:
    seen = people.call("owner", "GET", f"/v1/shows/{show['id']}/holds").json()
    (hold,) = seen["items"]
    assert (hold["rule"], hold["playbacks"], hold["state"]) == ("over_24_hours", 1, "open")
    assert not {"subject", "evidence", "devices"} & hold.keys()
    assert seen["days"] == [
        {
            "day": str(TODAY),
            "rule": "over_24_hours",
            "state": "open",
            "listens": 1,
            "confirmed": 0,
            "delivered": 0,
        }
    ]
    for who, status in {"other": 404, "advertiser": 403, "nobody": 401, "admin": 200}.items():
        assert people.call(who, "GET", f"/v1/shows/{show['id']}/holds").status_code == status


@pytest.mark.parametrize("who", ["owner", "advertiser", "nobody"])
def test_only_admins_look_and_decide(people: People, show: dict[str, Any], who: str) -> None:
    hold = the_hold(people)
    status = 401 if who == "nobody" else 403
    assert people.call(who, "GET", "/v1/holds").status_code == status
    assert people.call(who, "GET", f"/v1/holds/{hold['id']}").status_code == status
    assert act(people, f"/v1/holds/{hold['id']}/release", {"reason": "mine"}, who).status_code == status
    assert act(people, "/v1/holds/scan", {"from": str(TODAY), "to": str(TODAY)}, who).status_code == status


def test_an_admin_does_not_decide_what_is_held_of_a_show_of_hers(
    people: People, engine: Engine, show: dict[str, Any]
) -> None:
    hold = the_hold(people)
    with Session(engine) as session:
        row = session.exec(select(Show).where(Show.slug == show["slug"])).one()
        admin = session.get_one(User, row.owner_id)
        admin.role = "admin"
        session.add(admin)
        session.commit()
    refused = act(people, f"/v1/holds/{hold['id']}/release", {"reason": "mine"}, "owner")
    assert (refused.status_code, refused.json()["error"]) == (403, "own_show")
    assert "Another admin" in refused.json()["message"]
    assert act(people, f"/v1/holds/{hold['id']}/void", {"reason": "mine"}, "owner").status_code == 403
    assert act(people, f"/v1/holds/{hold['id']}/release", {"reason": "fine"}).status_code == 200


def test_filters_and_mistakes(people: People, show: dict[str, Any]) -> None:
    def total(query: str) -> int:
        return people.call("admin", "GET", f"/v1/holds?{query}").json()["total"]

    other = people.show("another-hour")
    assert (total(f"show={show['id']}"), total(f"show={other['id']}")) == (1, 0)
    assert (total("state=open"), total("state=void")) == (1, 0)
    assert (total("rule=over_24_hours"), total("rule=log_gap")) == (1, 0)
    unknown = people.call("admin", "GET", "/v1/holds?rule=magic")
    assert unknown.status_code == 422
    assert "over_24_hours" in unknown.json()["message"]
    assert people.call("admin", "GET", f"/v1/holds/{uuid4()}").status_code == 404
    swapped = act(people, "/v1/holds/scan", {"from": str(TODAY), "to": str(date(2020, 1, 1))})
    assert swapped.status_code == 422


def run(settings: Settings, *arguments: str) -> Any:
    """`earshot holds ...`."""
    environment = {"EARSHOT_HOME": str(settings.home), "EARSHOT_STORE_URL": settings.store_url}
    return CliRunner().invoke(app, ["holds", *arguments], env=environment)


def test_the_command_line_looks_lists_and_decides(
    people: People, show: dict[str, Any], engine: Engine, settings: Settings
) -> None:
    scanned = json.loads(run(settings, "scan", "--json").stdout)
    assert (scanned["playbacks"], scanned["new_holds"]) == (1, 0)
    assert scanned["flagged"] == {"over_24_hours": {"playbacks": 1, "downloads": 0}}
    listed = json.loads(run(settings, "list", "--json").stdout)["items"]
    hold = listed[0]["id"]
    with Session(engine) as session:
        creator, admin = (session.exec(select(User).where(User.role == role)).first() for role in ("creator", "admin"))
    assert creator
    assert admin
    refused = run(settings, "void", hold, "--reason", "a machine", "--by", creator.email)
    assert (refused.exit_code, "is no admin's account" in refused.stderr) == (1, True)
    assert run(settings, "void", hold, "--reason", "a machine", "--by", admin.email).exit_code == 0
    twice = run(settings, "void", hold, "--reason", "a machine", "--by", admin.email)
    assert (twice.exit_code, "already" in twice.stderr) == (1, True)
    assert hold in run(settings, "list", "--state", "void").stdout
    assert run(settings, "list", "--state", "lost").exit_code == 2
    assert "Days are written" in run(settings, "scan", "--from", "soon").stderr
