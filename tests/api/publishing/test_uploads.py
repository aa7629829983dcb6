"""Audio on its way in: what is kept, what is refused, and that nothing else is left."""

import asyncio
import hashlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from api.publishing import uploads
from api.settings import Settings
from api.storage import LocalAudio
from models.tables import User
from tests.api.conftest import People
from tests.api.publishing.recordings import PNG, id3, long_tone, with_xing
from tests.conftest import Processes, wait_until
from tests.factories import make_episode, make_show, make_user, tone_mp3

MAX_BYTES = 100_000


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One engine is enough: what the store has to do with uploads is seen in test_episodes.py."""
    return sqlite_url


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Files of up to 100,000 bytes."""
    return settings.model_copy(update={"max_audio_bytes": MAX_BYTES})


@pytest.fixture
def episode(people: People) -> dict:
    """A draft without audio."""
    return people.episode(people.show())


def put(people: People, episode: dict, content: object, **headers: str):
    sent = {"Content-Type": "audio/mpeg", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return people.call("owner", "PUT", f"/v1/episodes/{episode['id']}/audio", sent, content=content)


def audio_of(people: People, episode: dict) -> dict | None:
    return people.call("owner", "GET", f"/v1/episodes/{episode['id']}").json()["audio"]


def files(settings: Settings) -> list[Path]:
    return [path for path in settings.resolved_audio_dir().rglob("*") if path.is_file()]


def test_a_recording_is_kept_as_sent_and_described(people: People, episode: dict, settings: Settings) -> None:
    content = id3(2000) + tone_mp3(3.0)
    answer = put(people, episode, content)
    assert answer.status_code == 200
    sha256 = hashlib.sha256(content).hexdigest()
    assert answer.json() == {
        "duration_ms": 3096,
        "bytes": len(content),
        "sha256": sha256,
        "bitrate_bps": 32_000,
        "header_bytes": 2010,
        "audio_type": "audio/mpeg",
        "media_url": f"http://127.0.0.1:8000/media/{episode['id']}.mp3",
    }
    assert audio_of(people, episode) == answer.json()
    assert [(path.name, path.read_bytes()) for path in files(settings)] == [(sha256, content)]


def test_a_body_without_content_length_is_fine(people: People, episode: dict) -> None:
    content = tone_mp3(3.0)
    assert put(people, episode, (content[at : at + 1000] for at in range(0, len(content), 1000))).status_code == 200


@pytest.mark.parametrize("type_", ["audio/x-whatever; rate=1", "application/octet-stream", "AUDIO/MPEG"])
def test_the_type_comes_from_the_file_and_not_from_the_header(people: People, episode: dict, type_: str) -> None:
    answer = put(people, episode, tone_mp3(3.0), Content_Type=type_)
    assert answer.json()["audio_type"] == "audio/mpeg"


def test_another_recording_keeps_guid_and_date_and_the_file_before(
    people: People, episode: dict, settings: Settings
) -> None:
    first, second = tone_mp3(3.0), tone_mp3(5.0)
    put(people, episode, first)
    before = people.publish(episode)
    assert put(people, episode, second).json()["duration_ms"] == 5076
    after = people.call("owner", "GET", f"/v1/episodes/{episode['id']}").json()
    assert (after["guid"], after["published_at"]) == (before["guid"], before["published_at"])
    assert sorted(path.read_bytes() for path in files(settings)) == sorted([first, second])


def test_the_same_recording_sent_twice_is_one_file(people: People, episode: dict, settings: Settings) -> None:
    assert put(people, episode, tone_mp3(3.0)).json() == put(people, episode, tone_mp3(3.0)).json()
    assert len(files(settings)) == 1


def chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // 1000):
        yield bytes(1000)


REFUSALS = {
    "a picture called mp3": (PNG, {}, 422, "not_audio"),
    "no bytes": (b"", {}, 422, "empty"),
    "a recording cut short": (with_xing(long_tone())[:50_000], {}, 422, "truncated"),
    "a recording cut short in its tag": (id3(90_000)[:5000], {}, 422, "truncated"),
    "too much, as announced": (bytes(MAX_BYTES + 1), {}, 413, "too_large"),
    "too much, not announced": (chunks, {}, 413, "too_large"),
    "text by its type": (tone_mp3(3.0), {"Content_Type": "text/plain"}, 415, "unsupported_type"),
    "a form, as curl sends it": (
        tone_mp3(3.0),
        {"Content_Type": "application/x-www-form-urlencoded"},
        415,
        "unsupported_type",
    ),
    "less than announced": (tone_mp3(3.0), {"Content_Length": "50000"}, 400, "incomplete"),
    "more than announced": (tone_mp3(3.0), {"Content_Length": "5000"}, 400, "incomplete"),
    "a length that is none": (tone_mp3(3.0), {"Content_Length": "many"}, 400, "incomplete"),
}


@pytest.mark.parametrize(("content", "headers", "status", "code"), REFUSALS.values(), ids=REFUSALS)
def test_it_refuses_and_leaves_nothing(
    people: People, episode: dict, settings: Settings, content: object, headers: dict, status: int, code: str
) -> None:
    sent = content(10 * MAX_BYTES) if callable(content) else content
    answer = put(people, episode, sent, **headers)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert audio_of(people, episode) is None
    assert files(settings) == []


def test_a_refusal_leaves_the_recording_before_in_place(people: People, episode: dict, settings: Settings) -> None:
    audio = put(people, episode, tone_mp3(3.0)).json()
    assert put(people, episode, PNG).status_code == 422
    assert audio_of(people, episode) == audio
    assert len(files(settings)) == 1


def test_a_stranger_is_refused_whatever_the_body_is(people: People, episode: dict, settings: Settings) -> None:
    for content in (b"", PNG, bytes(MAX_BYTES + 1), tone_mp3(3.0)):
        answer = people.call("other", "PUT", f"/v1/episodes/{episode['id']}/audio", content=content)
        assert answer.status_code == 404
    assert files(settings) == []


def test_nothing_of_the_store_is_held_while_a_body_comes(people: People, episode: dict, engine: Engine) -> None:
    def body() -> Iterator[bytes]:
        yield tone_mp3(3.0)[:5000]
        assert people.client.app.state.engine.pool.checkedout() == 0
        with Session(engine) as session:  # a writer that does not have to wait
            session.get(User, 1).name = "Written meanwhile"
            session.commit()
        yield tone_mp3(3.0)[5000:]

    assert put(people, episode, body()).status_code == 200


def test_a_full_disk_is_said_so(
    people: People, episode: dict, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_file: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(uploads, "_sync", fail)
    answer = put(people, episode, tone_mp3(3.0))
    assert (answer.status_code, answer.json()["error"]) == (507, "no_room")
    assert files(settings) == []


def test_a_sender_that_falls_silent_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "IDLE_SECONDS", 0.01)

    async def silent():
        yield b"x"
        await asyncio.Event().wait()

    async def receive() -> None:
        async with uploads.receive(LocalAudio(tmp_path), silent(), declared_bytes=None, max_bytes=10):
            pytest.fail("was taken for whole")

    with pytest.raises(uploads.StalledError):
        asyncio.run(receive())
    assert list((tmp_path / "incoming").iterdir()) == []


# -- over a real connection ----------------------------------------------------------------------------------------


def begin_upload(url: str, episode: str, key: str) -> socket.socket:
    """A connection that has announced 50,000 bytes and sent 5,000."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port))
    head = (
        f"PUT /v1/episodes/{episode}/audio HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: audio/mpeg\r\nContent-Length: 50000\r\n\r\n"
    )
    connection.sendall(head.encode() + tone_mp3(3.0)[:5000])
    return connection


@pytest.fixture
def draft(engine: Engine) -> tuple[str, str]:
    """A draft's id and its owner's key."""
    with Session(engine) as session:
        owner, key = make_user(session)
        return str(make_episode(session, make_show(session, owner), published_at=None).uuid), key


def test_a_client_that_hangs_up_leaves_no_file(processes: Processes, draft: tuple[str, str]) -> None:
    incoming = processes.home / "audio" / "incoming"
    url, process = processes.serve()
    with begin_upload(url, *draft):
        wait_until(lambda: any(incoming.iterdir()), "the upload to begin", process)
    wait_until(lambda: not any(incoming.iterdir()), "the upload to be cleaned up", process)


def test_what_a_killed_server_left_is_cleaned_at_the_next_start(processes: Processes, draft: tuple[str, str]) -> None:
    incoming = processes.home / "audio" / "incoming"
    url, process = processes.serve()
    with begin_upload(url, *draft):
        wait_until(lambda: any(incoming.iterdir()), "the upload to begin", process)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert any(incoming.iterdir())
        processes.serve()
        assert not any(incoming.iterdir())


def test_a_second_server_that_starts_leaves_running_uploads_alone(processes: Processes, draft: tuple[str, str]) -> None:
    incoming = processes.home / "audio" / "incoming"
    url, process = processes.serve()
    with begin_upload(url, *draft):
        wait_until(lambda: any(incoming.iterdir()), "the upload to begin", process)
        processes.serve()
        assert any(incoming.iterdir())


def test_the_clean_up_takes_only_what_nobody_writes(tmp_path: Path) -> None:
    audio = LocalAudio(tmp_path)
    audio.incoming("abandoned").write_bytes(b"x")
    with uploads._create_locked(audio.incoming("running")):
        uploads.clean(audio)
        assert [path.name for path in (tmp_path / "incoming").iterdir()] == ["running"]
