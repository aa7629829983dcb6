"""A line of a log counts for the episode that it is of, or for none; never for one that it may be of."""

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from api.delivery.importing.episodes import NOT_AUDIO, UNKNOWN, EpisodeFinder
from models.episode_references import hash_url, normal_url
from models.listeners import EpisodeUrl
from models.tables import Episode
from tests.factories import make_episode


def listed(engine: Engine, *urls: str) -> list[Episode]:
    """An episode for each address."""
    with Session(engine) as session:
        episodes = [make_episode(session) for _ in urls]
        for episode, url in zip(episodes, urls, strict=True):
            digest = hash_url(normal_url(url) or "")
            session.add(EpisodeUrl(url_hash=digest, url=url, episode_id=episode.id or 0, place=0))
        session.commit()
        for episode in episodes:
            session.refresh(episode)
        return episodes


def test_episodes_told_apart_by_a_query_only_are_told_apart_by_nobody(engine: Engine) -> None:
    listed(engine, "https://a.example/play.mp3?id=1", "https://a.example/play.mp3?id=2")
    assert EpisodeFinder(engine).find("a.example", "/play.mp3") == (UNKNOWN, "")


def test_the_same_path_on_two_hosts_is_told_by_the_host(engine: Engine) -> None:
    one, other = listed(engine, "https://a.example/1.mp3", "https://b.example/1.mp3")
    finder = EpisodeFinder(engine)
    assert finder.find("a.example", "/1.mp3")[0] == str(one.uuid)
    assert finder.find("b.example", "/1.mp3")[0] == str(other.uuid)
    assert finder.find("", "/1.mp3")[0] == UNKNOWN


def test_a_host_that_no_feed_names_may_be_a_cdn(engine: Engine) -> None:
    (episode,) = listed(engine, "https://a.example/1.mp3")
    assert EpisodeFinder(engine).find("d111.cdn.example", "/1.mp3")[0] == str(episode.uuid)


def test_a_host_of_another_feed_is_that_feeds(engine: Engine) -> None:
    listed(engine, "https://a.example/1.mp3", "https://b.example/2.mp3")
    assert EpisodeFinder(engine).find("b.example", "/1.mp3") == (UNKNOWN, "")


@pytest.mark.parametrize("path", ["/media/00000000-0000-4000-8000-000000000000.mp3", "/nothing.mp3", "/favicon.ico"])
def test_what_is_unknown_is_neither_asked_for_nor_remembered(engine: Engine, path: str) -> None:
    listed(engine, "https://a.example/1.mp3")
    finder = EpisodeFinder(engine)
    assert finder.find("", path)[0] in {UNKNOWN, NOT_AUDIO}
    assert finder._versions == {}
