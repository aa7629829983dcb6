"""The inclusion list: who looked into which network, and how long that lasts."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from api import clock
from api.hits.inclusions import EPOCH, Inclusions, read_inclusions
from api.hits.networks import ListError, try_parse_address

LOOKED = date(2026, 8, 20)


@pytest.fixture(autouse=True)
def _november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 22, 12, tzinfo=UTC))


def listed(folder: Path, text: str) -> Inclusions:
    path = folder / "inclusions.txt"
    path.write_text(text)
    return read_inclusions(path)


def has(inclusions: Inclusions, host: str, day: date) -> bool:
    address = try_parse_address(host)
    assert address is not None
    return inclusions.has(address, (day - EPOCH).days)


@pytest.mark.parametrize(("days", "expected"), [(0, True), (90, True), (91, False), (-90, True), (-91, False)])
def test_a_look_lasts_ninety_days_either_way(tmp_path: Path, days: int, expected: bool) -> None:
    inclusions = listed(tmp_path, f"198.51.100.0/24 {LOOKED} university halls\n")
    assert has(inclusions, "198.51.100.9", LOOKED + timedelta(days=days)) is expected


def test_looking_again_every_ninety_days_leaves_no_gap(tmp_path: Path) -> None:
    first, second = date(2026, 2, 1), date(2026, 5, 2)
    inclusions = listed(tmp_path, f"2001:db8::/32 {first}\n2001:db8::/32 {second}\n")
    days = [first + timedelta(days=n) for n in range(181)]
    assert all(has(inclusions, "2001:db8::1", day) for day in days)
    assert not has(inclusions, "2001:db8::1", second + timedelta(days=91))


def test_a_stale_wide_network_does_not_hide_a_fresh_narrow_one(tmp_path: Path) -> None:
    inclusions = listed(tmp_path, f"198.51.100.0/24 2025-01-01\n198.51.100.8/29 {LOOKED}\n203.0.113.7 {LOOKED}\n")
    found = {host: has(inclusions, host, LOOKED) for host in ("198.51.100.9", "198.51.100.200", "203.0.113.7", "::1")}
    assert found == {"198.51.100.9": True, "198.51.100.200": False, "203.0.113.7": True, "::1": False}


def test_the_entries_are_there_to_be_told(tmp_path: Path) -> None:
    (entry,) = listed(
        tmp_path, f"# halls\n198.51.100.0/24   {LOOKED}\tuniversity halls, asked their admin # x\n"
    ).entries
    assert (entry.validated, entry.note) == (LOOKED, "university halls, asked their admin")


BROKEN = {
    "no day": ("198.51.100.0/24", "write the day on which it was looked into"),
    "a day that is none": ("198.51.100.0/24 2026-02-30", "'2026-02-30' is no day"),
    "a day of another form": ("198.51.100.0/24 20.8.2026 halls", "'20.8.2026' is no day"),
    "a day to come": ("198.51.100.0/24 2026-11-24", "2026-11-24 is still to come"),
    "no network": ("halls 2026-08-20", "'halls' is no network"),
}


@pytest.mark.parametrize(("line", "told"), BROKEN.values(), ids=BROKEN)
def test_a_broken_line_is_named(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ListError) as error:
        listed(tmp_path, f"203.0.113.0/24 2026-11-23\n{line}\n")
    assert f"{tmp_path / 'inclusions.txt'}, line 2: " in str(error.value)
    assert told in str(error.value)
