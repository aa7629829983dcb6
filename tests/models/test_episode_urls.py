"""Which episode an address or a GUID means."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session

from models.episode_references import normal_url
from models.queries.episode_urls import put_urls, resolve_episodes
from tests.factories import make_episode

LISTED = "https://cdn.example.com/Shows/one.mp3?id=7"


def resolve(engine: Engine, *references: str) -> dict[str, Any]:
    with engine.connect() as connection:
        return resolve_episodes(connection, references)


@pytest.fixture
def episode(engine: Engine) -> Any:
    """An episode with an address elsewhere and a GUID that is not its id."""
    with Session(engine) as session:
        episode = make_episode(session)
        episode.guid = "tag:example.com,2020:one"
        put_urls(session, episode.id, [LISTED, "http://bare.example.com/one.mp3"])
        session.commit()
        session.refresh(episode)
        return episode


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8000/media/{uuid}.mp3",
        "https://old.example.com/media/{uuid}.m4a?token=x&y=1#t=30",
        "https://example.com/podcasts/media/{uuid}.mp3",
        "HTTPS://EXAMPLE.com/media/{UUID}.mp3",
        "https://dts.podtrac.com/redirect.mp3/op3.dev/e/https://example.com/media/{uuid}.mp3",
    ],
)
def test_our_own_addresses_mean_their_episode_wherever_they_once_were(
    engine: Engine, episode: Any, address: str
) -> None:
    reference = address.format(uuid=episode.uuid, UUID=str(episode.uuid).upper())
    assert resolve(engine, reference) == {reference: episode.uuid}


@pytest.mark.parametrize(
    "reference",
    [
        LISTED,
        "http://CDN.example.com:80/Shows/one.mp3?id=7#t=5",
        "https://op3.dev/e,pg=8d/cdn.example.com/Shows/one.mp3?id=7",
        "https://op3.dev/e/https://cdn.example.com/Shows/one.mp3?id=7",
        "https://www.podtrac.com/pts/redirect.mp3/chtbl.com/track/A1/pdst.fm/e/cdn.example.com/Shows/one.mp3?id=7",
        "https://verifi.podscribe.com/rss/p/mgln.ai/e/9/cdn.example.com/Shows/one.mp3?id=7",
        " https://bare.example.com/one.mp3?utm_source=app ",
        "https://bare.example.com/one.mp3?ref=a&_from=b&played_from=c&awCollectionId=1&awEpisodeId=2#t=5",
        "https://cdn.example.com/Shows/one.mp3?source=feed&id=7&UTM_medium=app",
        "tag:example.com,2020:one",
    ],
)
def test_an_address_elsewhere_or_the_guid_means_the_episode(engine: Engine, episode: Any, reference: str) -> None:
    assert resolve(engine, reference) == {reference: episode.uuid}


@pytest.mark.parametrize(
    "reference",
    [
        "https://cdn.example.com/shows/one.mp3?id=7",
        "https://cdn.example.com/Shows/one.mp3?id=8",
        "https://bare.example.com/one.mp3?id=2",
        "https://bare.example.com/one.mp3?utm_source=app&id=2",
        "https://cdn.example.com/Shows/one.mp3",
        "https://cdn.example.com:8443/Shows/one.mp3?id=7",
        "https://example.com/media/5b4a2f0e-6a1f-4f7e-9d53-2f0a7c1d8e11.mp3",
        "https://example.com/media/9c0d1e2f-3a4b-4c5d-8e6f-7a8b9c0d1e2f.mp3/more",
        "https://op3.dev/e/one.mp3",
        "http://[::1",
        "http://a.example.com:99999/",
        "",
        "\0",
        "\ud800",
        "https://a.example.com/\0\ud800",
    ],
)
def test_anything_else_means_nothing(engine: Engine, episode: Any, reference: str) -> None:
    assert resolve(engine, reference, LISTED) == {LISTED: episode.uuid}


def test_thousands_of_references_take_a_few_statements(engine: Engine, episode: Any) -> None:
    references = [f"https://cdn.example.com/{number}.mp3?x=1" for number in range(6000)]
    references += [f"https://example.com/media/{uuid4()}.mp3" for _ in range(6000)]
    statements = []
    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *given: statements.append(given[2]))
        assert resolve_episodes(connection, [*references, LISTED]) == {LISTED: episode.uuid}
    assert len(statements) <= 15


def test_the_prefix_services_own_pages_stay_what_they_are() -> None:
    assert normal_url("https://op3.dev/e/") == "op3.dev/e/"
    assert normal_url("https://media.blubrry.com/show/") == "media.blubrry.com/show/"
