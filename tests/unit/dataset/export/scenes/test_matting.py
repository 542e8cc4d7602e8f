"""What trainers of mattes read: the object's own colour, its alpha, and what is behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import farm.dataset
from farm.dataset.export.passes.alpha_bleeding import alpha_bled
from farm.dataset.splits.split import split_dataset
from farm.errors import SpecError
from tests.support.datasets import give_lens
from tests.support.lenses import LENSES
from tests.support.sequences import write_sequences
from tests.unit.dataset.export.pictures import run
from tests.unit.dataset.export.scenes.shared import (
    add_cutouts,
    change_records,
    put_pass,
    write_object,
)

FOLDERS = ("fgr", "pha")


def assert_shows(colour: np.ndarray, alpha: np.ndarray, cutout: np.ndarray) -> None:
    """Colour and alpha are a cutout's, wherever it shows anything."""
    np.testing.assert_array_equal(alpha, cutout[..., 3])
    np.testing.assert_array_equal(colour[alpha > 0], cutout[..., :3][alpha > 0])


@pytest.mark.parametrize("bits", [8, 16])
def test_the_object_its_alpha_and_what_is_behind_are_apart(tmp_path: Path, bits):
    write_object(tmp_path / "d", views=3)
    wanted = add_cutouts(tmp_path / "d", bits=bits)

    run(tmp_path / "d", tmp_path / "o", "matting")

    for view in farm.dataset.open(tmp_path / "d"):
        image, fg, alpha, bg = (
            np.asarray(Image.open(tmp_path / f"o/train/{folder}/{view.name}.png"))
            for folder in ("image", "fg", "alpha", "bg")
        )
        assert_shows(fg, alpha, wanted[view.name])
        np.testing.assert_array_equal(bg, view["background"])
        np.testing.assert_array_equal(image, view["rgb"])
        assert alpha.ndim == 2


def test_any_camera_and_any_light_will_do(tmp_path: Path):
    write_object(tmp_path / "d", views=3)
    add_cutouts(tmp_path / "d")
    give_lens(tmp_path / "d", LENSES["orthographic"])

    assert run(tmp_path / "d", tmp_path / "o", "matting").views == 3


def test_who_lacks_a_pass_is_told_which(tmp_path: Path):
    write_object(tmp_path / "d", views=3)

    for to in ("matting", "rvm"):
        with pytest.raises(SpecError, match=f"an export to {to} needs the pass foreground: not al"):
            run(tmp_path / "d", tmp_path / "o", to)


@pytest.mark.parametrize(("name", "between"), [("d", " "), ("red cup", "|")])
def test_a_list_says_which_background_goes_with_which_foreground(tmp_path: Path, name, between):
    """PaddleSeg reads a line as a foreground and a background, and finds alpha beside `/fg`."""
    for folder in (name, "other"):
        write_object(tmp_path / "both" / folder, views=2)
        add_cutouts(tmp_path / "both" / folder)

    done = run(tmp_path / "both", tmp_path / "o", "matting")

    lines = (tmp_path / "o/train.txt").read_text().splitlines()
    assert len(lines) == 4
    for line in lines:
        fg, bg = (tmp_path / "o" / path for path in line.split(between))
        alpha = Path(str(fg).replace("/fg", "/alpha"))
        assert fg.name == bg.name == alpha.name
        assert fg.is_file()
        assert bg.is_file()
        assert alpha.is_file()
    assert any("separator='|'" in note for note in done.notes) == (between == "|")


def test_pictures_of_portraits_are_found_by_the_names_of_their_mattes(tmp_path: Path):
    """P3M opens `<name>.jpg` of picture and background, and the matte's own name of foregrounds."""
    write_object(tmp_path / "d", views=2)
    add_cutouts(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "o", "matting", image_format="jpg")

    for alpha in (tmp_path / "o/train/alpha").iterdir():
        assert (tmp_path / "o/train/fg" / alpha.name).is_file()
        for folder in ("image", "bg"):
            assert (tmp_path / f"o/train/{folder}" / alpha.stem).with_suffix(".jpg").is_file()


