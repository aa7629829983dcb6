"""The product, asked the same questions as the oracle."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import numpy as np
from sqlalchemy import Engine, text
from sqlmodel import Session

from api.events.columns import DTYPES, METHODS, pack_columns
from api.events.records import Hit, HitChunk, pack
from api.hits.identity import identify
from api.hits.traits import Trait
from models.downloads import AudioVersion
from models.queries import episode_urls
from tests.api.measurement.downloads.oracle import DAY_MS, Counts, File, Request, part, recorded
from tests.api.measurement.downloads.traffic import Episode
from tests.api.measurement.house import House
from tests.factories import make_episode, make_show

SECRET = "the secret of an installation that is only tested"
NAMES = (
    *("at_ms", "address", "agent", "earlier", "file", "agents", "countries"),
    *("traits", "status", "method", "first_byte", "end_byte", "repeat"),
)
"""Columns of a chunk, in the order in which `chunk` makes their values."""
TRAITS = {
    "bot": Trait.BOT,
    "datacenter": Trait.DATACENTER,
    "watch": Trait.WATCH,
    "referrer": Trait.PRELOAD,
    "not_audio": Trait.NOT_AUDIO,
    "included": Trait.INCLUDED,
    "redirect": Trait.REDIRECT,
}


def sha256_of(episode: str, file: File) -> str:
    """Stands for the file's."""
    return hashlib.sha256(f"{episode}{file.name}".encode()).hexdigest()


def publish(engine: Engine, episodes: Sequence[Episode]) -> None:
    """The catalogue, as an imported feed leaves it."""
    with Session(engine) as session:
        show = make_show(session)
        for episode in episodes:
            published_at = datetime.fromtimestamp(episode.versions[0][0] / 1000, UTC)
            row = make_episode(session, show, published_at=published_at)
            row.uuid = UUID(episode.uuid)
            session.add(row)
            session.flush()
            episode_urls.put_urls(session, row.id or 0, [episode.url])
            for since_ms, file in episode.versions:
                session.add(
                    AudioVersion(
                        episode_id=row.id or 0,
                        sha256=sha256_of(episode.uuid, file),
                        audio_bytes=file.bytes,
                        header_bytes=file.header_bytes,
                        bitrate_bps=file.bitrate_bps,
                        duration_ms=file.duration_ms,
                        since_at=datetime.fromtimestamp(since_ms / 1000, UTC),
                    )
                )
                session.flush()
        session.commit()


def traits_of(request: Request) -> Trait:
    """What is found out when a request comes in."""
    found = Trait.PROBE if request.has_range and request.range == "bytes=0-1" else Trait.NONE
    for name in request.traits:
        found |= TRAITS[name]
    return found


def record(request: Request) -> tuple[bytes, bytes]:
    """Key and payload of a live hit's record."""
    address, agent, earlier = identify(SECRET, request.ip, request.user_agent, request.at_ms // DAY_MS)
    app, device_class, country = request.splits
    key = address.to_bytes(8)
    hit = Hit(
        request.at_ms,
        request.episode,
        key + agent.to_bytes(8),
        request.method,
        request.status,
        request.range or "",
        request.sent,
        request.user_agent,
        "",
        sha256_of(request.episode, request.file),
        country,
        int(traits_of(request)),
        app,
        device_class,
        earlier,
    )
    return key, pack(hit)


def chunk(file: Sequence[Request], name: str, first: int, end: int) -> bytes:
    """The payload of a record with the lines `[first, end)` of a log."""
    files: dict[tuple[str, str], int] = {}
    agents: dict[tuple[str, str], int] = {}
    seen: Counter[object] = Counter()
    rows = []
    for request in file[:end]:
        address, agent, earlier = identify(SECRET, request.ip, request.user_agent, request.at_ms // DAY_MS)
        kind, begin, stop = part(request) if request.status in {200, 206, 0} else ("part", 0, request.sent)
        traits = traits_of(request) | (Trait.BYTES_ONLY if kind == "bytes" else Trait.NONE)
        file_place = files.setdefault((request.episode, sha256_of(request.episode, request.file)), len(files))
        agent_place = agents.setdefault(request.splits[:2], len(agents))
        method = METHODS.index(request.method)
        places = request.at_ms, address, agent, earlier, file_place, agent_place, 0
        rows.append((*places, int(traits), request.status, method, begin, stop, seen[recorded(request)]))
        seen[recorded(request)] += 1
    cut = zip(NAMES, zip(*rows[first:], strict=True), strict=True)
    columns = {column: np.array(values, DTYPES[column]) for column, values in cut}
    return pack(
        HitChunk(
            received_ms=file[0].at_ms,
            source=hashlib.blake2b(name.encode(), digest_size=16).digest(),
            name=name,
            format="combined",
            has_ranges=file[0].has_range,
            first_line=first,
            lines=end - first,
            unpacked_bytes=100 * end,
            digest=hashlib.blake2b(f"{name} {end}".encode()).digest(),
            aside={},
            files=list(files),
            agents=list(agents),
            countries=[""],
            hits=end - first,
            columns=pack_columns(columns),
        )
    )


def fold(house: House, requests: Iterable[Request]) -> None:
    """Live hits come in, and the worker counts them."""
    for request in requests:
        house.append(*record(request))
    house.count()


def counts(engine: Engine) -> Counts:
    """What the rollups say. Rows of nothing are left out: a hit may have moved to another outcome."""
    found = Counts()
    with engine.connect() as connection:
        names = {
            number: str(UUID(str(uuid))) for number, uuid in connection.execute(text("SELECT id, uuid FROM episode"))
        }
        for episode, day, outcome, hits, sent in connection.execute(text("SELECT * FROM hit_outcome WHERE hits <> 0")):
            found.outcomes[names[episode], day, outcome] = int(hits)
            found.sent[names[episode], day, outcome] = int(sent)
        for episode, hour, downloads in connection.execute(text("SELECT * FROM download_hour WHERE downloads <> 0")):
            found.hours[names[episode], hour] = int(downloads)
        rows = connection.execute(text("SELECT * FROM download_split WHERE downloads <> 0"))
        for episode, day, kind, value, downloads in rows:
            found.splits[names[episode], day, kind, value] = int(downloads)
    return found


def sent_by_day(found: Counts) -> Counter[tuple[str, int, str]]:
    """Bytes by episode, day and outcome. Which of two hits of the same second came first is not told by a log, so what
    a download and its duplicates sent is one sum."""
    sums: Counter[tuple[str, int, str]] = Counter()
    for (episode, day, outcome), sent in found.sent.items():
        sums[episode, day, "download" if outcome == "duplicate" else outcome] += sent
    return Counter({key: sent for key, sent in sums.items() if sent})
