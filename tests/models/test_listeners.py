"""Listeners in the store: the order of changes, and that nothing stays of who leaves."""

import json
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, inspect, text
from sqlmodel import Session

from models.listeners import Listener, ListenerDevice, ListenerSession
from models.queries import actions, listener_settings, listeners, subscriptions
from models.queries.listener_settings import Subject

NOW = datetime.now(UTC)
SECONDS = int(NOW.timestamp())


def add_listener(session: Session, name: str = "adalovelace") -> int:
    """A listener with something of everything, each with the name in it."""
    listener = Listener(name=name, password_hash="!", created_at=NOW)
    listeners.append_listener(session, listener)
    key = listener.id
    device = ListenerDevice(listener_id=key, name=f"{name}-phone", caption=f"{name}'s phone", kind="mobile")
    listeners.append_devices(session, [device])
    sequence = listeners.raise_sequence(session, key, SECONDS)
    feed = f"https://podcast.example.com/{name}.xml"
    for url in (feed, f"{feed}?old"):
        subscriptions.put_subscriptions(session, [device.id], [url], sequence, is_subscribed=True)
    subscriptions.put_subscriptions(session, [device.id], [f"{feed}?old"], sequence, is_subscribed=False)
    told = (f"{name}-car", feed, f"{feed}/1.mp3", "", "play", SECONDS * 1000, 0, 60, None)
    actions.append_actions(session, [(key, name.ljust(32).encode(), sequence, *told)])
    listener_settings.put_settings(session, key, Subject("podcast", podcast=feed), {"colour": name})
    row = ListenerSession(token_hash=name.ljust(32).encode(), listener_id=key, created_at=NOW, expires_at=NOW)
    listeners.append_session(session, row)
    session.commit()
    return key


def everything(engine: Engine) -> str:
    """The text of every row of every table."""
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        rows = [tuple(row) for table in tables for row in connection.execute(text(f'SELECT * FROM "{table}"'))]
    return repr([[bytes(value) if isinstance(value, memoryview) else value for value in row] for row in rows])


def test_of_a_deleted_listener_nothing_stays_and_of_others_everything(engine: Engine) -> None:
    with Session(engine) as session:
        add_listener(session, "somebodyelse")
        before = everything(engine)
        key = add_listener(session)
        assert "adalovelace" in everything(engine)
        listeners.delete_listener(session, key)
        session.commit()
    after = everything(engine)
    assert "adalovelace" not in after
    assert after.count("somebodyelse") == before.count("somebodyelse") > 5


def test_an_export_has_all_that_is_kept_and_no_secrets(engine: Engine) -> None:
    with Session(engine) as session:
        key = add_listener(session)
        add_listener(session, "somebodyelse")
        exported = listeners.export_listener(session, key)
    told = json.dumps(exported)
    assert (exported["name"], "somebodyelse" in told, "password" in told) == ("adalovelace", False, False)
    [device] = exported["devices"]
    assert device["subscriptions"] == ["https://podcast.example.com/adalovelace.xml"]
    assert device["former_subscriptions"] == ["https://podcast.example.com/adalovelace.xml?old"]
    assert [(action["device"], action["position"]) for action in exported["actions"]] == [("adalovelace-car", 60)]
    assert [(one["name"], one["value"]) for one in exported["settings"]] == [("colour", '"adalovelace"')]
    assert len(exported["sessions"]) == 1


def test_every_name_that_actions_go_by_is_found_for_erasure(engine: Engine) -> None:
    with Session(engine) as session:
        key = add_listener(session)
        add_listener(session, "somebodyelse")
        assert listeners.list_device_names(session, key) == ["adalovelace-car", "adalovelace-phone", ""]


def test_more_devices_and_names_than_one_statement_takes(engine: Engine) -> None:
    with Session(engine) as session:
        key = add_listener(session)
        [device] = listeners.list_devices(session, key)
        ids, names = [*range(device.id, device.id + 70_000)], [f"n{number}" for number in range(70_000)]
        assert subscriptions.list_subscriptions(session, ids) == ["https://podcast.example.com/adalovelace.xml"]
        subscriptions.put_sync_group(session, ids, 7)
        subject = Subject("podcast", podcast="https://podcast.example.com/adalovelace.xml")
        listener_settings.delete_settings(session, key, subject, [*names, "colour"])
        session.expire_all()
        assert device.sync_group == 7
        assert listener_settings.get_settings(session, key, subject) == {}


def test_numbers_go_up_by_the_clock_or_by_one(engine: Engine) -> None:
    with Session(engine) as session:
        key = add_listener(session)
        numbers = [listeners.raise_sequence(session, key, now) for now in (SECONDS, SECONDS - 500, SECONDS + 500)]
        assert numbers == [SECONDS + 1, SECONDS + 2, SECONDS + 500]
        assert listeners.get_sequence(session, key) == SECONDS + 500
        assert listeners.raise_sequence(session, key + 1, SECONDS) is None


def test_a_number_is_never_seen_before_a_lower_one(engine: Engine) -> None:
    with Session(engine) as session:
        key = add_listener(session)
    later: list[int | None] = []

    def change() -> None:
        with Session(engine) as session:
            later.append(listeners.raise_sequence(session, key, SECONDS))
            session.commit()

    with Session(engine) as session:
        first = listeners.raise_sequence(session, key, SECONDS)
        thread = threading.Thread(target=change)
        thread.start()
        thread.join(0.5)
        assert later == []  # it waits for the transaction that has the lower number
        session.commit()
    thread.join()
    assert later == [(first or 0) + 1]


@pytest.mark.parametrize("since", [0, SECONDS - 1], ids=["from the beginning", "a second before"])
def test_what_comes_after_the_number_that_was_read_is_for_the_next_time(engine: Engine, since: int) -> None:
    with Session(engine) as session:
        key = add_listener(session)
        until = listeners.get_sequence(session, key)
        sequence = listeners.raise_sequence(session, key, SECONDS)
        told = ("", "https://a.example.com/", "x", "", "new", SECONDS * 1000, None, None, None)
        actions.append_actions(session, [(key, b"2" * 32, sequence, *told)])
        assert len(actions.list_actions(session, key, since, until)) == 1
        assert len(actions.list_actions(session, key, until, sequence or 0)) == 1
