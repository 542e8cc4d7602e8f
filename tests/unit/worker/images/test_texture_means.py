"""The means of textures, of all kinds of files that materials name."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from worker.images import texture_means as module
from worker.images.texture_means import texture_means

SPLIT = np.zeros((64, 128, 4), np.uint8)
SPLIT[:, :32] = (255, 128, 64, 0)
SPLIT[:, 32:] = (0, 128, 64, 255)


def encoded(picture, kind, **how):
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "TGA", "BMP"])
def test_each_channel_has_the_mean_of_all_of_it(kind):
    data = encoded(Image.fromarray(SPLIT[..., :3]), kind)

    means = texture_means(data, encoded=False)

    assert means == pytest.approx((0.25, 128 / 255, 64 / 255, 1.0), abs=0.01)


def test_colours_are_made_linear_before_the_mean_is_taken():
    data = encoded(Image.fromarray(SPLIT[..., :3]), "PNG")

    means = texture_means(data, encoded=True)

    assert means == pytest.approx((0.25, 0.2159, 0.0513, 1.0), abs=1e-3)


def test_alpha_is_read_where_there_is_any():
    assert texture_means(encoded(Image.fromarray(SPLIT), "PNG"), encoded=True)[3] == 0.75
    grey = Image.fromarray(SPLIT).convert("LA")
    assert texture_means(encoded(grey, "PNG"), encoded=True)[3] == 0.75
    palette = Image.fromarray(SPLIT[..., :3]).quantize(4)
    data = encoded(palette, "PNG", transparency=palette.getpixel((0, 0)))
    assert texture_means(data, encoded=True)[3] == pytest.approx(0.75)


@pytest.mark.parametrize("mode", ["L", "I;16", "1"])
def test_grey_pictures_have_the_same_in_all_channels(mode):
    values = np.zeros((10, 10), np.uint16)
    values[:5] = 65535
    picture = Image.fromarray(values)
    if mode != "I;16":
        picture = Image.fromarray((values >> 8).astype(np.uint8)).convert(mode)

    means = texture_means(encoded(picture, "PNG"), encoded=False)

    assert means == pytest.approx((0.5, 0.5, 0.5, 1.0), abs=1e-3)


def test_a_large_jpeg_is_read_small():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (2048, 2048, 3), np.uint8)

    means = texture_means(encoded(Image.fromarray(noise), "JPEG", quality=95), encoded=False)

    assert means[:3] == pytest.approx(noise.mean(axis=(0, 1)) / 255, abs=0.01)


def test_what_cannot_be_read_or_is_too_large_has_none(monkeypatch):
    whole = encoded(Image.fromarray(SPLIT), "PNG")
    assert texture_means(b"", encoded=True) is None
    assert texture_means(b"no picture at all", encoded=True) is None
    assert texture_means(whole[: len(whole) // 2], encoded=True) is None

    monkeypatch.setattr(module, "MOST_PX", 64 * 128 - 1)
    assert texture_means(whole, encoded=True) is None
