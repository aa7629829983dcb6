"""Traffic that remembers: what phones wrote, what was acknowledged, and how feeds and audio were answered meanwhile."""

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2
from fastapi.testclient import TestClient

from models.tables import Episode
from tests.device import DAY_MS, Phone, encode, now_ms, register

LISTENS = 12


@dataclass
class Traffic:
    """One episode's listeners. `check_all` in `invariants.py` holds the store to what stands here."""

    episode: Episode
    slug: str
    """The show's, for its feed."""
    phones: list[Phone] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    """Ids, hex, of events that were accepted in a 202."""
    refused: set[str] = field(default_factory=set)
    """Ids of events that an answer named as refused."""
    answers: list[tuple[str, str]] = field(default_factory=list)
    """Path and outcome of each request for feed or audio: `200`, or what went wrong."""

    def phone(self, client: httpx2.Client | TestClient, listens: int = LISTENS) -> Phone:
        """A new phone with one offline listen of 45 s on each of several days, two events each."""
        phone = register(client)
        self.phones.append(phone)
        for day in range(listens):
            self.listen(phone, now_ms() - (day + 1) * DAY_MS)
        return phone

    def listen(self, phone: Phone, at_ms: int) -> None:
        """Log a listen: pressed at `at_ms`, heard 45 s."""
        phone.write(self.episode.uuid, "play", at_ms=at_ms, offline=True)
        phone.write(self.episode.uuid, "pause", 0, 45_000, at_ms=at_ms + 1000, offline=True)

    def send(self, client: httpx2.Client | TestClient, phone: Phone, first: int = 1, last: int | None = None) -> bool:
        """Send a stretch of the log; whether it was acknowledged. Anything but a 202, a 503 and silence is a failure:
        clients in the field delete what a 4xx is answered to."""
        last = last or len(phone.log)
        try:
            answer = client.post("/v1/sync", content=encode(phone.batch(first, last)), headers=phone.headers)
        except httpx2.TransportError:
            return False
        assert answer.status_code in {202, 503}, answer.text
        if answer.status_code == 202:
            self.note(phone, first, last, {item["seq"] for item in answer.json()["rejected"]})
        return answer.status_code == 202

    def note(self, phone: Phone, first: int, last: int, refused: set[int]) -> None:
        """Remember a 202."""
        for seq in range(first, last + 1):
            (self.refused if seq in refused else self.acknowledged).add(phone.ids[seq - 1])

    def send_each(self, client: httpx2.Client | TestClient, phone: Phone) -> list[bool]:
        """Send every event in a batch of its own; which were acknowledged."""
        return [self.send(client, phone, seq, seq) for seq in range(1, len(phone.log) + 1)]

    @property
    def paths(self) -> tuple[str, str]:
        """Where the feed and the recording are."""
        return f"/feeds/{self.slug}.xml", f"/media/{self.episode.uuid}.mp3"

    def ask(self, client: TestClient) -> None:
        """Ask once for the feed and the recording, of an API in this process."""
        self.answers += [(path, str(client.get(path).status_code)) for path in self.paths]

    @contextmanager
    def audience(self, url: str) -> Iterator[None]:
        """Keep asking for the feed and the recording, from before the block until after it."""
        over = threading.Event()

        def ask_on() -> None:
            while True:
                is_last = over.is_set()
                self.answers += [(path, _ask(url + path)) for path in self.paths]
                if is_last:
                    return
                over.wait(0.05)

        self.answers += [(path, _ask(url + path)) for path in self.paths]
        listener = threading.Thread(target=ask_on)
        listener.start()
        try:
            yield
        finally:
            over.set()
            listener.join()


def connect(url: str) -> httpx2.Client:
    """A client that waits as long as a busy machine may take."""
    return httpx2.Client(base_url=url, timeout=60)


def _ask(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            answer.read()
            return str(answer.status)
    except OSError as error:
        return repr(error)
