"""Downloads of an address that passes for many apps."""

from api.events.records import Hit, pack
from models.tables import Episode
from tests.api.holds.conftest import Scene


def fetch_as(scene: Scene, episode: Episode, address: int, *, agents: int, first: int = 0) -> None:
    """The address fetches the episode whole as so many user agents, today."""
    for number in range(first, first + agents):
        consumer = address.to_bytes(8) + (address * 1_000 + number).to_bytes(8)
        agent = f"Castaway/{number}.1 (iPhone)"
        size = (episode.duration_ms or 0) * 16
        hit = Hit(scene.house.now_ms, str(episode.uuid), consumer, "GET", 200, "", size, agent, "", "")
        scene.house.append(consumer, pack(hit))
