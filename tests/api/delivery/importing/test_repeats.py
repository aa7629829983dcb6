"""Equal lines of one file are told apart by how many of them came before."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.delivery.importing import repeats
from api.delivery.importing.repeats import Repeats

LINES = st.tuples(st.integers(0, 6), st.integers(0, 3))
"""Time, and what else a line says."""
BLOCKS = st.lists(st.lists(LINES, max_size=8), max_size=24)


def counted(blocks: list[list[tuple[int, int]]]) -> list[list[int]]:
    """What the code says of each line."""
    counter = Repeats()
    return [
        counter.count(
            np.array([at << 32 | rest for at, rest in block], np.uint64), np.array([at for at, _ in block], np.int64)
        ).tolist()
        for block in blocks
    ]


@given(BLOCKS)
def test_a_lines_number_is_how_many_of_its_like_came_before_in_whatever_order_of_time(
    blocks: list[list[tuple[int, int]]],
) -> None:
    seen: Counter[tuple[int, int]] = Counter()
    for block, found in zip(blocks, counted(blocks), strict=True):
        for line, number in zip(block, found, strict=True):
            assert number == seen[line]
            seen[line] += 1


@pytest.mark.parametrize("is_in_order", [True, False])
def test_the_last_lines_are_remembered_and_of_those_before_only_some(
    monkeypatch: pytest.MonkeyPatch, *, is_in_order: bool
) -> None:
    monkeypatch.setattr(repeats, "REMEMBERED", 1000)
    counter = Repeats()
    blocks = [(np.arange(number * 50, number * 50 + 50), number * is_in_order) for number in range(200)]
    for values, at_ms in blocks:
        assert not counter.count(values.astype(np.uint64), np.full(50, at_ms)).any()
    assert 1000 <= sum(len(part.values) for part in counter._stretches) < 1500
    for values, at_ms in blocks[-15:]:
        assert counter.count(values.astype(np.uint64), np.full(50, at_ms)).all()
