"""What a person should know of a view's light."""

from __future__ import annotations

import numpy as np
import pytest

from farm.soundness import ill_lit, lengths_of, strange_picture


def a_picture(model: int, *, rest: int = 128, dtype: type = np.uint8) -> np.ndarray:
    """A grey model of 10 x 10 pixels before another grey."""
    pixels = np.full((20, 20, 3), rest * np.iinfo(dtype).max // 255, dtype)
    pixels[:10, :10] = model * np.iinfo(dtype).max // 255
    return pixels


COVERED = np.zeros((20, 20), np.bool_)
COVERED[:10, :10] = True


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("model", "how"), [(0, "black"), (6, "black"), (12, None), (128, None), (252, "clipped")]
)
def test_a_model_that_is_black_or_clipped_is_told(model, how, dtype):
    assert ill_lit(a_picture(model, dtype=dtype), COVERED) == how


def test_a_few_pixels_that_show_something_do_not_help_and_more_do():
    pixels = a_picture(0)
    pixels[0, :2] = 200
    assert ill_lit(pixels, COVERED) == "black"

    pixels[0, 2] = 200
    assert ill_lit(pixels, COVERED) is None


def test_what_is_behind_does_not_count():
    assert ill_lit(a_picture(128, rest=255), COVERED) is None
    assert ill_lit(a_picture(0), np.zeros_like(COVERED)) is None


def test_a_saturated_colour_is_not_clipped():
    pixels = a_picture(0)
    pixels[:10, :10] = (255, 30, 20)

    assert ill_lit(pixels, COVERED) is None


def test_a_white_picture_is_told_with_its_remedy():
    white, grey = (np.full((4, 4, 3), level, np.uint8) for level in (255, 9))

    assert strange_picture(white, may_be_empty=False).endswith("take exposure: auto")
    assert "exposure" not in strange_picture(grey, may_be_empty=False)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lengths_are_those_of_numpy_to_the_bit(dtype):
    vectors = np.random.default_rng(4).normal(0.0, 30.0, (40, 30, 3)).astype(dtype)
    vectors[:10], vectors[10, 0], vectors[11, 0] = 0.0, np.nan, np.inf

    found = lengths_of(vectors)

    assert found.tobytes() == np.linalg.norm(vectors, axis=-1).tobytes()
