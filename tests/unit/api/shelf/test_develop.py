"""Small pictures of environments, as their files mean them."""

from __future__ import annotations

import imagecodecs
import numpy as np
import OpenEXR
import pytest

from farm.api.shelf.develop import UndevelopedError, develop, read, tone_mapped

DARK, BRIGHT, RED = (10, 10, 10, 129), (200, 200, 200, 129), (200, 10, 10, 129)


def radiance(pixels, axes="-Y {0} +X {1}", kind="32-bit_rle_rgbe"):
    """Return a flat Radiance picture of (rows, width, 4) bytes."""
    line = axes.format(*pixels.shape[:2])
    return f"#?RADIANCE\nFORMAT={kind}\n\n{line}\n".encode() + pixels.tobytes()


def scene():
    """(4, 12, 4): bright above and dark below, with red on the left, as one sees it."""
    pixels = np.zeros((4, 12, 4), np.uint8)
    pixels[:2], pixels[2:] = BRIGHT, DARK
    pixels[:, :3] = RED
    return pixels


@pytest.mark.parametrize(
    ("axes", "stored"),
    [
        pytest.param("-Y {0} +X {1}", scene(), id="usual"),
        pytest.param("+Y {0} +X {1}", scene()[::-1], id="upside down"),
        pytest.param("-Y {0} -X {1}", scene()[:, ::-1], id="mirrored"),
        pytest.param("+X {0} -Y {1}", scene().transpose(1, 0, 2), id="by columns"),
    ],
)
def test_environments_are_shown_upright(tmp_path, axes, stored):
    path = tmp_path / "sky.hdr"
    path.write_bytes(radiance(np.ascontiguousarray(stored), axes))

    pixels = read(path, ".hdr")
    assert pixels.shape == (4, 12, 3)
    assert pixels[0, 6].min() > 10 * pixels[3, 6].max()
    assert pixels[3, 0, 0] > 10 * pixels[3, 0, 2]


def test_white_of_xyz_is_white(tmp_path):
    path = tmp_path / "sky.hdr"
    path.write_bytes(
        radiance(np.full((4, 12, 4), (100, 100, 100, 129), np.uint8), kind="32-bit_rle_xyze")
    )

    pixels = read(path, ".hdr")
    assert np.allclose(pixels, pixels[..., :1], rtol=2e-3)


@pytest.mark.parametrize(
    "prefix", [pytest.param("", id="plain"), pytest.param("ViewLayer.Combined.", id="in a layer")]
)
def test_exr_files_are_shown_by_the_layer_that_is_the_picture(tmp_path, prefix):
    path = tmp_path / "sky.exr"
    planes = {
        f"{prefix}{sign}": np.full((8, 16), value, np.float16)
        for sign, value in zip("RGB", (4, 2, 1), strict=True)
    }
    planes["Z"] = np.zeros((8, 16), np.float32)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, planes).write(str(path))

    assert read(path, ".exr")[3, 5].tolist() == [4, 2, 1]
    assert imagecodecs.webp_decode(develop(path, ".exr", 256)).shape[:2] == (8, 16)


def test_what_is_too_large_is_not_decoded(tmp_path):
    path = tmp_path / "sky.hdr"
    path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 40000 +X 40000\n")

    with pytest.raises(UndevelopedError, match="40000 x 40000 pixels are too many"):
        develop(path, ".hdr", 256)


def test_a_lamp_does_not_make_the_rest_black():
    pixels = np.full((16, 32, 3), 0.3, np.float32)
    pixels[2, 3] = 60_000

    shown = tone_mapped(pixels)
    assert 80 < shown[10, 10, 0] < 180
    assert shown[2, 3, 0] == 255
    assert tone_mapped(np.zeros((4, 8, 3), np.float32)).max() == 0
