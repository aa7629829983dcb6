"""Sketches of consumers: the same bytes for the same set, exact up to 4,096, within the stated bounds beyond."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.sketches import EMPTY, EXACT_UP_TO, RELATIVE_STANDARD_ERROR, Estimate, add_to_sketch, unite

HOUSE = random.Random(2026)
RUNS = 400
NUMBERS = [HOUSE.getrandbits(64) for _ in range(24_000)]


def batches(items: list[int], chance: random.Random) -> list[list[int]]:
    """The items in another order, some of them repeated, cut into batches of any size."""
    shuffled = items + chance.sample(items, len(items) // 10)
    chance.shuffle(shuffled)
    cuts = sorted(chance.sample(range(len(shuffled)), min(len(shuffled), chance.randrange(1, 40))))
    return [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]


def added(parts: list[list[int]]) -> bytes:
    """One sketch that was given these batches one after the other."""
    sketch = EMPTY
    for part in parts:
        sketch = add_to_sketch(sketch, part)
    return sketch


@pytest.mark.parametrize("size", [1, 2, 4_095, 4_096, 4_097, 7_681, 24_000])
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_the_bytes_depend_on_the_set_alone(size: int, seed: int) -> None:
    items = NUMBERS[:size]
    assert added(batches(items, random.Random(seed))) == add_to_sketch(EMPTY, items)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_the_union_of_parts_is_the_whole(seed: int) -> None:
    parts = [add_to_sketch(EMPTY, part) for part in batches(NUMBERS, random.Random(seed))]
    assert unite(parts) == unite([add_to_sketch(EMPTY, NUMBERS)])


@given(st.sets(st.integers(0, 2**64 - 1), max_size=50))
def test_few_numbers_are_counted_exactly_whatever_they_are(numbers: set[int]) -> None:
    assert unite([add_to_sketch(EMPTY, numbers)]) == Estimate(len(numbers), len(numbers), len(numbers), True)


def test_what_is_exact_ends_at_4096() -> None:
    assert unite([add_to_sketch(EMPTY, NUMBERS[:EXACT_UP_TO])]) == Estimate(4096, 4096, 4096, True)
    beyond = unite([add_to_sketch(EMPTY, NUMBERS[: EXACT_UP_TO + 1])])
    assert not beyond.is_exact
    assert beyond.low <= EXACT_UP_TO + 1 <= beyond.high


def test_great_numbers_that_differ_in_their_last_bit_are_two() -> None:
    assert unite([add_to_sketch(EMPTY, [2**64 - 1, 2**64 - 2, 2**63, 2**63 + 1])]).value == 4


def test_a_number_is_the_same_with_and_without_its_sign() -> None:
    assert add_to_sketch(EMPTY, [-1, -(2**63)]) == add_to_sketch(EMPTY, [2**64 - 1, 2**63])


def test_nothing_stays_nothing() -> None:
    assert add_to_sketch(EMPTY, []) == EMPTY
    assert unite([]) == unite([EMPTY, EMPTY]) == Estimate(0, 0, 0, True)
    sketch = add_to_sketch(EMPTY, NUMBERS[:9_000])
    assert add_to_sketch(sketch, []) == sketch


@pytest.mark.parametrize("size", [5_000, 20_000, 50_000])
def test_the_bounds_hold_as_often_as_they_say(size: int) -> None:
    held, errors = 0, []
    for seed in range(RUNS):
        chance = random.Random(f"{size} {seed}")
        found = unite([add_to_sketch(EMPTY, (chance.getrandbits(64) for _ in range(size)))])
        held += found.low <= size <= found.high
        errors.append((found.value - size) / size)
    # Two standard deviations hold 95.4 of 100 times; in 100 runs alone, chance would hide whether they do.
    assert held >= 0.95 * RUNS
    assert (sum(error**2 for error in errors) / len(errors)) ** 0.5 < RELATIVE_STANDARD_ERROR * 1.1


def test_sketches_that_overlap_count_what_they_share_once() -> None:
    week = [add_to_sketch(EMPTY, NUMBERS[day * 1_000 : day * 1_000 + 3_000]) for day in range(7)]
    found = unite(week)
    assert found.low <= 9_000 <= found.high
    assert abs(found.value - 9_000) < 9_000 * 4 * RELATIVE_STANDARD_ERROR
