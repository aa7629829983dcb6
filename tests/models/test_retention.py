"""Retention: from the rollup to curves and to what stands out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import retention
from models.retention import Curve, PerSecond, Stretch
from tests.heard import Spans, brute_force, chunks

TEN_MINUTES = 600


def per_second(playbacks: list[Spans], duration_seconds: int = TEN_MINUTES) -> PerSecond:
    """Counts of each second, by brute force."""
    heard, spanned, repeated = brute_force(playbacks, duration_seconds)
    return PerSecond(heard, spanned - heard, repeated)


def spans(duration_seconds: int) -> st.SearchStrategy[Spans]:
    """What somebody may have heard."""
    edge = st.integers(0, duration_seconds)
    return st.lists(st.tuples(edge, edge).map(lambda pair: (min(pair), max(pair))), max_size=4)


# -- reading -------------------------------------------------------------------------------------------------------


@given(st.data(), st.sampled_from([1, 255, 256, 257, 700]))
def test_what_is_read_is_what_each_second_was_heard(data: st.DataObject, duration_seconds: int) -> None:
    totals = brute_force(data.draw(st.lists(spans(duration_seconds), max_size=5)), duration_seconds)
    rows = chunks(totals)
    for column in range(3):
        found = retention.decode([(row[0], row[column + 1]) for row in rows], duration_seconds)
        assert found.tolist() == totals[column].tolist()


def test_rows_of_a_longer_recording_are_cut() -> None:
    rows = [(row[0], row[1]) for row in chunks(brute_force([[(0, 1000)], [(0, 200)]], 1000))]
    assert retention.decode(rows, 300).tolist() == [2] * 200 + [1] * 100
    assert retention.decode(rows, 0).tolist() == []


# -- buckets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 7, 10, 600, 3600])
def test_a_bucket_s_mean_times_its_seconds_is_its_sum(width: int) -> None:
    counts = np.arange(600)
    means, cuts = retention.means(counts, width), retention.edges(600, width)
    assert len(means) == len(cuts) - 1 == -(-600 // width)
    assert (means * np.diff(cuts)).sum() == pytest.approx(counts.sum())
    assert means[-1] == pytest.approx(counts[cuts[-2] :].mean())


def test_one_second_wide_buckets_are_the_counts_themselves() -> None:
    assert retention.means(np.array([3, 0, 2]), 1).tolist() == [3, 0, 2]
    assert retention.means(np.array([], dtype=int), 10).tolist() == []


@pytest.mark.parametrize(
    ("duration_seconds", "width"), [(0, 1), (600, 1), (601, 2), (900, 2), (3600, 10), (10_800, 20), (9_999_999, 3600)]
)
def test_the_width_chosen_is_the_narrowest_round_one_that_fits(duration_seconds: int, width: int) -> None:
    assert retention.choose_width(duration_seconds, 600) == width


# -- the typical curve ---------------------------------------------------------------------------------------------


def half_way(duration_seconds: int, playbacks: int) -> Curve:
    """An episode that everybody leaves in the middle."""
    return Curve(np.repeat([playbacks, 0], duration_seconds // 2), playbacks)


def test_episodes_of_any_length_are_compared_at_the_same_share_of_it() -> None:
    curve = retention.typical([half_way(100, 20), half_way(900, 50), half_way(10_000, 20)], TEN_MINUTES, 60)
    assert curve is not None
    assert curve.tolist() == pytest.approx([1] * 5 + [0] * 5)


def test_a_cut_inside_a_second_gives_each_side_its_part() -> None:
    curve = retention.typical([Curve(np.array([30, 0, 0]), 30)] * 3, 2, 1)
    assert curve is not None
    assert curve.tolist() == pytest.approx([2 / 3, 0])


def test_a_hit_does_not_drown_the_other_episodes() -> None:
    hit, flop = Curve(np.full(100, 10_000), 10_000), Curve(np.zeros(100, dtype=int), 20)
    curve = retention.typical([hit, flop, flop, flop], 100, 100)
    assert curve is not None
    assert curve.tolist() == [0.25]


def test_two_episodes_make_nothing_typical() -> None:
    assert retention.typical([half_way(100, 20)] * 2, TEN_MINUTES, 60) is None


# -- what stands out -----------------------------------------------------------------------------------------------


def leaving_steadily(playbacks: int) -> list[Spans]:
    """One after the other they leave, at every moment as many."""
    return [[(0, 1 + place * (TEN_MINUTES - 1) // playbacks)] for place in range(playbacks)]


def test_a_drop_off_is_found_where_many_leave_at_once() -> None:
    there = per_second([[(0, 600)]] * 80 + [[(0, 312)]] * 12 + [[(0, 313)]] * 8)
    assert retention.drop_offs(there, 100) == [Stretch(310, 315, 20, 0.2)]


def test_neighbouring_losses_are_one_drop_off_and_the_greatest_comes_first() -> None:
    playbacks = [[(0, 600)]] * 60 + [[(0, 100)]] * 10 + [[(0, 302)]] * 16 + [[(0, 314)]] * 14
    assert retention.drop_offs(per_second(playbacks), 100) == [Stretch(300, 315, 30, 0.3), Stretch(100, 105, 10, 0.1)]


def test_only_the_greatest_losses_are_told() -> None:
    leaving = [[[(0, 60 * minute)]] * (10 + minute) for minute in range(1, 9)]
    found = retention.drop_offs(per_second([spans for playbacks in leaving for spans in playbacks]), 116)
    assert [stretch.from_second for stretch in found] == [480, 420, 360, 300, 240]


def test_a_short_recording_is_not_searched_second_by_second() -> None:
    there = per_second([[(0, 100)]] * 50 + [[(0, 51)]] * 3 + [[(0, 53)]] * 3, 100)
    assert [(found.from_second, found.to_second) for found in retention.drop_offs(there, 56)] == [(50, 55)]


def test_a_steady_loss_is_no_drop_off_and_one_beside_it_is() -> None:
    assert retention.drop_offs(per_second(leaving_steadily(600)), 600) == []
    (found,) = retention.drop_offs(per_second(leaving_steadily(600) + [[(0, 242)]] * 60), 660)
    assert (found.from_second, found.to_second, round(found.share, 2)) == (240, 245, 0.1)


def test_leaving_at_the_end_is_no_drop_off() -> None:
    assert retention.drop_offs(per_second([[(0, 600)]] * 50 + [[(0, 541)]] * 50), 100) == []
    assert len(retention.drop_offs(per_second([[(0, 600)]] * 50 + [[(0, 538)]] * 50), 100)) == 1


def test_whoever_skips_has_not_left() -> None:
    there = per_second([[(0, 200), (290, 600)]] * 50)
    assert retention.drop_offs(there, 50) == []
    assert retention.parts(there.skipped, 50) == [Stretch(200, 290, 50, 1)]


def test_those_who_begin_there_are_set_off_against_those_who_leave() -> None:
    assert retention.drop_offs(per_second([[(0, 300)]] * 50 + [[(300, 600)]] * 50), 100) == []


@pytest.mark.parametrize(("leave", "stay", "found"), [(4, 0, 0), (5, 0, 1), (5, 300, 0), (7, 300, 1)])
def test_few_who_leave_are_no_drop_off(leave: int, stay: int, found: int) -> None:
    there = per_second([[(0, 302)]] * leave + [[(0, 600)]] * stay)
    assert len(retention.drop_offs(there, leave + stay)) == found


def test_skipped_and_replayed_parts_are_found_with_their_share() -> None:
    skipping, replaying = [[(0, 100), (160, 600)]], [[(0, 420), (400, 600)]]
    there = per_second(skipping * 30 + replaying * 10 + [[(0, 600)]] * 60)
    assert retention.parts(there.skipped, 100) == [Stretch(100, 160, 30, 0.3)]
    assert retention.parts(there.replayed, 100) == [Stretch(400, 420, 10, 0.1)]


def test_a_part_s_share_is_the_mean_over_its_seconds() -> None:
    there = per_second([[(0, 100), (110, 600)]] * 10 + [[(0, 105), (110, 600)]] * 10)
    assert retention.parts(there.skipped, 20) == [Stretch(100, 110, 15, 0.75)]


def test_what_everybody_does_everywhere_does_not_stand_out() -> None:
    assert retention.parts(np.full(600, 50), 100) == []


@pytest.mark.parametrize("duration_seconds", [0, 1, 3])
def test_a_recording_of_next_to_nothing_has_nothing_that_stands_out(duration_seconds: int) -> None:
    there = per_second([[(0, duration_seconds)]] * 30, duration_seconds)
    assert retention.drop_offs(there, 30) == []
    assert retention.parts(there.skipped, 30) == []
