"""One consumer that asks without end costs no more than a bounded row, and nothing of what it does is lost silently."""

import pytest

from api.events.records import Hit, pack
from api.measurement import downloads
from models.tables import Episode
from tests.api.measurement.house import House, wrong
from tests.factories import BYTES_PER_MS

MOST = 50


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MOST_HITS", MOST)


def hits(house: House, episode: Episode, count: int) -> list[bytes]:
    """So many requests of one consumer, a millisecond apart, each for the whole file."""
    size = (episode.duration_ms or 0) * BYTES_PER_MS
    name, same = str(episode.uuid), (b"c" * 16, "GET", 200, "", size, "", "", "f" * 64)
    return [pack(Hit(house.now_ms + number, name, *same)) for number in range(count)]


@pytest.mark.parametrize("steps", [1, 7, 200], ids=["one micro-batch", "several", "one by one"])
def test_only_the_first_hits_of_a_consumers_day_are_kept(house: House, tale: Episode, steps: int) -> None:
    records = hits(house, tale, 200)
    size = -(-len(records) // steps)
    for start in range(0, len(records), size):
        for payload in records[start : start + size]:
            house.append(b"c" * 8, payload)
        house.count()
    assert house.rows("SELECT outcome, hits FROM hit_outcome ORDER BY 1") == [("download", 1), ("duplicate", MOST - 1)]
    found = dict(house.rows("SELECT outcome, events FROM pipeline_day WHERE kind = 'hit'"))
    assert found == {"counted": MOST, "flood": 200 - MOST}
    assert wrong(house.recount()) == {}


def test_a_flood_on_one_episode_leaves_other_consumers_alone(house: House, tale: Episode) -> None:
    for payload in hits(house, tale, 2 * MOST):
        house.append(b"c" * 8, payload)
    house.hit(tale.uuid)
    house.count()
    assert dict(house.rows("SELECT outcome, hits FROM hit_outcome"))["download"] == 2
