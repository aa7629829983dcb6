"""A CDN's edge, which is Debian's nginx under the configuration in docs/cdn/, between listeners and Earshot."""

import getpass
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from api.delivery.redirecting import sign
from tests.api.delivery.conftest import Hits
from tests.api.delivery.nginx import CONFIGURATION, Nginx, nginx_with_njs, temporary_folders
from tests.conftest import Processes, wait_until
from tests.factories import make_user, tone_mp3

SECRET = "0123456789abcdef0123456789abcdef"
AUDIO = tone_mp3(300.0)
"""Five minutes, in more than one slice of the edge's cache."""
MEBIBYTE = 1 << 20


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One engine is enough: the edge knows of no store."""
    return sqlite_url


@dataclass
class House:
    """Earshot with an edge before it, and a listener."""

    origin: str
    server: subprocess.Popen[bytes]
    edge: Nginx
    key: str
    episode: dict = field(default_factory=dict)

    def creator(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.origin, headers={"Authorization": f"Bearer {self.key}"}, timeout=60)

    def publish(self, audio: bytes) -> dict:
        """A new show's only episode, made and published over HTTP."""
        with self.creator() as client:
            show = client.post("/v1/shows", json={"title": "The Quiet Hour", "slug": uuid4().hex[:12]}).json()
            episode = client.post(f"/v1/shows/{show['id']}/episodes", json={"title": "Night Trains"}).json()
            self.replace(episode, audio)
            return client.post(f"/v1/episodes/{episode['id']}/publish").raise_for_status().json()

    def replace(self, episode: dict, audio: bytes) -> None:
        with self.creator() as client:
            type_ = {"Content-Type": "audio/mpeg"}
            client.put(f"/v1/episodes/{episode['id']}/audio", content=audio, headers=type_).raise_for_status()

    def get(self, episode: dict, method: str = "GET", *, agent: str = "AntennaPod/3.4", **headers: str):
        """The answer that an app gets which follows redirects, as all do."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | {"User-Agent": agent}
        url = f"{self.origin}/media/{episode['id']}.mp3"
        return httpx2.request(method, url, headers=sent, follow_redirects=True, timeout=60)

    def address(self, episode: dict) -> str:
        """Where the app is sent."""
        answer = httpx2.get(f"{self.origin}/media/{episode['id']}.mp3")
        assert answer.status_code == 302
        return answer.headers["Location"]


@pytest.fixture
def settings(nginx: Nginx) -> dict[str, str]:
    """Of the server and of commands beside it."""
    return {"EARSHOT_CDN_URL": nginx.url, "EARSHOT_CDN_SECRET": SECRET, "EARSHOT_SECRET": "one secret"}


@pytest.fixture
def house(processes: Processes, engine: Engine, nginx: Nginx, settings: dict[str, str]) -> House:
    """Running."""
    nginx_with_njs()
    origin, server = processes.serve(**settings)
    nginx.start(
        (CONFIGURATION / "nginx.conf").read_text(),
        {
            "user www-data;": f"user {getpass.getuser()};",
            "/run/nginx.pid": f"{nginx.folder}/pid",
            "/var/log/nginx/error.log": f"{nginx.folder}/error.log",
            "/var/log/nginx/earshot.log": str(nginx.log),
            "/var/cache/nginx/earshot": f"{nginx.folder}/cache",
            "/etc/nginx/": f"{CONFIGURATION}/",
            "127.0.0.1:8000": urlsplit(origin).netloc,
            "listen 80;": f"listen 127.0.0.1:{nginx.port};",
            "cdn.example.com": "127.0.0.1",
            "change me": SECRET,
            "http {\n": f"http {{\n{temporary_folders(nginx.folder)}",
        },
    )
    with Session(engine) as session:
        return House(origin, server, nginx, make_user(session)[1])


def test_an_app_that_follows_the_redirect_gets_what_it_would_get_from_earshot(house: House, hits: Hits) -> None:
    episode = house.publish(AUDIO)
    whole = house.get(episode)
    assert (whole.status_code, whole.content) == (200, AUDIO)
    assert whole.headers["Content-Type"] == "audio/mpeg"
    etag, date = whole.headers["ETag"], whole.headers["Last-Modified"]

    asked = {
        "the beginning": ({"Range": "bytes=0-99"}, 206, AUDIO[:100]),
        "across two slices": (
            {"Range": f"bytes={MEBIBYTE - 10}-{MEBIBYTE + 9}"},
            206,
            AUDIO[MEBIBYTE - 10 : MEBIBYTE + 10],
        ),
        "the end": ({"Range": "bytes=-128"}, 206, AUDIO[-128:]),
        "from somewhere on": ({"Range": "bytes=5000-"}, 206, AUDIO[5000:]),
        "the rest of this version": ({"Range": "bytes=5000-", "If_Range": etag}, 206, AUDIO[5000:]),
        "the rest of this date": ({"Range": "bytes=5000-", "If_Range": date}, 206, AUDIO[5000:]),
        "the rest of another version": ({"Range": "bytes=5000-", "If_Range": '"x"'}, 200, AUDIO),
        "several parts": ({"Range": "bytes=0-1,5-6"}, 200, AUDIO),
        "what it has": ({"If_None_Match": etag}, 304, b""),
    }
    for name, (headers, status, content) in asked.items():
        answer = house.get(episode, **headers)
        assert (answer.status_code, answer.content) == (status, content), name
    assert house.get(episode, Range=f"bytes={len(AUDIO)}-").status_code == 416
    head = house.get(episode, "HEAD")
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(AUDIO)))

    found = hits(len(asked) + 3)
    assert {hit.status for hit in found} == {302}, "the edge's own requests leave no hit"
    assert sorted(hit.range for hit in found if hit.range.startswith("bytes=0")) == ["bytes=0-1,5-6", "bytes=0-99"]


def test_what_the_edge_has_it_gives_out_without_earshot(house: House) -> None:
    episode = house.publish(AUDIO)
    location = house.address(episode)
    first = httpx2.get(location)
    assert (first.headers["X-Cache-Status"], first.content) == ("MISS", AUDIO)
    house.server.terminate()
    house.server.wait(timeout=60)
    again = httpx2.get(location)
    assert (again.headers["X-Cache-Status"], again.content) == ("HIT", AUDIO)
    assert httpx2.get(location, headers={"Range": "bytes=1000-1999"}).content == AUDIO[1000:2000]


def test_the_edge_gives_out_nothing_that_earshot_did_not_sign(house: House) -> None:
    location = house.address(house.publish(AUDIO))
    assert httpx2.get(location).status_code == 200  # and is in the cache now
    path = urlsplit(location).path

    def ask(expires: int, signature: str) -> int:
        return httpx2.get(f"{house.edge.url}{path}?expires={expires}&signature={signature}").status_code

    now = int(time.time())
    in_time, past = now + 600, now - 1
    own = sign(SECRET.encode(), path, str(in_time))
    assert ask(in_time, own) == 200
    assert ask(past, sign(SECRET.encode(), path, str(past))) == 410
    assert ask(in_time + 1, own) == 403
    assert ask(in_time, own[:-1]) == 403
    assert ask(in_time, "") == 403
    assert ask(in_time, sign(b"another secret!!", path, str(in_time))) == 403
    assert httpx2.get(f"{house.edge.url}{path}").status_code == 403
    assert httpx2.get(location.replace("/media/", "/feeds/")).status_code == 404
    assert httpx2.post(location).status_code == 403


def test_a_replaced_recording_is_given_out_at_once(house: House) -> None:
    episode = house.publish(AUDIO)
    before = house.address(episode)
    assert httpx2.get(before).content == AUDIO
    house.replace(episode, tone_mp3(60.0))
    assert house.get(episode).content == tone_mp3(60.0)
    assert httpx2.get(before).content == AUDIO


def test_an_address_stays_good_for_earshot_itself(house: House) -> None:
    location = house.address(house.publish(AUDIO)).replace(house.edge.url, house.origin)
    assert httpx2.get(location).content == AUDIO
    assert httpx2.get(location.replace("signature=", "signature=x")).status_code == 403


# -- from the edge's log to downloads --------------------------------------------------------------------------------


def listen_in_all_ways(house: House, episode: dict) -> None:
    """What `COUNTED` says of, all within a moment. A minute of the recording is 240,000 bytes."""
    assert house.get(episode, agent="Overcast/3.0").content == AUDIO
    house.get(episode, agent="Overcast/3.0", Range="bytes=0-99")
    house.get(episode, agent="AntennaPod/3.4", Range="bytes=0-149999")
    house.get(episode, agent="AntennaPod/3.4", Range="bytes=150000-299999")
    house.get(episode, agent="PocketCasts/7.1", Range="bytes=0-149999")
    house.get(episode, agent="PocketCasts/7.1", Range="bytes=100000-199999")
    house.get(episode, agent="Castro 2024.1", Range="bytes=0-1")
    house.get(episode, agent="Castro 2024.1", method="HEAD")
    house.get(episode, agent="curl/8.5.0")
    forged = httpx2.get(f"{house.address(episode)}x", headers={"User-Agent": "Castro 2024.1"})
    assert forged.status_code == 403


COUNTED = {
    "download": 2,  # one in one piece, one in two
    "duplicate": 2,
    "short": 2,  # two pieces that overlap and are less than a minute
    "probe": 1,
    "not_get": 2,  # HEAD, here and at the edge
    "bot": 1,
    "status": 1,  # the forged address
    "redirected": 9,  # every GET here
}


def outcomes(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT outcome, sum(hits) FROM hit_outcome GROUP BY outcome"))
        return dict(found.all())


def test_the_edges_log_is_imported_as_it_is_and_gives_the_downloads_of_those_who_listened(
    house: House, processes: Processes, engine: Engine, settings: dict[str, str]
) -> None:
    until_midnight = 86_400 - time.time() % 86_400
    if until_midnight < 60:
        time.sleep(until_midnight)  # all of it on one UTC day
    listen_in_all_ways(house, house.publish(AUDIO))
    wait_until(lambda: len(house.edge.log.read_text().splitlines()) >= 10, "the edge's log")

    for repetition in range(2):
        command = [sys.executable, "-m", "api", "import-logs", house.edge.log, "--format", "auto", "--json"]
        done = subprocess.run(
            command, env=processes.environment(**settings), stdout=subprocess.PIPE, text=True, check=True
        )
        assert json.loads(done.stdout)["downloads"] == (2 if repetition == 0 else 0)
        assert outcomes(engine) == COUNTED


def test_without_the_edges_log_a_redirect_counts_for_what_was_asked_for(
    processes: Processes, engine: Engine, nginx: Nginx, settings: dict[str, str]
) -> None:
    settings["EARSHOT_CDN_COUNTS"] = "redirects"
    origin, server = processes.serve(**settings)
    with Session(engine) as session:
        house = House(origin, server, nginx, make_user(session)[1])
    episode = house.publish(AUDIO)
    for agent, range_ in {"Overcast/3.0": "bytes=0-", "Castro 2024.1": "bytes=0-999", "curl/8.5.0": "bytes=0-"}.items():
        headers = {"User-Agent": agent, "Range": range_}
        assert httpx2.get(f"{origin}/media/{episode['id']}.mp3", headers=headers).status_code == 302
    server.terminate()
    server.wait(timeout=60)  # its log is written when it ends
    assert processes.start("worker", "--once", **settings).wait(timeout=120) == 0
    assert outcomes(engine) == {"download": 1, "short": 1, "bot": 1}
