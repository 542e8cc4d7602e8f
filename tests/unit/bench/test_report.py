"""The page of speeds: what its rows and its plot say."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from bench.paired_jobs import Rounds
from bench.report import Effort, Row, Section, Unavailable, measured, page
from bench.report_plot import Bar, draw

ROW = Row("40 views", "another tool", "views/s", ours=(4.0, 6.0, 9.0), theirs=(2.0, 2.0, 2.0))
EFFORT = Effort(Rounds(3), small=True)


def test_a_row_tells_ratios_of_the_same_round() -> None:
    assert ROW.ratios == (2.0, 3.0, 4.5)
    assert ROW.line == (
        "| 40 views | another tool | 6.00 (4.00 to 9.00) views/s | 2.00 (2.00 to 2.00) views/s "
        "| **3.00 (2.00 to 4.50) x** |"
    )


def test_a_page_has_a_table_of_each_peer_and_says_what_is_unfair() -> None:
    def measure(_effort: Effort) -> Iterator[Row]:
        yield ROW

    rows, text = measured(Section("Another tool", "It is older.", 1.0, measure), EFFORT)
    assert rows == [ROW]
    whole = page([text], took_min=12.4, rounds=3)
    assert "it took 12 minutes" in whole
    assert whole.index("report.svg") < whole.index(ROW.line) < whole.index("It is older.")


def test_a_peer_that_cannot_be_measured_is_left_out_with_the_reason() -> None:
    def measure(_effort: Effort) -> Iterator[Row]:
        raise Unavailable("BlenderProc needs Python 3.11, which is not here")
        yield ROW

    rows, text = measured(Section("BlenderProc", "", 1.0, measure), EFFORT)
    assert not rows
    assert "Not measured: BlenderProc needs Python 3.11" in text


def test_rounds_end_when_there_is_no_time_for_one_more() -> None:
    assert list(Rounds(3)) == [0, 1, 2]
    assert list(Rounds(3, until_s=time.monotonic() - 1)) == [0]


def test_bars_are_as_long_as_their_ratios_on_a_scale_of_doublings() -> None:
    bars = [Bar("twice", (2.0,)), Bar("eight times", (8.0,)), Bar("half < 1", (0.5,))]
    root = ET.fromstring(draw(bars))
    _page, twice, eight, half = root.iter("{http://www.w3.org/2000/svg}rect")
    assert abs(float(eight.get("width", "")) / float(twice.get("width", "")) - 3) < 0.01
    assert abs(float(half.get("width", "")) - float(twice.get("width", ""))) < 0.2
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"twice", "half < 1", "8 x", "0.5 x"} <= set(texts)
