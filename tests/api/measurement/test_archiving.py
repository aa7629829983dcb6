"""The archive takes over from the log, day by day, and keeps no user agent."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from api.events.archive import Archive, ArchiveBusyError
from api.events.records import Hit, unpack
from api.measurement import archiving
from models.columns import DAY_MS
from models.tables import Episode
from tests.api.measurement.house import House
from tests.device import Phone

DEVICE = "0b6f6a0e-7c1d-4b57-9a53-6f0f5a6d2e11"


def live(house: House, tale: Episode, days: range) -> Phone:
    """A listen and a hit a day, counted."""
    phone = Phone(DEVICE)
    for number in days:
        house.day(number)
        phone.write(tale.uuid, "pause", 0, 60_000, house.now_ms - 1000)
        house.send(phone, len(phone.log), len(phone.log))
        house.hit(tale.uuid)
    house.count()
    return phone


def files(archive: Archive) -> list[str]:
    """The archive's files, by their names."""
    return sorted(path.relative_to(archive.folder).as_posix() for path in archive.folder.glob("*/*/*"))


def agents(house: House) -> set[str]:
    """User agents in log and archive."""
    found = set()
    for payload in house.kept_payloads()[1::2]:
        record = unpack(payload)
        if isinstance(record, Hit):
            found |= {record.user_agent, record.referrer}
    return found


def test_a_day_is_archived_whole_a_day_after_its_end(house: House, tale: Episode) -> None:
    live(house, tale, range(-3, 1))
    house.housekeeper.tidy()
    days = [datetime.fromtimestamp((house.today + n) * 86_400, UTC).date() for n in (-3, -2)]
    assert files(house.archive) == [
        f"received_day={days[0]}/partition=0/000000000000-000000000001.parquet",
        f"received_day={days[1]}/partition=0/000000000002-000000000003.parquet",
    ]
    assert house.archive.end(0) == 4
    table = pq.read_table(house.archive.files(0)[0].path)
    assert table.column("offset").to_pylist() == [0, 1]
    assert [record.payload for record in house.log.read(0, 0, 2)] == table.column("payload").to_pylist()


def test_no_user_agent_outlives_the_windows_of_counting(house: House, tale: Episode) -> None:
    live(house, tale, range(-3, -1))
    assert agents(house) == {"Castaway/7.1 (iPhone)", "https://referrer.example/"}
    house.day(1)
    house.housekeeper.tidy()
    assert agents(house) == {""}
    assert house.rows("SELECT sum(hits), sum(sent_bytes) FROM hit_outcome") == [(2, 4_000_000)]


def test_nothing_is_trimmed_that_is_not_archived(house: House, tale: Episode, monkeypatch: pytest.MonkeyPatch) -> None:
    live(house, tale, range(-3, 1))
    house.day(60)
    with monkeypatch.context() as patch:
        patch.setattr("api.measurement.housekeeping.archive_days", lambda *_, **__: 0)
        house.housekeeper.tidy()
    assert house.log.start(0) == 0
    house.housekeeper.tidy()
    assert house.log.start(0) == 8
    assert house.archive.end(0) == 8


def test_the_log_keeps_its_days_behind_the_archive(house: House, tale: Episode) -> None:
    live(house, tale, range(-3, 1))
    house.day(11)
    house.housekeeper.tidy()
    assert house.archive.end(0) == 8
    assert house.log.start(0) == 0
    house.day(12)
    house.housekeeper.tidy()
    assert house.log.start(0) == 2


def test_only_what_is_counted_is_archived(house: House, tale: Episode) -> None:
    phone = live(house, tale, range(-5, -3))
    phone.write(tale.uuid, "pause", 0, 60_000, house.now_ms - 1000)
    house.send(phone, 3, 3)
    house.day(0)
    house.housekeeper.tidy()
    assert house.archive.end(0) == 4
    house.count()
    house.housekeeper.tidy()
    assert house.archive.end(0) == 5


def test_a_long_day_is_several_files_that_follow_each_other(
    house: House, tale: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(house, tale, range(-5, -4))
    for _ in range(5):
        house.hit(tale.uuid)
    house.count()
    house.day(0)
    monkeypatch.setattr(archiving, "FILE_RECORDS", 3)
    monkeypatch.setattr(archiving, "PAGE", 2)
    house.housekeeper.tidy()
    assert [(file.first, file.last) for file in house.archive.files(0)] == [(0, 3), (4, 6)]
    pages = list(house.archive.read(0, 1, 6))
    assert [record.offset for page in pages for record in page] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("step", ["rewrite", "finish"])
def test_an_interrupted_archive_goes_on_where_it_was(
    house: House, tale: Episode, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    live(house, tale, range(-4, -1))
    house.day(1)

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        if step == "rewrite":
            patch.setattr(house.log, "rewrite", fail)
        else:
            patch.setattr("api.events.archive.ArchiveWriter.finish", fail)
        with pytest.raises(OSError, match="no space"):
            house.housekeeper.tidy()
    assert house.archive.end(0) is None
    house.housekeeper.tidy()
    assert house.archive.end(0) == 6
    assert agents(house) == {""}
    assert not [path for path in house.archive.folder.rglob("*.unfinished") if step == "rewrite"]
    assert house.recount().is_equal


def test_two_do_not_write_to_the_archive_at_once(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    with archive.lock(), pytest.raises(ArchiveBusyError), archive.lock(wait=False):
        pass
    with archive.lock(wait=False):
        pass


def test_the_housekeeper_s_thread_ends_when_told(house: House, tale: Episode) -> None:
    live(house, tale, range(-4, -1))
    house.now_ms += 3 * DAY_MS
    stopping = threading.Event()
    thread = threading.Thread(target=house.housekeeper.run, args=(stopping,))
    thread.start()
    while house.archive.end(0) != 6:
        assert thread.is_alive()
    stopping.set()
    thread.join(timeout=30)
    assert not thread.is_alive()
