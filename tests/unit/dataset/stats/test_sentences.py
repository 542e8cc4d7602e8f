"""Sentences are counted by what they say, and their targets by what they are."""

from __future__ import annotations

import io

import numpy as np
import pytest
from typer.testing import CliRunner

from farm.cli.main import make_app
from farm.dataset.reader import open_dataset
from tests.support.table_views import (
    BLUE_MUG,
    GREEN_BOWL,
    RED_MUG,
    Thing,
    the_one,
    write_table_views,
)

pytest.importorskip("imagecodecs")
Image = pytest.importorskip("PIL.Image")

from farm.dataset.stats.cards import rgb  # noqa: E402  needs Pillow
from farm.dataset.stats.chart import draw_stats  # noqa: E402
from farm.dataset.stats.gather import gather_stats  # noqa: E402
from farm.dataset.stats.sentence_cards import TINTS  # noqa: E402
from farm.dataset.stats.sentences import MOST_WORDS, average  # noqa: E402


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("told") / "tables"
    things = (RED_MUG, BLUE_MUG, GREEN_BOWL)
    records = write_table_views(folder, [things, things], size=(96, 72), passes=("rgb", "mask"))
    return folder, records, gather_stats(open_dataset(folder), workers=1)


def test_sentences_are_counted_by_what_they_say(told):
    """In each of 4 views: the red mug, the blue mug, the green bowl, the mug nearest to the green
    bowl, the purple mug.
    """
    _folder, _records, stats = told
    found = stats.sentences

    assert (found.sentences, found.views, found.negatives) == (20, 4, 4)
    assert (found.without_target, found.several_targets, found.paraphrases) == (4, 0, 0)
    assert found.kinds == {"attribute": 12, "nearest": 4, "none": 4}
    assert found.levels == {"1": 12, "2": 4, "3": 4}
    assert found.nouns == {"mug": 16, "bowl": 8}
    assert found.colours == {"green": 8, "red": 4, "blue": 4, "purple": 4}
    assert found.target_nouns == {"mug": 12, "bowl": 4}
    assert found.target_colours == {"red": 4, "blue": 8, "green": 4}
    assert found.rivals == {"0": 4, "1": 12}
    assert found.per_view == {"5": 4}
    assert found.length == {"3": 16, "7": 4}
    assert found.words == {
        "the": 24, "mug": 16, "green": 8, "bowl": 8, "red": 4, "blue": 4, "nearest": 4, "to": 4,
        "purple": 4,
    }  # fmt: skip
    assert found.vocabulary == 9


def test_shares_are_those_of_the_targets(told):
    _folder, records, stats = told
    shares = [
        record.objects[at].area_px / (96 * 72)
        for record in records
        for each in record.expressions
        for at in each.targets
    ]

    found = stats.sentences.target_share

    assert found.mean == pytest.approx(np.mean(shares), abs=1e-5)
    assert sum(found.counts) == len(shares) == 16
    assert max(shares) <= found.high < 2 * max(shares)
    expected, _ = np.histogram(shares, len(found.counts), (0, found.high))
    assert np.abs(np.cumsum(expected) - np.cumsum(found.counts)).max() <= 4  # by a bar's edge


def test_a_target_that_is_not_measured_is_counted_so(tmp_path):
    write_table_views(
        tmp_path, [(RED_MUG, Thing("can", None))], views=1, size=(48, 36), passes=("mask",),
        sentences=lambda objects: (
            the_one(objects, 1).model_copy(
                update={"targets": (1, 2, 7), "text": "Both: don't sort!", "source": "paraphrase"}
            ),
        ),
    )  # fmt: skip

    found = gather_stats(open_dataset(tmp_path), workers=1).sentences

    assert found.target_colours == {"red": 1, "none told": 1}
    assert (found.several_targets, found.paraphrases) == (1, 1)
    assert found.words == {"both": 1, "don't": 1, "sort": 1}


def test_the_words_that_are_written_down_end_somewhere(tmp_path):
    def wordy(objects):
        one = the_one(objects, 1)
        return (one.model_copy(update={"text": " ".join(f"w{at}" for at in range(3000))}), one)

    write_table_views(tmp_path, [(RED_MUG,)], views=1, size=(24, 18), passes=("mask",),
                      sentences=wordy)  # fmt: skip

    found = gather_stats(open_dataset(tmp_path), workers=1).sentences

    assert found.vocabulary == 3003
    assert len(found.words) == MOST_WORDS


def test_a_dataset_without_sentences_says_nothing_of_them(tmp_path):
    write_table_views(tmp_path, size=(24, 18), passes=("mask",), sentences=lambda _objects: ())

    assert gather_stats(open_dataset(tmp_path), workers=1).sentences is None


def test_the_chart_has_bars_in_the_colours_that_are_said(told):
    _folder, _records, stats = told

    whole = np.asarray(Image.open(io.BytesIO(draw_stats(stats, title="a", subtitle="b"))))
    without = stats.model_copy(update={"sentences": None})
    plain = np.asarray(Image.open(io.BytesIO(draw_stats(without, title="a", subtitle="b"))))

    assert len(whole) > len(plain) + 1000
    for colour, there in (("red", True), ("purple", True), ("pink", False)):
        assert bool((whole == rgb(TINTS[colour])).all(axis=-1).sum() > 1000) is there
        assert (plain == rgb(TINTS[colour])).all(axis=-1).sum() == 0


def test_averages_are_of_what_was_counted():
    assert average({"1": 3, "5": 1}) == 2.0
    assert average({}) == 0.0


def test_the_terminal_shows_what_is_said(told, tmp_path, monkeypatch):
    folder, _records, _stats = told
    monkeypatch.setenv("COLUMNS", "80")

    words = ["dataset", "stats", str(folder), "--out", str(tmp_path / "s.png")]
    done = CliRunner().invoke(make_app(), words)

    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["KIND", "LEVEL", "NOUN", "COLOUR"] in lines
    assert ["attribute", "12", "1", "12", "mug", "16", "green", "8"] in lines
    assert "20 sentences in 4 views  ·  4 negatives" in done.stdout
    assert max(map(len, done.stdout.splitlines()[:12])) <= 100
