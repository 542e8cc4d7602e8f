"""Which pictures can be an environment, as their headers tell."""

from __future__ import annotations

import struct

import numpy as np
import OpenEXR
import pytest

from farm.errors import AssetError
from farm.library.formats import check_file
from farm.library.pictures.sphere import is_sphere, shape_fault
from tests.support.environments import flat, radiance, window, write_exr


def a_radiance(width: int, height: int, *lines: str, order: str | None = None) -> bytes:
    rows = np.full((height, width, 4), 128, np.uint8)
    return radiance(rows, *lines, order=order, encode=flat)


@pytest.mark.parametrize(
    "size",
    [(64, 32), (1, 1), (2, 1), (3, 1), (1023, 512), (1025, 512), (1024, 511), (2048, 1014),
     (16384, 8192)],
)  # fmt: skip
def test_twice_as_wide_as_high_but_for_rounding_is_a_sphere(size):
    assert is_sphere(*size)
    assert shape_fault(*size) is None


@pytest.mark.parametrize(
    ("size", "likeness"),
    [
        ((512, 512), "a mirror ball, an angular map or one face of a cube"),
        ((1024, 768), "a cross of the faces of a cube"),
        ((768, 1024), "a cross of the faces of a cube"),
        ((1536, 256), "a strip of the faces of a cube"),
        ((256, 1536), "a strip of the faces of a cube"),
        ((768, 512), "two rows of the faces of a cube"),
        ((4096, 1024), "a part of one"),
        ((1024, 2048), "a part of one"),
        ((1920, 1080), "a part of one"),
        ((1024, 500), "a part of one"),
        ((4, 4), "a mirror ball"),
    ],
)
def test_another_shape_is_refused_with_what_it_looks_like(tmp_path, size, likeness):
    width, height = size
    path = tmp_path / "sky.hdr"
    path.write_bytes(a_radiance(width, height)[:200])
    wanted = rf"sky.hdr: {width} x {height} pixels: .*twice as wide as high; this looks like "

    with pytest.raises(AssetError, match=wanted + likeness):
        check_file(path, "hdr")
    grey = np.ones((height, width), np.float32)
    with pytest.raises(AssetError, match=f"{width} x {height} pixels: .*{likeness}"):
        check_file(write_exr(tmp_path / "sky.exr", {"Y": grey}), "hdr")


def test_the_shape_is_that_of_the_upright_picture(tmp_path):
    path = tmp_path / "sky.hdr"
    path.write_bytes(a_radiance(32, 64, order="+X 64 -Y 32"))
    check_file(path, "hdr")

    path.write_bytes(a_radiance(32, 64, order="-Y 64 +X 32"))
    with pytest.raises(AssetError, match="32 x 64 pixels"):
        check_file(path, "hdr")


def test_the_shape_is_that_of_the_display_window(tmp_path):
    grey = {"Y": np.ones((40, 40), np.float32)}
    inner, whole = window(0, 0, 40, 40), window(0, 0, 128, 64)
    check_file(write_exr(tmp_path / "a.exr", grey, dataWindow=inner, displayWindow=whole), "hdr")

    square = write_exr(
        tmp_path / "b.exr", grey, dataWindow=inner, displayWindow=window(0, 0, 50, 50)
    )
    with pytest.raises(AssetError, match="50 x 50 pixels"):
        check_file(square, "hdr")
    away = write_exr(
        tmp_path / "c.exr", grey, dataWindow=window(200, 0, 40, 40), displayWindow=whole
    )
    with pytest.raises(AssetError, match=r"lie outside its picture"):
        check_file(away, "hdr")
    huge = write_exr(
        tmp_path / "d.exr", grey, dataWindow=inner, displayWindow=window(0, 0, 60000, 30000)
    )
    with pytest.raises(AssetError, match="60000 x 30000 pixels: an HDR environment may have"):
        check_file(huge, "hdr")


def test_a_cube_map_says_so_itself(tmp_path):
    path = write_exr(tmp_path / "sky.exr", {"Y": np.ones((32, 64), np.float32)},
                     envmap=OpenEXR.ENVMAP_CUBE)  # fmt: skip

    with pytest.raises(AssetError, match=r"64 x 32 pixels: .*this is a cube map"):
        check_file(path, "hdr")


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("Z",), r"none of its channels \(Z\) is a colour"),
        (("X", "Y", "Z"), r"none of its channels \(X, Y, Z\) is a colour"),
        (("a.R", "a.G", "a.B", "b.R", "b.G", "b.B"), r"several layers or parts \(a, b\)"),
    ],
)
def test_a_file_whose_picture_nobody_can_tell_is_refused(tmp_path, names, reason):
    grey = np.ones((32, 64), np.float32)
    path = write_exr(tmp_path / "sky.exr", dict.fromkeys(names, grey))

    with pytest.raises(AssetError, match=reason):
        check_file(path, "hdr")


def test_deep_pixels_are_refused(tmp_path):
    """Only its header is written: there is nothing to render."""
    whole = write_exr(tmp_path / "sky.exr", {"Y": np.ones((32, 64), np.float32)}).read_bytes()
    entry = b"type\0string\0" + struct.pack("<i", 12) + b"deepscanline"
    plain = b"type\0string\0" + struct.pack("<i", 13) + b"scanlineimage"
    path = tmp_path / "deep.exr"
    path.write_bytes(whole.replace(plain, entry))
    assert plain in whole

    with pytest.raises(AssetError, match="it holds deep pixels"):
        check_file(path, "hdr")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("FORMAT=32-bit_rle_luv", "FORMAT='32-bit_rle_luv' is not one of 32-bit_rle_rgbe"),
        ("EXPOSURE=0", "EXPOSURE='0', which is not valid"),
        ("EXPOSURE=-1", "EXPOSURE='-1', which is not valid"),
        ("EXPOSURE=nan", "EXPOSURE='nan', which is not valid"),
        ("EXPOSURE=bright", "EXPOSURE='bright', which is not valid"),
        ("COLORCORR=1 1", "COLORCORR='1 1', which is not valid"),
        ("COLORCORR=1 0 1", "COLORCORR='1 0 1', which is not valid"),
    ],
)
def test_a_radiance_header_that_makes_no_sense_is_refused_by_its_line(tmp_path, line, reason):
    path = tmp_path / "sky.hdr"
    path.write_bytes(a_radiance(64, 32, line))

    with pytest.raises(AssetError, match=reason):
        check_file(path, "hdr")
