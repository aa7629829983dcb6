"""Records of hits that are not what they say: set aside, and what stands behind them is counted."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
import zstandard
from sqlalchemy import Engine

from api.events.columns import DTYPES, MAX_HITS, pack_columns, unpack_columns
from api.events.records import Hit, HitChunk, pack, unpack
from tests.api.measurement.downloads import product
from tests.api.measurement.downloads.oracle import Request
from tests.api.measurement.downloads.traffic import make_episodes
from tests.api.measurement.house import House, wrong

EPISODES = make_episodes(5)
Change = Callable[[HitChunk], dict[str, Any]]


def request(house: House, seconds: int) -> Request:
    at_ms = house.now_ms - 3_600_000 + 1000 * seconds
    return Request(at_ms, "203.0.113.1", "A/1", EPISODES[4].uuid, EPISODES[4].versions[0][1], sent=2_000_000)


def chunk(house: House, name: str, seconds: int = 0) -> HitChunk:
    """Three lines of a log."""
    found = unpack(product.chunk([request(house, seconds + n) for n in range(3)], name, 0, 3))
    assert isinstance(found, HitChunk)
    return found


def with_column(name: str, value: int) -> Change:
    """The last line has another number in this column."""

    def change(record: HitChunk) -> dict[str, Any]:
        columns = {column: values.copy() for column, values in unpack_columns(record.columns, record.hits).items()}
        columns[name][-1] = np.array(value).astype(DTYPES[name])
        return {"columns": pack_columns(columns)}

    return change


POISON: dict[str, Change] = {
    "its columns are no zstd": lambda _: {"columns": b"\x00" * 40},
    "its columns are empty": lambda _: {"columns": b""},
    "its columns end too early": lambda record: {"columns": record.columns[:-9]},
    "its columns are a bomb": lambda _: {"columns": zstandard.compress(bytes(100 << 20))},
    "it says of fewer hits": lambda _: {"hits": 2},
    "it says of more hits": lambda _: {"hits": 4},
    "it says of less than none": lambda _: {"hits": -1},
    "it says of more than fit": lambda _: {"hits": MAX_HITS + 1},
    "it says of more than there are": lambda _: {"hits": 1 << 62},
    "a file behind the list": with_column("file", 1),
    "no file at all": lambda _: {"files": []},
    "an app behind the list": with_column("agents", 1 << 31),
    "a country behind the list": with_column("countries", 1),
    "a method that is none": with_column("method", 3),
    "a time before all time": with_column("at_ms", -1),
    "a time after all time": with_column("at_ms", 1 << 61),
    "more lines than can be counted": lambda _: {"lines": (1 << 64) - 1},
    "a cause that PostgreSQL cannot write and SQLite cannot count": lambda _: {"aside": {"a\0": (1 << 64) - 1}},
}


@pytest.mark.parametrize("name", POISON)
def test_a_spoilt_chunk_is_set_aside_and_its_neighbours_are_counted(house: House, engine: Engine, name: str) -> None:
    product.publish(engine, EPISODES)
    good = chunk(house, "good.log")
    house.append(b"log", pack(good))
    house.append(b"log", pack(msgspec.structs.replace(good, source=b"s" * 16, **POISON[name](good))))
    house.append(b"log", pack(chunk(house, "other.log", 10)))
    house.append(b"live", product.record(request(house, 20))[1])
    house.count()
    assert house.worker.reached() == [4]
    assert house.rows("SELECT cause, count(*) FROM set_aside GROUP BY cause") == [("undecodable", 1)]
    found = product.counts(engine).outcomes
    assert {outcome: hits for (_, _, outcome), hits in found.items()} == {"download": 1, "duplicate": 6}
    assert wrong(house.recount()) == {}
    # Only some days are unpacked otherwise.
    assert wrong(house.recount((house.today - 1, house.today + 1))) == {}


HITS: dict[str, dict[str, Any]] = {
    "a time before all time": {"at_ms": -1},
    "a time after all time": {"at_ms": 1 << 61},
    "a number that fits nowhere": {"sent_bytes": (1 << 64) - 1},
    "an earlier consumer below zero": {"earlier": -1},
}


@pytest.mark.parametrize("name", HITS)
def test_a_spoilt_hit_is_set_aside_alone(house: House, engine: Engine, name: str) -> None:
    product.publish(engine, EPISODES)
    records = [product.record(request(house, place))[1] for place in range(5)]
    spoilt = unpack(records[2])
    assert isinstance(spoilt, Hit)
    records[2] = pack(msgspec.structs.replace(spoilt, **HITS[name]))
    for record in records:
        house.append(b"live", record)
    house.count()
    assert house.rows("SELECT cause, count(*) FROM set_aside GROUP BY cause") == [("undecodable", 1)]
    assert sum(product.counts(engine).outcomes.values()) == 4
    assert wrong(house.recount()) == {}


def test_odd_hits_are_hits_all_the_same(house: House, engine: Engine) -> None:
    """What can be counted is: whatever method, status, Range or consumer."""
    product.publish(engine, EPISODES)
    first = unpack(product.record(request(house, 0))[1])
    assert isinstance(first, Hit)
    odd: list[dict[str, Any]] = [
        *({"method": method} for method in ("", "BREW", "get")),
        *({"status": status} for status in (-1, 65_736, 10**9)),
        *({"range": text, "status": 206} for text in ("bytes=" + "9" * 400 + "-", "bytes=-", "lines=0-1", "\0")),
        {"consumer": b""},
        {"consumer": b"x" * 99},
        {"traits": 1 << 40},
        {"sent_bytes": -5},
    ]
    for fields in odd:
        house.append(b"live", pack(msgspec.structs.replace(first, **fields)))
    house.count()
    assert house.rows("SELECT count(*) FROM set_aside") == [(0,)]
    assert sum(product.counts(engine).outcomes.values()) == len(odd)
    assert wrong(house.recount()) == {}
