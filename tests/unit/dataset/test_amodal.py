"""Whole silhouettes of a dataset: read as masks, held against records, drawn, at other sizes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from farm.arrays import encode_rows
from farm.dataset.images import DecodeError
from farm.dataset.preview.tiles import view_tiles
from farm.dataset.reader import open_dataset
from farm.dataset.verify.verify import verify
from farm.runs import drawn, mask_of, masks_of, resized, rows_of, runs_of
from tests.support.datasets import write_dataset

PASSES = ("rgb", "mask", "index", "amodal")
SIZE = (7, 5)


@pytest.fixture
def balls(tmp_path: Path) -> Path:
    """Two balls, one before the other in the second view."""
    write_dataset(tmp_path, views=3, objects=2, passes=PASSES)
    return tmp_path


def masks(seed: int, count: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).random((count, SIZE[1], SIZE[0])) < 0.5


def test_masks_that_overlap_come_back_as_they_were():
    for seed in range(20):
        wanted = masks(seed)

        rows = runs_of(enumerate(wanted))

        assert (masks_of(rows, 4, SIZE) == wanted).all()
        assert all((mask_of(rows, place, SIZE) == wanted[place]).all() for place in range(4))


@pytest.mark.parametrize(
    ("mask", "runs"),
    [
        pytest.param(np.zeros((5, 7), bool), [], id="nothing"),
        pytest.param(np.ones((5, 7), bool), [(0, 35)], id="all"),
        pytest.param(np.eye(2, dtype=bool), [(0, 1), (3, 1)], id="corners"),
        pytest.param(np.array([[False, True], [True, False]]), [(1, 2)], id="around a row's end"),
    ],
)
def test_runs_are_counted_row_by_row_from_the_top_left(mask, runs):
    rows = rows_of(3, mask)

    assert [(int(row["start"]), int(row["length"])) for row in rows] == runs
    assert set(rows["object"]) <= {3}


def test_a_view_gives_the_silhouettes_of_its_objects(balls: Path):
    hidden = 0
    for view in open_dataset(balls):
        whole, index = view.silhouettes(), view["index"]
        assert whole.shape == (2, 48, 64)
        for place, label in enumerate(view.record.objects):
            assert (view.silhouette(place) == whole[place]).all()
            seen = np.isin(index, label.indices)
            assert (whole[place] | ~seen).all()
            assert label.amodal_area_px == whole[place].sum()
            hidden += int((whole[place] & ~seen).sum())
    assert hidden > 20, "in one of them a ball is behind the other"


def rewrite(folder: Path, at: int, change) -> None:
    """Change the silhouettes of a view, and record them as if they had been made so."""
    rows = change(open_dataset(folder)[at]["amodal"].copy())
    data = encode_rows(rows)
    lines = [json.loads(line) for line in (folder / "views.jsonl").read_text().splitlines()]
    entry = lines[at]["files"]["amodal"]
    (folder / entry["path"]).write_bytes(data)
    entry |= {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    (folder / "views.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def set_first(field: str, value: int):
    def change(rows):
        rows[field][0] = value
        return rows

    return change


CHANGES = {
    "none": (lambda rows: rows, ""),
    "a run less": (lambda rows: rows[1:], "are seen outside of its silhouette"),
    "another object": (set_first("object", 9), "objects that the record has not: [9]"),
    "beyond the picture": (set_first("start", 64 * 48), "leaves the picture of 64 x 48"),
    "too long": (set_first("length", 2**32 - 1), "leaves the picture of 64 x 48"),
    "doubled": (lambda rows: np.repeat(rows, 2), "are not in order, or overlap"),
    "nothing": (lambda rows: rows[:0], "has 0 pixels in None, but its record says"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_verify_finds_silhouettes_that_contradict_the_record_or_the_index(balls: Path, kind: str):
    change, sentence = CHANGES[kind]
    rewrite(balls, 1, change)

    [result] = [each for each in verify(open_dataset(balls), workers=1).checks
                if each.check == "amodal"]  # fmt: skip

    assert result.looked_at == 3
    assert not result.is_note
    assert sentence in " ".join(result.examples)
    assert bool(result.found) == bool(sentence)


def test_verify_finds_a_share_that_the_passes_do_not_have(balls: Path):
    lines = [json.loads(line) for line in (balls / "views.jsonl").read_text().splitlines()]
    lines[0]["objects"][1]["visible_fraction"] = 0.123
    (balls / "views.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    [result] = [each for each in verify(open_dataset(balls), workers=1).checks
                if each.check == "amodal"]  # fmt: skip

    assert result.found == 1
    assert "its record says 0.123" in result.examples[0]


def test_a_silhouette_that_leaves_the_picture_is_refused_with_its_file(balls: Path):
    rewrite(balls, 0, set_first("length", 2**31))

    with pytest.raises(DecodeError, match=r"amodal/.*\.npz: a run of object 0 leaves the picture"):
        open_dataset(balls)[0].silhouettes()


def test_a_preview_outlines_each_silhouette_and_shows_what_is_behind(balls: Path):
    view = open_dataset(balls)[1]

    [tile] = [tile for tile in view_tiles(view, side_px=64) if tile.title == "amodal"]

    assert tile.note == "2 silhouettes"
    colours = {label.colour for label in view.record.indices}
    shown = np.asarray(tile.picture)
    assert colours <= {tuple(colour) for colour in shown.reshape(-1, 3).tolist()}
    whole = view.silhouettes()
    assert not shown[~whole.any(axis=0)].any()
    assert shown[whole.any(axis=0)].any(axis=-1).all()


def test_what_is_drawn_smaller_keeps_its_outlines():
    mask = np.zeros((40, 60), bool)
    mask[4:36, 6:50] = True

    picture = drawn(runs_of([(0, mask)]), (60, 40), lambda _: (200, 100, 0), step=4)

    assert picture.shape == (10, 15, 3)
    outline = (picture == (200, 100, 0)).all(axis=-1)
    assert outline.sum() == 2 * (8 + 11) - 4


@pytest.mark.parametrize("new", [(14, 10), (3, 2), SIZE])
def test_at_another_size_each_pixel_is_the_nearest_one(new):
    wanted = masks(3)

    found = masks_of(resized(runs_of(enumerate(wanted)), SIZE, new), 4, new)

    for v in range(new[1]):
        for u in range(new[0]):
            old = wanted[:, int((v + 0.5) * SIZE[1] / new[1]), int((u + 0.5) * SIZE[0] / new[0])]
            assert (found[:, v, u] == old).all()
