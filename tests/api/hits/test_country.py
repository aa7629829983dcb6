"""Countries from databases that the test writes itself, in the layouts that are sold and given away."""

from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from api.hits.country import Countries, country_in
from api.hits.networks import ListError, try_parse_address

LAYOUTS = {
    "MaxMind and DB-IP": {"country": {"iso_code": "NZ", "names": {"en": "New Zealand"}}, "continent": {"code": "OC"}},
    "IPinfo Lite": {"country": "New Zealand", "country_code": "NZ", "continent_code": "OC"},
    "IPinfo, older": {"country": "NZ", "continent": "OC"},
    "flat": {"country_code": "nz"},
}
UNKNOWN = (
    {},
    {"country": {}},
    {"country": {"iso_code": None}},
    {"country": "New Zealand"},
    {"country_code": "EU"},
    None,
    "NZ",
)


def write(path: Path, *records: tuple[list[str], Any], ip_version: int = 6) -> Path:
    """A database with these networks."""
    writer = MMDBWriter(ip_version=ip_version, database_type="Test", ipv4_compatible=ip_version == 6)
    for networks, record in records:
        writer.insert_network(IPSet(networks), record)
    writer.to_db_file(str(path))
    return path


def find(countries: Countries, host: str) -> str:
    address = try_parse_address(host)
    assert address is not None
    return countries.find(address)


@pytest.mark.parametrize("record", LAYOUTS.values(), ids=LAYOUTS)
def test_a_country_is_found_in_every_layout(tmp_path: Path, record: Any) -> None:
    countries = Countries(write(tmp_path / "geo.mmdb", (["192.0.2.0/24", "2001:db8::/32"], record)))
    hosts = ["192.0.2.9", "::ffff:192.0.2.9", "2001:db8::1", "fe80::1%eth0", "198.51.100.1", "2001:db9::1"]
    assert [find(countries, host) for host in hosts] == ["NZ", "NZ", "NZ", "", "", ""]


@pytest.mark.parametrize("record", UNKNOWN, ids=repr)
def test_a_record_without_a_country_is_unknown(record: Any) -> None:
    assert country_in(record) == ""


def test_a_database_of_ipv4_alone_knows_no_ipv6(tmp_path: Path) -> None:
    countries = Countries(write(tmp_path / "geo.mmdb", (["192.0.2.0/24"], {"country_code": "NZ"}), ip_version=4))
    assert [find(countries, host) for host in ("192.0.2.9", "2001:db8::1")] == ["NZ", ""]


def test_a_database_may_be_written_over_while_it_is_used(tmp_path: Path) -> None:
    path = write(tmp_path / "geo.mmdb", (["192.0.2.0/24"], {"country_code": "NZ"}))
    countries = Countries(path)
    path.write_bytes(b"")  # the begin of copying a new version over it
    assert find(countries, "192.0.2.9") == "NZ"


@pytest.mark.parametrize("content", [b"", b"no database", None])
def test_what_is_no_database_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "geo.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ListError, match=r"geo\.mmdb cannot be read as an MMDB file"):
        Countries(path)
