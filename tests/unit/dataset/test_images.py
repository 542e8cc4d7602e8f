"""Pictures come back as they were rendered."""

from __future__ import annotations

import numpy as np
import pytest

from farm.dataset.images import decode
from farm.errors import SpecError

imagecodecs = pytest.importorskip("imagecodecs")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("path", "encode"),
    [("a/b.png", imagecodecs.png_encode), ("a/b.jxl", imagecodecs.jpegxl_encode)],
)
def test_a_picture_is_decoded_as_it_was_rendered(path, encode, dtype):
    pixels = np.arange(8 * 6 * 3).astype(dtype).reshape(6, 8, 3)
    data = encode(pixels, lossless=True) if path.endswith("jxl") else encode(pixels)

    assert np.array_equal(decode(data, path), pixels)


@pytest.mark.parametrize("path", ["images/view.png", "images/view.jxl"])
def test_a_broken_picture_is_named(path):
    with pytest.raises(SpecError, match=f"{path}: cannot be decoded"):
        decode(b"this is no picture", path)


def test_a_file_that_is_no_picture_is_named():
    with pytest.raises(SpecError, match=r"views\.jsonl: not a picture"):
        decode(b"", "views.jsonl")
