"""The mathematics of statements, on small examples and on any numbers."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import statements as rules
from models.payouts import EXACT_PER_CENT
from models.statements import DayCount, Plan, Plans, Terms, apportion, round_half_up, take_impressions, take_listens

FIRST, SECOND, THIRD = date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 3)
EURO_CPM = 2_500


def ads(episode: int, day: date, counted: int, *, held: int = 0, void: int = 0, settled: int = 0) -> DayCount:
    """A day of a campaign in an episode."""
    return DayCount.of(episode, 7, day, (counted, held, void, settled))


def quantities(terms: Terms, counts: list[DayCount]) -> dict[tuple[int, date], int]:
    """What is taken, where what was settled before is that of these days."""
    settled: dict[date, int] = {}
    for count in counts:
        settled[count.day] = settled.get(count.day, 0) + count.settled
    taken = take_impressions(terms, counts, settled)
    return {(row.count.episode_id, row.count.day): row.quantity for row in taken if row.quantity}


# -- amounts -------------------------------------------------------------------------------------------------------


def test_amounts_are_exact() -> None:
    assert rules.exact_for_listens(1_234, 1_500) == Fraction(1_234 * 1_500, 1000) * EXACT_PER_CENT
    assert rules.exact_for_ads(1_234, 2_501, 6_999) == Fraction(1_234 * 2_501 * 6_999, 1000 * 10_000) * EXACT_PER_CENT


@pytest.mark.parametrize(
    ("tenths_of_a_cent", "cents"), [(4, 0), (5, 1), (-5, 0), (-6, -1), (15, 2), (-15, -1), (1000, 100)]
)
def test_a_half_is_rounded_up(tenths_of_a_cent: int, cents: int) -> None:
    assert round_half_up(tenths_of_a_cent * EXACT_PER_CENT // 10) == cents


def test_the_largest_remainder_gets_the_cent_and_of_equal_ones_the_first() -> None:
    assert apportion(1, [4, 4, 2], unit=10) == [1, 0, 0]
    assert apportion(2, [3, 8, 9], unit=10) == [0, 1, 1]
    assert apportion(-1, [-4, -3, -3], unit=10) == [-1, 0, 0]


@given(st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=40))
def test_lines_add_up_to_the_rounded_total_and_each_is_off_by_less_than_a_cent(exacts: list[int]) -> None:
    total = round_half_up(sum(exacts))
    parts = apportion(total, exacts)
    assert sum(parts) == total
    assert all(abs(part * EXACT_PER_CENT - exact) < EXACT_PER_CENT for part, exact in zip(parts, exacts, strict=True))


@given(st.integers(-1000, 1000), st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=9))
def test_any_total_is_split_whole(total: int, exacts: list[int]) -> None:
    assert sum(apportion(total, exacts, unit=1000)) == total


def test_nothing_is_not_split() -> None:
    assert apportion(0, []) == []
    with pytest.raises(ValueError, match="over nothing"):
        apportion(1, [])


# -- what is taken -------------------------------------------------------------------------------------------------


def test_listens_are_paid_less_what_was_settled_held_and_void() -> None:
    taken = take_listens([DayCount.of(1, 0, FIRST, (100, 10, 5, 60)), DayCount.of(1, 0, SECOND, (10, 0, 4, 10))])
    assert [row.quantity for row in taken] == [25, -4]


def test_flags_are_never_more_than_the_count() -> None:
    count = DayCount.of(1, 0, FIRST, (10, 8, 7, 0))
    assert (count.held, count.void, count.payable) == (3, 7, 0)


def test_days_are_served_in_order_until_the_budget_is_used_up() -> None:
    terms = Terms(price_cents=1000, budget_cents=25)
    counts = [ads(2, SECOND, 10), ads(1, SECOND, 10), ads(3, FIRST, 10)]
    assert quantities(terms, counts) == {(3, FIRST): 10, (1, SECOND): 10, (2, SECOND): 5}


def test_a_day_gets_no_more_than_its_cap_and_what_was_settled_counts() -> None:
    terms = Terms(price_cents=1000, budget_cents=10_000, daily_cap=12)
    counts = [ads(1, FIRST, 20, settled=5), ads(2, FIRST, 20), ads(1, SECOND, 3)]
    assert quantities(terms, counts) == {(1, FIRST): 7, (1, SECOND): 3}


def test_what_is_taken_back_makes_room() -> None:
    terms = Terms(price_cents=1000, budget_cents=10)
    counts = [ads(1, SECOND, 10, void=4, settled=10), ads(1, FIRST, 9)]
    assert quantities(terms, counts) == {(1, SECOND): -4, (1, FIRST): 4}


def test_a_budget_below_what_was_settled_takes_nothing_back() -> None:
    terms = Terms(price_cents=1000, budget_cents=5)
    assert quantities(terms, [ads(1, FIRST, 10, settled=10), ads(1, SECOND, 10)]) == {}


def test_a_price_of_nothing_is_bounded_by_the_cap_alone() -> None:
    assert quantities(Terms(0, 0, impression_cap=3), [ads(1, FIRST, 10)]) == {(1, FIRST): 3}


day_counts = st.builds(
    lambda episode, day, counted, held, void, settled: ads(
        episode, date(2026, 10, day), counted, held=held, void=void, settled=settled
    ),
    st.integers(1, 4),
    st.integers(1, 5),
    *[st.integers(0, 40)] * 4,
)
some_days = st.lists(day_counts, max_size=12, unique_by=lambda count: (count.episode_id, count.day))


@given(some_days, st.integers(0, 200), st.none() | st.integers(0, 100), st.none() | st.integers(0, 30))
def test_nothing_is_lost_and_no_limit_is_passed(
    counts: list[DayCount], budget: int, cap: int | None, daily: int | None
) -> None:
    terms = Terms(1_500, budget, cap, daily)
    settled: dict[date, int] = {}
    for count in counts:
        settled[count.day] = settled.get(count.day, 0) + count.settled
    taken = take_impressions(terms, counts, settled)
    assert len(taken) == len(counts)
    after = dict(settled)
    for row in taken:
        count = row.count
        after[count.day] += row.quantity
        whole = count.settled + row.quantity + count.held + count.void + row.unbilled
        assert whole == count.counted
        assert row.unbilled >= 0
        assert row.quantity == count.change if count.change <= 0 else 0 <= row.quantity <= count.change
    more = any(row.quantity > 0 for row in taken)
    if more:
        assert sum(after.values()) <= terms.most_impressions
        assert terms.charge(sum(after.values())) <= budget
    if daily is not None:
        grown = {row.count.day for row in taken if row.quantity > 0}
        assert all(after[day] <= daily for day in grown)


# -- plans and lines -----------------------------------------------------------------------------------------------


def test_a_plan_holds_until_the_next_begins() -> None:
    plans = Plans(Plan(n, 1, day, "EUR", n, 0, 0) for n, day in ((1, FIRST), (2, THIRD)))
    found = [plans.on(1, day) for day in (date(2026, 9, 30), FIRST, SECOND, THIRD, date(2027, 1, 1))]
    assert [plan and plan.id for plan in found] == [None, 1, 1, 2, 2]


def inputs(**changes: object) -> rules.Inputs:
    """A statement of two episodes and a campaign."""
    plan = {
        "id": 3,
        "show_id": 5,
        "from_day": "2026-01-01",
        "currency": "EUR",
        "listen_price_cents": 333,
        "ad_share_bp": 7_000,
        "minimum_cents": 0,
    }
    return {
        "plans": [plan],
        "episodes": [{"id": 1, "show_id": 5}, {"id": 2, "show_id": 5}],
        "campaigns": [{"id": 7, "price_cents": EURO_CPM}],
        "counts": [
            [1, 0, "2026-10-01", 5, 1, 0, 0, 4, 4, 0],
            [1, 0, "2026-10-02", 3, 0, 0, 0, 3, 3, 0],
            [2, 0, "2026-09-30", 9, 0, 0, 8, 9, 1, 0],
            [2, 7, "2026-10-01", 10, 0, 2, 0, 8, 6, 2],
        ],
        "gross": [[2, 7, 3, "2026-10-01", 15]],
        "brought_forward": [{"cents": 40}],
        "minimum_cents": 100,
        **changes,
    }


def test_lines_are_worked_out_of_the_inputs_alone() -> None:
    worked = rules.work_out(inputs())
    assert [(*line.key, line.quantity, line.amount_cents) for line in worked.lines] == [
        ("ads", 2, 7, 3, date(2026, 10, 1), 6, 11),  # 10.5 cents
        ("listens", 1, 0, 3, date(2026, 10, 1), 7, 2),  # 2.331
        ("listens", 2, 0, 3, date(2026, 9, 1), 1, 0),  # 0.333
    ]
    first, second, _ = worked.lines
    assert (first.unbilled, first.void, first.gross_cents, second.counted, second.held) == (2, 2, 15, 8, 1)
    assert (worked.total_cents, worked.payable_cents, worked.is_carried) == (13, 53, True)


def test_what_comes_to_the_minimum_is_paid_and_nothing_never_is() -> None:
    assert not rules.work_out(inputs(minimum_cents=53)).is_carried
    assert rules.work_out(inputs(minimum_cents=0, brought_forward=[{"cents": -13}])).is_carried


def test_equal_inputs_have_one_text_and_one_hash() -> None:
    mixed = dict(reversed(inputs().items()))
    packed, digest = rules.pack(mixed)
    assert rules.pack(inputs())[1] == digest
    assert rules.unpack(packed) == inputs()
