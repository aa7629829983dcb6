"""`POST /v1/pipeline/replay`."""

from sqlalchemy import Engine, text

from api.measurement.worker import Worker
from api.settings import Settings
from tests.api.conftest import People
from tests.device import encode, now_ms, register
from tests.factories import tone_mp3


def test_only_admins_replay(people: People) -> None:
    for who, status in (("nobody", 401), ("owner", 403), ("advertiser", 403), ("admin", 202)):
        answer = people.call(who, "POST", "/v1/pipeline/replay", json={"cause": "unknown_episode"})
        assert answer.status_code == status, answer.text
    assert answer.json() == {"replayed": 0}


def test_causes_that_cannot_pass_are_refused(people: People) -> None:
    answer = people.call("admin", "POST", "/v1/pipeline/replay", json={"cause": "clock_ahead"})
    assert answer.status_code == 422
    assert "only unknown_episode and before_publication can pass" in answer.text
    assert people.call("admin", "POST", "/v1/pipeline/replay", json={"cause": "bad luck"}).status_code == 422


def test_a_draft_s_listens_count_once_it_is_published_and_they_are_replayed(
    people: People, engine: Engine, settings: Settings
) -> None:
    state = people.client.app.state
    episode = people.episode(people.show(), audio=tone_mp3(3.0))
    phone = register(people.client)
    phone.write(episode["id"], "complete", 0, 3000, now_ms() - 1000)
    assert people.client.post("/v1/sync", content=encode(phone.batch()), headers=phone.headers).status_code == 202
    worker = Worker(engine, state.log, settings)
    worker.drain()
    listens = "SELECT coalesce(sum(listens), 0) FROM episode_day"
    with engine.connect() as connection:
        assert connection.execute(text(listens)).scalar_one() == 0
    people.publish(episode)
    answer = people.call("admin", "POST", "/v1/pipeline/replay", json={"cause": "before_publication"})
    assert answer.json() == {"replayed": 1}
    worker.drain()
    with engine.connect() as connection:
        assert connection.execute(text(listens)).scalar_one() == 1
    answer = people.call("admin", "POST", "/v1/pipeline/replay", json={"cause": "before_publication"})
    assert answer.json() == {"replayed": 0}
