"""The network that a device registered from."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.app import create_app
from api.hits.networks_of_devices import hash_network
from api.settings import Settings
from models.rotations import ROTATION_DAYS
from tests.device import register

SECRET = "the secret of an installation that is only tested"
DAY = 20_000

SAME = {
    "an IPv4 /24": ("203.0.113.7", "203.0.113.250"),
    "an IPv6 /48": ("2001:db8:7:1::1", "2001:db8:7:ffff::9"),
    "IPv4 written as IPv6": ("203.0.113.7", "::ffff:203.0.113.8"),
}
OTHER = {
    "the next /24": ("203.0.113.7", "203.0.112.7"),
    "the next /48": ("2001:db8:7::1", "2001:db8:8::1"),
}


@pytest.mark.parametrize("name", SAME)
def test_one_network_has_one_number(name: str) -> None:
    first, second = (hash_network(SECRET, host, DAY) for host in SAME[name])
    assert first == second is not None


@pytest.mark.parametrize("name", OTHER)
def test_another_network_has_another(name: str) -> None:
    first, second = (hash_network(SECRET, host, DAY) for host in OTHER[name])
    assert first != second


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "192.168.1.9", "172.20.0.1", "::1", "fd00::1", "fe80::1", ""]
)
def test_what_is_no_network_of_anybody_has_none(host: str) -> None:
    assert hash_network(SECRET, host, DAY) is None


def test_the_number_says_nothing_without_the_secret_and_changes_with_its_key() -> None:
    day = DAY // ROTATION_DAYS * ROTATION_DAYS
    number = hash_network(SECRET, "203.0.113.7", day)
    assert number != hash_network("another secret", "203.0.113.7", day)
    assert number == hash_network(SECRET, "203.0.113.7", day + ROTATION_DAYS - 1)
    assert number != hash_network(SECRET, "203.0.113.7", day + ROTATION_DAYS)
    assert number is not None
    assert -(1 << 63) <= number < 1 << 63


def test_registering_keeps_the_network_and_not_the_address(settings: Settings, engine: Engine) -> None:
    settings = settings.model_copy(update={"trusted_proxies": "127.0.0.1"})
    with TestClient(create_app(settings), client=("127.0.0.1", 1)) as client:
        client.headers["X-Forwarded-For"] = "203.0.113.7"
        register(client)
        client.headers["X-Forwarded-For"] = "203.0.113.99"
        register(client)
        del client.headers["X-Forwarded-For"]
        register(client)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM device")).mappings().all()
    networks = [row["network"] for row in rows]
    assert sorted(network is None for network in networks) == [False, False, True]
    assert len({network for network in networks if network is not None}) == 1
    assert "203.0.113" not in str(rows)
