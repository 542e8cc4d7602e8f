"""What trainers of mattes read: the object's own colour, its alpha, and what is behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import farm.dataset
from farm.errors import SpecError
from tests.support.datasets import give_lens
from tests.support.lenses import LENSES
from tests.unit.dataset.export.pictures import run
from tests.unit.dataset.export.scenes.shared import add_cutouts, write_object


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
        np.testing.assert_array_equal(np.dstack([fg, alpha]), wanted[view.name])
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

    with pytest.raises(SpecError, match="an export to matting needs the pass foreground: not all"):
        run(tmp_path / "d", tmp_path / "o", "matting")
