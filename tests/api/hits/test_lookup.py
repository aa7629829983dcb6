"""All lists together, as the settings name them."""

from datetime import timedelta
from pathlib import Path

import pytest

from api.hits import lookup
from api.hits.classify import AddressFacts, Classifier
from api.hits.inclusions import EPOCH
from api.hits.lookup import make_classifier
from api.hits.networks import ListError
from api.hits.traits import Trait
from api.settings import Settings
from tests.api.hits.test_country import write as write_countries
from tests.api.hits.test_opawg import write as write_opawg

TODAY = 20_500


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with every list."""
    day = EPOCH + timedelta(days=TODAY)
    (tmp_path / "datacenters.txt").write_text("192.0.2.0/24\n2001:db8::/32\n")
    (tmp_path / "inclusions.txt").write_text(f"192.0.2.0/28 {day} halls\n198.51.100.0/24 {day}\n")
    write_countries(tmp_path / "geo.mmdb", (["192.0.2.0/25"], {"country": {"iso_code": "NZ"}}))
    return Settings(
        home=tmp_path,
        datacenters=str(tmp_path / "datacenters.txt"),
        inclusions=str(tmp_path / "inclusions.txt"),
        geo=str(tmp_path / "geo.mmdb"),
        agents=str(write_opawg(tmp_path / "agents")),
    )


PLACES = {
    "192.0.2.9": AddressFacts("NZ", Trait.DATACENTER | Trait.INCLUDED),
    "::ffff:192.0.2.9": AddressFacts("NZ", Trait.DATACENTER | Trait.INCLUDED),
    "192.0.2.200": AddressFacts("", Trait.DATACENTER),
    "198.51.100.1": AddressFacts("", Trait.INCLUDED),
    "2001:db8::1": AddressFacts("", Trait.DATACENTER),
    "203.0.113.1": lookup.UNKNOWN,
    "testclient": lookup.UNKNOWN,
    "": lookup.UNKNOWN,
}


@pytest.mark.parametrize(("host", "expected"), PLACES.items(), ids=PLACES)
def test_an_address_is_looked_up_in_every_list(settings: Settings, host: str, expected: AddressFacts) -> None:
    classifier: Classifier = make_classifier(settings)
    assert classifier.address(host, TODAY) == expected


def test_an_inclusion_goes_by_the_day_of_the_hit(settings: Settings) -> None:
    assert make_classifier(settings).address("198.51.100.1", TODAY + 91) == lookup.UNKNOWN


def test_without_lists_only_user_agents_and_referrers_are_known(tmp_path: Path) -> None:
    classifier = make_classifier(Settings(home=tmp_path))
    assert classifier.address("192.0.2.9", TODAY) == lookup.UNKNOWN
    assert classifier.agent("AntennaPod/3.5").app == "AntennaPod"
    assert classifier.referrer("https://podverse.fm/episode/x") == Trait.PRELOAD


REFERRERS = {
    "https://podverse.fm/": Trait.PRELOAD,
    "https://widget.podfriend.com/podcast": Trait.PRELOAD,
    "HTTPS://WWW.PODVERSE.FM": Trait.PRELOAD,
    "https://eager.example/listen": Trait.PRELOAD,
    "https://frob.example/": Trait.NONE,
    "https://podverse.fm.example/": Trait.NONE,
    "https://example.com/?from=https://podverse.fm/": Trait.NONE,
    "https://www.podfriend.com/": Trait.NONE,
    "": Trait.NONE,
    "https://podverse.fm/\ud800": Trait.PRELOAD,
}


@pytest.mark.parametrize(("referrer", "expected"), REFERRERS.items(), ids=map(repr, REFERRERS))
def test_known_preloaders_are_told_by_their_page(settings: Settings, referrer: str, expected: Trait) -> None:
    assert make_classifier(settings).referrer(referrer) == expected


@pytest.mark.parametrize("name", ["datacenters", "inclusions", "geo", "agents"])
def test_a_list_that_is_no_good_is_named_by_its_setting(settings: Settings, tmp_path: Path, name: str) -> None:
    broken = tmp_path / "broken"
    broken.write_text("nonsense\n")
    with pytest.raises(ListError, match=f"^EARSHOT_{name.upper()}: .*broken"):
        make_classifier(settings.model_copy(update={name: str(broken)}))
