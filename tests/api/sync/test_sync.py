"""The sync protocol over HTTP, with the worker behind it."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session

from api.events import LogUnavailableError
from api.measurement.worker import Worker
from models.counting import EpisodeDay
from tests.device import DAY_MS, Phone, encode, now_ms, register
from tests.factories import make_episode

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "sync_chain.json").read_text())
EPISODE = "7d0f3c52-91d4-4f0e-8f0a-2f7c1b1e9a01"


def drain(client: TestClient) -> None:
    """Let the worker fold all there is."""
    state = client.app.state  # type: ignore[attr-defined]
    Worker(state.engine, state.log, state.settings).drain()


def send(client: TestClient, phone: Phone, batch: dict[str, Any]) -> dict[str, Any]:
    """Send a batch that must be taken."""
    answer = client.post("/v1/sync", content=encode(batch), headers=phone.headers)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def receipt_of(client: TestClient, phone: Phone, batch: dict[str, Any]) -> dict[str, Any]:
    """What became of a batch."""
    receipt = hashlib.sha256(encode(batch)).hexdigest()
    return dict(client.get(f"/v1/sync/{receipt}", headers=phone.headers).json())


def test_registration_gives_a_signed_id(client: TestClient) -> None:
    answer = client.post("/v1/devices", json={"app": "A", "app_version": "1", "platform": "p"})
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"device_id", "token", "server_time_ms", "listen_seconds"}
    assert body["listen_seconds"] == 30
    assert abs(body["server_time_ms"] - now_ms()) < DAY_MS


def test_registration_storm_is_told_to_come_back_and_not_refused(client: TestClient) -> None:
    client.app.state.settings.registrations_per_minute = 2  # type: ignore[attr-defined]
    answers = [client.post("/v1/devices", json={"app": "A"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 503]
    assert int(answers[2].headers["retry-after"]) > 0


@pytest.mark.parametrize("case", VECTORS["batches"], ids=lambda case: case["name"])
def test_published_batches_get_the_published_answers(client: TestClient, engine: Engine, case: dict[str, Any]) -> None:
    device_id = VECTORS["device_id"]
    state = client.app.state  # type: ignore[attr-defined]
    from uuid import UUID

    phone = Phone(device_id, state.tokens.issue(UUID(device_id)))
    if case["body"]["events"][0]["seq"] > 1:
        send(client, phone, VECTORS["batches"][0]["body"])
    answer = send(client, phone, case["body"])
    assert answer["rejected"] == case["rejected"]
    assert answer["accepted"] == len(case["body"]["events"]) - len(case["rejected"])
    drain(client)
    assert receipt_of(client, phone, case["body"])["chain"] == case["chain"]


def test_published_batches_in_a_row_on_one_device(client: TestClient) -> None:
    from uuid import UUID

    phone = Phone(VECTORS["device_id"], client.app.state.tokens.issue(UUID(VECTORS["device_id"])))  # type: ignore[attr-defined]
    for case in VECTORS["batches"]:
        send(client, phone, case["body"])
        drain(client)
        assert receipt_of(client, phone, case["body"])["chain"] == case["chain"], case["name"]


def test_a_listen_is_counted_once_however_often_it_is_sent(client: TestClient, engine: Engine) -> None:
    with Session(engine) as session:
        episode = make_episode(session)
    phone = register(client)
    at_ms = now_ms() - 3 * DAY_MS
    phone.write(episode.uuid, "play", at_ms=at_ms, offline=True)
    phone.write(episode.uuid, "pause", 0, 41_000, at_ms + 41_000, offline=True)
    batch = phone.batch()
    answer = send(client, phone, batch)
    assert answer["receipt"] == hashlib.sha256(encode(batch)).hexdigest()
    assert (answer["accepted"], answer["rejected"], answer["listen_seconds"]) == (2, [], 30)
    assert receipt_of(client, phone, batch) == {
        "state": "pending", "counted": 0, "duplicate": 0, "set_aside": {}, "chain": None,
    }  # fmt: skip
    drain(client)
    first = receipt_of(client, phone, batch)
    assert first == {"state": "done", "counted": 2, "duplicate": 0, "set_aside": {}, "chain": "intact"}
    send(client, phone, batch)
    assert receipt_of(client, phone, batch)["state"] == "pending"
    drain(client)
    assert receipt_of(client, phone, batch) == {**first, "duplicate": 2}
    with Session(engine) as session:
        rows = session.exec(__import__("sqlmodel").select(EpisodeDay)).all()
        assert [(r.starts, r.listens, r.offline_listens, r.heard_seconds) for r in rows] == [(1, 1, 1, 41)]


def test_an_unknown_receipt_is_not_found(client: TestClient) -> None:
    phone, other = register(client), register(client)
    phone.write(EPISODE, "play")
    send(client, phone, phone.batch())
    receipt = hashlib.sha256(encode(phone.batch())).hexdigest()
    assert client.get(f"/v1/sync/{'0' * 64}", headers=phone.headers).status_code == 404
    body = encode(phone.batch())
    client.post("/v1/sync", content=body, headers=phone.headers)
    drain(client)
    receipt = hashlib.sha256(body).hexdigest()
    assert client.get(f"/v1/sync/{receipt}", headers=phone.headers).json()["state"] == "done"
    assert client.get(f"/v1/sync/{receipt}", headers=other.headers).status_code == 404
    assert client.get(f"/v1/sync/{receipt}").status_code == 401


@pytest.mark.parametrize(
    ("change", "cause"),
    {
        "kind": ({"kind": "rewind"}, "bad_kind"),
        "kind is no text": ({"kind": 7}, "bad_field"),
        "backwards": ({"from_ms": 50_000, "to_ms": 40_000}, "bad_range"),
        "negative": ({"from_ms": -1}, "bad_range"),
        "longer than a week": ({"to_ms": 8 * DAY_MS}, "bad_range"),
        "negative wall": ({"wall_ms": -5}, "bad_range"),
        "play with a span": ({"kind": "play"}, "bad_range"),
        "seconds for milliseconds": ({"at_ms": 1_793_000_400}, "bad_time"),
        "far future": ({"at_ms": 2**62}, "bad_time"),
        "two to the 63": ({"at_ms": 2**63}, "bad_time"),
        "two to the 70": ({"at_ms": 2**70}, "bad_time"),
        "fraction": ({"to_ms": 41_000.5}, "bad_field"),
        "text for a number": ({"to_ms": "41000"}, "bad_field"),
        "null": ({"offline": None}, "bad_field"),
        "number for yes": ({"offline": 1}, "bad_field"),
        "empty episode": ({"episode": ""}, "bad_field"),
        "spaces": ({"session": "a b"}, "bad_field"),
        "a line break would forge the chain's text": ({"session": "a\n1"}, "bad_field"),
        "a line break at the end": ({"session": "a\n"}, "bad_field"),
        "long session": ({"session": "x" * 65}, "bad_field"),
        "not latin": ({"session": "é"}, "bad_field"),
    }.values(),
)
def test_one_bad_event_is_refused_alone(client: TestClient, change: dict[str, Any], cause: str) -> None:
    phone = register(client)
    for _ in range(3):
        phone.write(EPISODE, "progress", 0, 41_000)
    batch = phone.batch()
    batch["events"][1] |= change
    answer = send(client, phone, batch)
    assert answer["rejected"] == [{"seq": 2, "cause": cause}]
    assert answer["accepted"] == 2


@pytest.mark.parametrize(
    "missing", ["seq", "kind", "episode", "session", "at_ms", "from_ms", "to_ms", "wall_ms", "offline"]
)
def test_an_event_without_a_field_is_refused_alone(client: TestClient, missing: str) -> None:
    phone = register(client)
    for _ in range(3):
        phone.write(EPISODE, "progress", 0, 41_000)
    batch = phone.batch()
    del batch["events"][1][missing]
    assert send(client, phone, batch)["rejected"] == [{"seq": 2, "cause": "bad_field"}]


def test_bad_utf8_in_one_event_leaves_the_others(client: TestClient) -> None:
    phone = register(client)
    phone.write(EPISODE, "play")
    phone.write(EPISODE, "play", session="broken")
    body = encode(phone.batch()).replace(b"broken", b"br\xffken")
    answer = client.post("/v1/sync", content=body, headers=phone.headers)
    assert answer.status_code == 202
    assert answer.json()["rejected"] == [{"seq": 2, "cause": "bad_field"}]


def test_unknown_fields_are_left_for_later_versions(client: TestClient) -> None:
    phone = register(client)
    phone.write(EPISODE, "play")
    batch = phone.batch()
    batch["events"][0]["volume"] = 11
    batch["note"] = "x"
    assert send(client, phone, batch)["accepted"] == 1


BROKEN_ENVELOPES = {
    "not JSON": b"hello",
    "empty": b"",
    "NaN": b'{"sent_at_ms": NaN}',
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "no events": b'{"sent_at_ms":1,"after":"' + b"0" * 64 + b'","head":"' + b"0" * 64 + b'","events":[]}',
    "no seq anywhere": b'{"sent_at_ms":1,"after":"' + b"0" * 64 + b'","head":"' + b"0" * 64 + b'","events":[{},1]}',
    "upper-case head": b'{"sent_at_ms":1,"after":"'
    + b"0" * 64
    + b'","head":"'
    + b"A" * 64
    + b'","events":[{"seq":1}]}',
    "seq from zero": b'{"sent_at_ms":1,"after":"' + b"0" * 64 + b'","head":"' + b"0" * 64 + b'","events":[{"seq":0}]}',
}


@pytest.mark.parametrize("body", BROKEN_ENVELOPES.values(), ids=BROKEN_ENVELOPES.keys())
def test_an_unreadable_envelope_is_422(client: TestClient, body: bytes) -> None:
    phone = register(client)
    answer = client.post("/v1/sync", content=body, headers=phone.headers)
    assert answer.status_code == 422, answer.text
    assert answer.json()["message"]


def test_events_that_do_not_count_up_are_422(client: TestClient) -> None:
    phone = register(client)
    for _ in range(3):
        phone.write(EPISODE, "play")
    batch = phone.batch()
    del batch["events"][1]
    assert client.post("/v1/sync", content=encode(batch), headers=phone.headers).status_code == 422


def test_too_much_is_413(client: TestClient) -> None:
    phone = register(client)
    for _ in range(501):
        phone.write(EPISODE, "play")
    assert client.post("/v1/sync", content=encode(phone.batch()), headers=phone.headers).status_code == 413
    assert client.post("/v1/sync", content=b" " * (1 << 20) + b"{}", headers=phone.headers).status_code == 413
    assert send(client, phone, phone.batch(1, 500))["accepted"] == 500


@pytest.mark.parametrize(
    "token", ["", "Bearer ", "Bearer x", "Basic abc", "Bearer 0b6f6a0e7c1d4b579a536f0f5a6d2e11.AAAA"]
)
def test_a_token_that_is_no_good_is_401(client: TestClient, token: str) -> None:
    phone = register(client)
    phone.write(EPISODE, "play")
    answer = client.post("/v1/sync", content=encode(phone.batch()), headers={"Authorization": token} if token else {})
    assert answer.status_code == 401


PACKERS = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "identity": bytes,
}


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_packed_body_has_the_receipt_of_its_text(client: TestClient, encoding: str) -> None:
    phone = register(client)
    phone.write(EPISODE, "play")
    text = encode(phone.batch())
    headers = {**phone.headers, "Content-Encoding": encoding}
    answer = client.post("/v1/sync", content=PACKERS[encoding](text), headers=headers)
    assert answer.status_code == 202
    assert answer.json()["receipt"] == hashlib.sha256(text).hexdigest()


BOMBS = {
    "gzip": gzip.compress(b"0" * (64 << 20)),
    "zstd": zstandard.ZstdCompressor().compress(b"0" * (64 << 20)),
}


@pytest.mark.parametrize("encoding", BOMBS)
def test_a_bomb_is_413_and_not_unpacked(client: TestClient, encoding: str) -> None:
    phone = register(client)
    headers = {**phone.headers, "Content-Encoding": encoding}
    assert client.post("/v1/sync", content=BOMBS[encoding], headers=headers).status_code == 413


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "br"])
@pytest.mark.parametrize(
    "damage", [lambda b: b[:-9], lambda b: b"x" + b, lambda b: b""], ids=["cut", "not it", "empty"]
)
def test_a_damaged_or_unknown_packing_is_422(client: TestClient, encoding: str, damage: Any) -> None:
    phone = register(client)
    phone.write(EPISODE, "play")
    packed = damage(PACKERS.get(encoding, bytes)(encode(phone.batch())))
    headers = {**phone.headers, "Content-Encoding": encoding}
    assert client.post("/v1/sync", content=packed, headers=headers).status_code == 422


def test_a_log_that_is_not_durable_acknowledges_nothing(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = register(client)
    phone.write(EPISODE, "play")

    async def fail(_record: object) -> None:
        raise LogUnavailableError("disk on fire")

    monkeypatch.setattr(client.app.state.log, "append", fail)  # type: ignore[attr-defined]
    answer = client.post("/v1/sync", content=encode(phone.batch()), headers=phone.headers)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_the_hot_route_is_documented(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/sync"]["post"]
    assert {"202", "401", "413", "422", "503"} <= set(operation["responses"])
    assert "BatchIn" in operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]


def test_half_a_character_in_one_event_leaves_the_others(client: TestClient) -> None:
    phone = register(client)
    phone.write(EPISODE, "play")
    phone.write(EPISODE, "play", session="broken")
    body = encode(phone.batch()).replace(b"broken", rb"\ud800")
    answer = client.post("/v1/sync", content=body, headers=phone.headers)
    assert answer.status_code == 202, answer.text
    assert answer.json()["rejected"] == [{"seq": 2, "cause": "bad_field"}]


def test_a_flood_from_one_device_is_told_to_wait_and_others_are_not(client: TestClient) -> None:
    client.app.state.allowance._limit = 3  # type: ignore[attr-defined]
    phone, other = register(client), register(client)
    for _ in range(2):
        phone.write(EPISODE, "play")
        other.write(EPISODE, "play")
    send(client, phone, phone.batch())
    answer = client.post("/v1/sync", content=encode(phone.batch()), headers=phone.headers)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    send(client, other, other.batch())


def test_too_many_events_are_refused_before_any_is_read(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.sync import envelope

    phone = register(client)
    phone.write(EPISODE, "play")
    batch = phone.batch() | {"events": [1] * 501}
    monkeypatch.setattr(envelope, "_decode_event", None)
    assert client.post("/v1/sync", content=encode(batch), headers=phone.headers).status_code == 413


def test_gzip_of_many_members_is_refused(client: TestClient) -> None:
    phone = register(client)
    headers = {**phone.headers, "Content-Encoding": "gzip"}
    assert client.post("/v1/sync", content=gzip.compress(b"") * 17, headers=headers).status_code == 422


def test_a_refused_token_is_not_remembered(client: TestClient) -> None:
    tokens = client.app.state.tokens  # type: ignore[attr-defined]
    assert tokens.device_of("x" * 100) is None
    assert tokens.device_of("x" * 1_000_000) is None
    assert tokens._verify.cache_info().currsize == 0


def test_another_method_than_post_is_405(client: TestClient) -> None:
    answer = client.get("/v1/sync")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("app", ["", "a\u0000b", "x" * 101])
def test_a_registration_that_no_store_can_keep_is_refused(client: TestClient, app: str) -> None:
    assert client.post("/v1/devices", json={"app": app}).status_code == 422


def test_an_endless_registration_is_refused(client: TestClient) -> None:
    assert client.post("/v1/devices", json={"app": "a", "x": "y" * 300_000}).status_code == 413


def test_a_store_that_is_down_is_503_for_a_new_device(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    from models.queries import devices

    def fail(*_arguments: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(devices, "append_device", fail)
    answer = client.post("/v1/devices", json={"app": "a"})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
