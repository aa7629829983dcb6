"""An episode's retention: its words and its chart."""

import numpy as np
import pytest

from dashboard import retention, retention_chart, tables, theme
from dashboard.retention import Course
from models.retention import Curve, PerSecond, Retention, Stretch
from tests.heard import Spans, brute_force

ASCII = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{EN DASH}": "-", "\N{MINUS SIGN}": "-"})
MINUTES = 60
HEARD: list[Spans] = [[(0, 600)]] * 60 + [[(0, 200), (260, 600)]] * 24 + [[(0, 402)]] * 10 + [[(0, 100), (70, 600)]] * 6
"""Ten minutes: a quarter skips a minute, a tenth leaves, a few go back."""


def course(playbacks: list[Spans], duration_seconds: int = 600, others: int = 0) -> Course:
    """What is drawn of these playbacks, beside so many other episodes that half the listeners stay with."""
    heard, spanned, repeated = brute_force(playbacks, duration_seconds)
    seconds = PerSecond(heard, spanned - heard, repeated)
    typical = [Curve(np.full(100, 20), 40) for _ in range(others)]
    return retention.course_of(Retention(len(playbacks), seconds, typical))


def said(shown: Course) -> list[str]:
    """Its sentences, as they would be typed."""
    return [sentence.translate(ASCII) for sentence in retention.sentences(shown)]


# -- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "text"),
    [(0, "0:00"), (7, "0:07"), (750, "12:30"), (3599, "59:59"), (3600, "1:00:00"), (7384, "2:03:04")],
)
def test_a_moment_reads_as_in_a_player(second: int, text: str) -> None:
    assert retention.position(second) == text


def test_the_greatest_of_everything_is_said() -> None:
    assert said(course(HEARD)) == [
        "Most leave at 6:40-6:45: 10 % of playbacks end there.",
        "Skipped most: 3:20-4:20, by 24 %.",
        "Played again most: 1:10-1:40, by 6 %.",
        "Half-way, 100 % are listening.",
    ]


def test_the_second_greatest_loss_is_said_too() -> None:
    shown = course([[(0, 600)]] * 70 + [[(0, 12)]] * 20 + [[(0, 300)]] * 10)
    assert said(shown)[0] == "Most leave at 0:10-0:15: 20 % of playbacks end there; next 5:00-5:05, 10 %."


def test_without_anything_that_stands_out_it_says_so_and_compares() -> None:
    assert said(course([[(0, 600)]] * 3, others=3)) == [
        "No part loses many listeners at once.",
        "Half-way, 100 % are listening; in a typical episode of this show, 50 %.",
    ]


def test_half_way_of_the_shortest_recording_can_be_said() -> None:
    assert said(course([[(0, 1)]], 1))[-1] == "Half-way, 100 % are listening."


def test_the_hover_text_leaves_out_what_nobody_does() -> None:
    frame = course(HEARD).frame
    by_second = {row["second"]: retention.hover(row).translate(ASCII) for _, row in frame.iterrows()}
    assert by_second[230] == "<b>3:50</b> - 76 % listening, 24 % skipped"
    assert by_second[80] == "<b>1:20</b> - 100 % listening, 6 % played again"
    assert by_second[590] == "<b>9:50</b> - 90 % listening"
    typical = retention.hover(course(HEARD, others=3).frame.iloc[-1]).translate(ASCII)
    assert typical == "<b>9:58</b> - 90 % listening<br>typical: 50 % listening"


def test_the_caption_names_what_the_shares_are_of() -> None:
    assert "of 100 playbacks" in retention.caption(course(HEARD))
    assert "of the one playback" in retention.caption(course([[(0, 600)]]))
    assert "Dashed" not in retention.caption(course(HEARD))
    assert "Dashed" in retention.caption(course(HEARD, others=3))


def test_the_table_has_every_row_of_the_curve_in_per_cent() -> None:
    table = retention.table(course(HEARD, others=3))
    assert list(table) == list(tables.retention_columns())
    assert table.iloc[115].tolist() == ["3:50", 76.0, 24.0, 0.0, 50.0]
    assert "typical" not in retention.table(course(HEARD))


def test_what_nobody_heard_is_not_drawn() -> None:
    assert not course([]).is_heard
    assert not course([[]]).is_heard
    assert not course([], 0).is_heard


# -- the chart -----------------------------------------------------------------------------------------------------


def test_the_curve_is_the_share_of_playbacks_and_goes_on_to_the_end() -> None:
    line = retention_chart.figure(course(HEARD)).data[0]
    assert (line.name, line.x[0], line.x[-1]) == ("This episode", 0, 600)
    values = dict(zip(line.x, line.y, strict=True))
    assert (values[0], values[230], values[500], values[600]) == (1.0, 0.76, 0.9, 0.9)
    assert len(line.hovertext) == len(line.x)


def test_the_typical_curve_is_dashed_and_only_there_when_there_is_one() -> None:
    assert [line.name for line in retention_chart.figure(course(HEARD)).data] == [
        "This episode",
        "Skipped",
        "Played again",
    ]
    typical = retention_chart.figure(course(HEARD, others=3)).data[1]
    assert (typical.line.dash, list(typical.y)) == ("dash", pytest.approx([0.5] * len(typical.y)))


def test_both_lanes_have_one_scale_that_holds_them() -> None:
    figure = retention_chart.figure(course(HEARD))
    assert figure.layout.yaxis2.range == figure.layout.yaxis3.range == (0, 0.3)
    titles = [note.text for note in figure.layout.annotations if note.font.color == theme.MUTED]
    assert titles == ["Skipped", "Played again"]


def test_drop_offs_are_marked_unless_a_greater_one_is_near() -> None:
    drops = [Stretch(0, 20, 30, 0.3), Stretch(30, 40, 20, 0.2), Stretch(400, 410, 10, 0.1), Stretch(200, 205, 5, 0.05)]
    shown = course(HEARD)
    figure = retention_chart.figure(Course(shown.playbacks, 600, shown.frame, drops, [], []))
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(0, 20), (400, 410), (200, 205)]
    texts = [note for note in figure.layout.annotations if note.font.color == theme.FALL]
    assert [note.text.translate(ASCII) for note in texts] == ["-30 %", "-10 %", "-5 %"]
    assert [note.xanchor for note in texts] == ["left", "right", "left"]


@pytest.mark.parametrize(
    ("duration_seconds", "labels"),
    [
        (3, ["0:00"]),
        (45, ["0:00", "0:10", "0:20", "0:30", "0:40"]),
        (10 * MINUTES, ["0:00", "2:00", "4:00", "6:00", "8:00"]),
        (62 * MINUTES, ["0:00", "20:00", "40:00"]),
        (180 * MINUTES, ["0:00", "1:00:00", "2:00:00"]),
    ],
)
def test_the_axis_reads_as_in_a_player_with_room_for_its_labels(duration_seconds: int, labels: list[str]) -> None:
    figure = retention_chart.figure(course([[(0, duration_seconds)]], duration_seconds))
    assert list(figure.layout.xaxis3.ticktext) == labels