def test_rvm_gets_foregrounds_and_mattes_of_one_name(tmp_path: Path):
    """Its `ImageMatteDataset` lists `fgr`, and opens the same names in `pha`."""
    write_object(tmp_path / "d", views=3)
    wanted = add_cutouts(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "o", "rvm", image_format="jpg")

    names = sorted(path.name for path in (tmp_path / "o/train/fgr").iterdir())
    assert names == [f"{name}.png" for name in sorted(wanted)]
    for name in names:
        fgr, pha = (np.asarray(Image.open(tmp_path / f"o/train/{at}/{name}")) for at in FOLDERS)
        assert_shows(fgr, pha, wanted[Path(name).stem])
    for folder in ("bgr", "com"):
        assert len(list((tmp_path / f"o/train/{folder}").glob("*.jpg"))) == 3


def test_rvm_gets_sequences_as_clips_whose_names_sort_in_time(tmp_path: Path):
    """Its `VideoMatteDataset` sorts the clips of `fgr`, and the frames of each."""
    records = write_sequences(tmp_path / "d", frames=12, passes=("rgb", "mask"), size=(16, 16))
    wanted = add_cutouts(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "o", "rvm")

    clips = sorted(path.name for path in (tmp_path / "o/train/fgr").iterdir())
    assert len(clips) == 2
    for clip in clips:
        names = sorted(path.name for path in (tmp_path / "o/train/fgr" / clip).iterdir())
        assert len(names) == 12
        frames = sorted(
            (record.view.moment.place, record.view.name)
            for record in records
            if record.view.name.replace("/", "-").startswith(clip)
        )
        for (_place, view), name in zip(frames, names, strict=True):
            fgr, pha, com = (
                np.asarray(Image.open(tmp_path / f"o/train/{at}/{clip}/{name}"))
                for at in (*FOLDERS, "com")
            )
            assert_shows(fgr, pha, wanted[view])
            assert com.shape == fgr.shape
    assert sorted(path.name for path in (tmp_path / "o/train/bgr").iterdir()) == clips


def test_rvm_takes_no_pictures_on_their_own_beside_sequences(tmp_path: Path):
    write_sequences(tmp_path / "d/a", sequences=1, passes=("rgb", "mask"), size=(16, 16))
    write_object(tmp_path / "d/b", views=2)
    for folder in "ab":
        add_cutouts(tmp_path / "d" / folder)

    with pytest.raises(SpecError, match="is a picture on its own, and rvm holds"):
        run(tmp_path / "d", tmp_path / "o", "rvm")


def test_a_split_has_clips_of_its_own(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=3, passes=("rgb", "mask"), size=(16, 16))
    add_cutouts(tmp_path / "d")
    split_dataset(farm.dataset.open(tmp_path / "d"), {"train": 0.6, "val": 0.4}, by="group", seed=1)

    run(tmp_path / "d", tmp_path / "o", "rvm")

    clips = {
        split: {path.name for path in (tmp_path / f"o/{split}/fgr").iterdir()}
        for split in ("train", "val")
    }
    assert not clips["train"] & clips["val"]
    assert len(clips["train"] | clips["val"]) == 3


def a_disc(size: tuple[int, int]) -> np.ndarray:
    """A cutout with a hard edge, of one colour."""
    y, x = np.mgrid[: size[1], : size[0]]
    there = (x - 20) ** 2 + (y - 25) ** 2 < 150
    return np.where(there[..., None], [200, 90, 30, 255], 0).astype(np.uint8)


@pytest.mark.parametrize("size", [(64, 64), (63, 47)])
def test_colours_go_on_beyond_edges_so_that_resizing_darkens_none(tmp_path: Path, size):
    """Robust Video Matting, GCA-Matting and others resize colour and alpha apart."""
    write_object(tmp_path / "d", views=2, size=size)
    add_cutouts(tmp_path / "d")
    cutout = a_disc(size)
    change_records(
        tmp_path / "d", lambda _at, line: put_pass(tmp_path / "d", line, "foreground", cutout)
    )

    run(tmp_path / "d", tmp_path / "o", "rvm")

    colour, alpha = (Image.open(next((tmp_path / f"o/train/{at}").iterdir())) for at in FOLDERS)
    small = (size[0] // 2 - 3, size[1] // 2 - 3)
    shown, share = np.asarray(colour.resize(small)), np.asarray(alpha.resize(small))
    assert ((share > 0) & (share < 255)).any()
    assert (shown[share > 0] == (200, 90, 30)).all()


def test_where_there_is_no_object_colours_stay_as_they_are():
    nothing = np.zeros((5, 3, 4), np.uint8)

    np.testing.assert_array_equal(alpha_bled(nothing), nothing[..., :3])
