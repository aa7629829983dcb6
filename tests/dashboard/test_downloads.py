"""What the page makes of downloads before it draws them."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.measurement.rules import OUTCOMES
from dashboard import countries, download_charts, download_shares, formats, outcome_texts
from models import metrics


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=13))
def test_percentages_add_up_to_a_hundred(counts: list[int]) -> None:
    shares = download_shares.percentages(counts)
    assert round(sum(shares) * 10) == (1000 if sum(counts) else 0)
    for count, share in zip(counts, shares, strict=True):
        assert abs(share - 100 * count / max(1, sum(counts))) <= 0.1


def test_what_is_there_is_never_said_to_be_nothing() -> None:
    assert download_shares.said([995, 4, 1, 0]) == ["100 %", "< 1 %", "< 1 %", "0 %"]


def test_what_a_card_has_no_room_for_is_one_bar_and_the_sum_stays() -> None:
    frame = pd.DataFrame({"name": list("abcdef"), "downloads": [9, 8, 7, 3, 2, 1]})
    cut = download_shares.top(frame, 4)
    assert cut["name"].tolist() == ["a", "b", "c", "3 others"]
    assert cut["downloads"].tolist() == [9, 8, 7, 6]
    assert download_shares.top(frame, 6) is frame


@pytest.mark.parametrize(
    ("code", "name"), [("DE", "Germany"), ("KR", "South Korea"), ("gb", "United Kingdom"), ("XX", "XX"), ("T1", "T1")]
)
def test_countries_have_the_names_that_people_use(code: str, name: str) -> None:
    assert countries.name_of(code) == name


def test_every_outcome_of_the_rules_has_words() -> None:
    assert set(outcome_texts.OUTCOMES) == set(OUTCOMES)
    assert outcome_texts.text_of("some_new_cause").title == "Some new cause"


def test_devices_have_names() -> None:
    assert [outcome_texts.device_name(value) for value in ("phone", "tv", "")] == ["Phone", "TV", "Unknown"]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (812, "812 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (9_600_000, "9.6 MB"),
        (999_600_000, "1.0 GB"),
        (120_000_000_000, "120 GB"),
        (5e18, "5,000 PB"),
    ],
)
def test_bytes_are_said_in_the_unit_that_fits(size: float, text: str) -> None:
    assert formats.value(metrics.SENT_BYTES, size) == text


def test_a_title_s_markup_is_text_above_its_bar() -> None:
    figure = download_charts.bars(pd.Series(["<b>Loud</b>", "Still"]), pd.Series([3, 1]), ["75 %", "25 %"])
    texts = [annotation.text for annotation in figure.layout.annotations]
    assert texts == ["&lt;b&gt;Loud&lt;/b&gt;", "<b>3</b>  75 %", "Still", "<b>1</b>  25 %"]


@pytest.mark.parametrize(("highest", "step"), [(1, 1), (4, 1), (5, None), (2_000, None)])
def test_there_is_no_half_a_download(highest: int, step: int | None) -> None:
    days = pd.DataFrame({"day": ["2026-11-01", "2026-11-02"], "downloads": [0, highest]})
    assert download_charts.per_day(days).layout.yaxis.dtick == step
