"""What counts as a picture, and what does not."""

from __future__ import annotations

import numpy as np
import pytest

from farm.errors import OutOfFrameError, UnusablePictureError
from farm.ledger.policy import CAUSES
from worker.images.encode import decode, encode
from worker.images.multilayer import Passes
from worker.render.writers.checks import check_label, check_passes, check_pixels, check_same, joined


def some_passes() -> Passes:
    """A grey square before a bright sky."""
    combined = np.zeros((16, 16, 4), np.float32)
    combined[4:12, 4:12] = (0.2, 0.3, 0.4, 1.0)
    behind = np.full((16, 16, 3), 0.8, np.float32)
    behind[4:12, 4:12] = 0.0
    return Passes({"Combined": combined, "Environment": behind}, sample_s=0.0)


def some_pixels(kind=np.uint8) -> dict:
    rgb = np.zeros((16, 16, 3), kind)
    rgb[3:9] = np.iinfo(kind).max
    mask = np.zeros((16, 16), kind)
    mask[4:12, 4:12] = np.iinfo(kind).max
    return {"rgb": rgb, "mask": mask}


def check(passes: Passes, **changes) -> None:
    check_passes(passes, **({"bit_depth": 8, "allow_empty": False} | changes))


def test_a_model_before_its_background_counts():
    passes = some_passes()

    check(passes)
    check_pixels(some_pixels(), passes.alpha, bit_depth=8)


def test_a_picture_without_its_model_is_named_unless_it_is_allowed():
    passes = some_passes()
    passes.layers["Combined"][:] = 0.0

    with pytest.raises(OutOfFrameError, match="allow_empty_masks"):
        check(passes)
    check(passes, allow_empty=True)


def test_coverage_that_16_bits_can_tell_is_not_empty():
    passes = some_passes()
    passes.layers["Combined"][:] *= np.float32(0.001)

    check(passes, bit_depth=16)
    with pytest.raises(OutOfFrameError):
        check(passes, bit_depth=8)


@pytest.mark.parametrize(
    ("layer", "place", "value", "said"),
    [
        pytest.param("Combined", np.s_[5, 5, 1], np.nan, "not numbers", id="a pixel"),
        pytest.param("Environment", np.s_[0, 0, 0], np.nan, "not numbers", id="the sky"),
        pytest.param("Combined", np.s_[..., 3], 1.5, "runs from", id="too much alpha"),
        pytest.param("Combined", np.s_[5, 5, 3], -1.0, "runs from", id="too little alpha"),
    ],
)
def test_a_render_that_cannot_be_right_does_not_count(layer, place, value, said):
    passes = some_passes()
    passes.layers[layer][place] = value

    with pytest.raises(UnusablePictureError, match=said):
        check(passes)


def test_a_background_that_shows_through_the_whole_model_does_not_count():
    passes = some_passes()
    passes.layers["Combined"][..., :3] = 0.0
    check(passes)  # a black model

    passes.layers["Environment"][:] = 0.8
    with pytest.raises(UnusablePictureError, match="only the background"):
        check(passes)


def test_a_sky_as_bright_as_the_sun_counts():
    passes = some_passes()
    passes.layers["Environment"][0, 0] = np.inf

    check(passes)


def test_a_picture_of_one_colour_does_not_count_unless_it_shows_nothing():
    alpha, pixels = some_passes().alpha, some_pixels()
    pixels["rgb"][:] = 7

    with pytest.raises(UnusablePictureError, match=r"one flat colour, \(7, 7, 7\)"):
        check_pixels(pixels, alpha, bit_depth=8)
    pixels["mask"][:] = 0
    check_pixels(pixels, np.zeros_like(alpha), bit_depth=8)


def test_a_mask_that_is_not_the_alpha_does_not_count():
    pixels = some_pixels()
    pixels["mask"] = pixels["mask"] // 2

    with pytest.raises(
        UnusablePictureError, match=r"the mask covers 0\.125 of the picture, not 0\.25"
    ):
        check_pixels(pixels, some_passes().alpha, bit_depth=8)


@pytest.mark.parametrize("format_", ["png", "jxl"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("name", ["rgb", "mask"])
def test_a_file_must_give_its_pixels_back(format_, kind, name):
    pixels = some_pixels(kind)[name]
    data = encode(pixels, format=format_)

    check_same(name, pixels, lambda: decode(data, format=format_))
    for other in (pixels[:8], pixels + kind(1), pixels.astype(np.float32)):
        with pytest.raises(UnusablePictureError):
            check_same(name, other, lambda: decode(data, format=format_))
    with pytest.raises(UnusablePictureError, match=r"decoded|other pixels"):
        check_same(name, pixels, lambda: decode(data[: len(data) // 2], format=format_))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("depth", 0.0, "at, or behind, the camera"),
        ("distance", float("nan"), "NaN 1 time"),
        ("position", float("nan"), "NaN 3 times"),
        ("uv", float("inf"), "infinite 2 times"),
        ("normal", 0.9, "not of length 1"),
    ],
)
def test_a_label_that_cannot_be_does_not_count(name, value, said):
    sides = {"depth": (4, 4), "distance": (4, 4), "uv": (4, 4, 2)}.get(name, (4, 4, 3))
    label = np.zeros(sides, np.float32) + (np.inf if name in ("depth", "distance") else 0)
    check_label(name, label)
    label[1, 1] = (value, 0, 0) if name == "normal" else value

    with pytest.raises(UnusablePictureError, match=f"{name} .*{said}"):
        check_label(name, label)


def test_views_that_fail_for_one_reason_are_told_together():
    unfit = {f"view_{n:02d}": OutOfFrameError("out of the frame") for n in range(30)}

    error = joined("sheet.blend", unfit, views=31)

    assert isinstance(error, OutOfFrameError)
    assert str(error).startswith("sheet.blend, view_00, view_01")
    assert str(error).endswith(
        "view_19 and 10 more: out of the frame (1 other view of this task kept)"
    )


def test_a_view_that_may_come_out_right_is_tried_again():
    unfit = {"view_0": OutOfFrameError("out of the frame"), "view_1": UnusablePictureError("black")}

    error = joined("sheet.blend", unfit, views=2)

    assert CAUSES[error.cause].cap > 1
    assert str(error) == "sheet.blend, view_0: out of the frame; view_1: black"


def test_a_fisheye_may_see_behind_its_own_plane():
    depth = np.full((4, 4), -0.5, np.float32)
    depth[0] = np.inf

    check_label("depth", depth, sees_behind=True)
    with pytest.raises(UnusablePictureError, match=r"depth is at, .* the camera at 12 pixels"):
        check_label("depth", depth)
    with pytest.raises(UnusablePictureError, match="distance is at, or behind"):
        check_label("distance", depth, sees_behind=True)
    with pytest.raises(UnusablePictureError, match=r"depth is at, .* the camera at 4 pixels"):
        check_label("depth", -np.abs(depth), sees_behind=True)
