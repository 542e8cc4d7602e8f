"""What a file holds, whatever way it is written, against the pixels that were put into it."""

from __future__ import annotations

import numpy as np
import OpenEXR
import pytest

from farm.errors import AssetError
from tests.support.environments import (
    AP0,
    PLAIN,
    XYZ,
    every_second,
    flat,
    mipmapped,
    new_runs,
    old_runs,
    quarters,
    radiance,
    rgbe,
    window,
    write_exr,
)
from worker.panorama.reading import read_environment

SKY = quarters()
BYTES = rgbe(SKY)


@pytest.fixture
def read(tmp_path):
    """Read what Blender is to show: the corrected picture (H, W, 3), and what is said of it."""

    def run(data):
        path = tmp_path / "sky.exr"
        if isinstance(data, bytes):
            path.write_bytes(data)
        reading = read_environment(path)
        planes = reading.planes
        return (None if planes is None else np.stack(planes, axis=-1)), reading.notes

    return run


@pytest.fixture
def write(tmp_path):
    return lambda channels, **header: write_exr(tmp_path / "sky.exr", channels, **header)


def planes_of(pixels, names="RGB"):
    return {name: np.ascontiguousarray(pixels[..., at]) for at, name in enumerate(names)}


@pytest.mark.parametrize(
    "data",
    [radiance(BYTES), radiance(BYTES, encode=flat), radiance(BYTES, "EXPOSURE=1.0", "GAMMA=1")],
)
def test_an_ordinary_radiance_picture_is_left_to_blender(read, data):
    assert read(data) == (None, [])


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"compression": OpenEXR.DWAB_COMPRESSION},
        {"lineOrder": OpenEXR.DECREASING_Y},
        {"dataWindow": window(-5, 7, 32, 16), "displayWindow": window(-5, 7, 32, 16)},
    ],
)
@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_an_ordinary_exr_is_left_to_blender(read, write, header, kind):
    write(SKY.astype(kind), **header)

    assert read(None) == (None, [])


@pytest.mark.parametrize("names", ["RGBA", "RGBZ"])
def test_more_channels_than_the_colours_change_nothing(read, write, names):
    write(planes_of(np.dstack([SKY, np.ones(SKY.shape[:2], np.float32)]), names))

    assert read(None) == (None, [])


@pytest.mark.parametrize(
    ("order", "rows"),
    [
        ("+Y 16 +X 32", BYTES[::-1]),
        ("-Y 16 -X 32", BYTES[:, ::-1]),
        ("+Y 16 -X 32", BYTES[::-1, ::-1]),
        ("+X 32 -Y 16", BYTES.transpose(1, 0, 2)),
        ("+X 32 +Y 16", BYTES[::-1].transpose(1, 0, 2)),
        ("-X 32 -Y 16", BYTES[:, ::-1].transpose(1, 0, 2)),
        ("-X 32 +Y 16", BYTES[::-1, ::-1].transpose(1, 0, 2)),
    ],
)
def test_every_orientation_of_radiance_ends_upright(read, order, rows):
    pixels, notes = read(radiance(rows, order=order))

    assert np.array_equal(pixels, SKY)
    assert notes == [f"turned upright from {order[:2]} {order[-5:-3]}"]


@pytest.mark.parametrize("encode", [flat, old_runs])
@pytest.mark.parametrize("height", [2, 16, 400])
def test_scanlines_of_the_old_way_are_read(read, encode, height):
    """Runs of 400 take two digits; a width of 4 is never encoded in the new way."""
    sky = quarters(height)

    pixels, notes = read(radiance(rgbe(sky), encode=encode) + b"\n")

    assert np.array_equal(pixels, sky)
    assert notes == []


def test_scanlines_may_change_their_way(read):
    data = radiance(BYTES, encode=lambda rows: old_runs(rows[:7]) + new_runs(rows[7:]))

    assert np.array_equal(read(data)[0], SKY)


@pytest.mark.parametrize(
    "data",
    [
        radiance(BYTES, newline="\r\n"),
        radiance(BYTES, end=""),
        radiance(BYTES, *["# by hand"] * 500),
        radiance(BYTES, "FORMAT= 32-bit_rle_rgbe "),
        radiance(BYTES, order="-Y 16  +X   32"),
        radiance(BYTES).replace(PLAIN.encode() + b"\n", b""),
    ],
)
def test_headers_that_other_readers_stumble_over_are_read(read, data):
    assert np.array_equal(read(data)[0], SKY)


def test_exposures_and_colour_corrections_are_undone_together(read):
    data = radiance(BYTES, "EXPOSURE=4", "COLORCORR= 1 0.5 2", "EXPOSURE=0.5", "\tEXPOSURE=7")

    pixels, notes = read(data)

    assert pixels == pytest.approx(SKY / np.array([2, 1, 4], np.float32))
    assert notes == ["divided by the exposure in its header (2, 1, 4)"]


@pytest.mark.parametrize("encode", [flat, old_runs, new_runs])
def test_a_radiance_picture_that_ends_early_is_damaged(read, encode):
    data = radiance(BYTES, encode=encode)

    for length in (len(data) - 1, len(data) - 40, data.index(b"+X 32\n") + 6):
        with pytest.raises(AssetError, match="damaged"):
            read(data[:length])


def test_a_part_of_the_display_window_is_put_in_its_place(read, write):
    write(SKY, dataWindow=window(20, 5, 32, 16), displayWindow=window(10, 1, 64, 32))

    pixels, notes = read(None)

    wanted = np.zeros((32, 64, 3), np.float32)
    wanted[4:20, 10:42] = SKY
    assert np.array_equal(pixels, wanted)
    assert notes == ["its 32 x 16 pixels were put in their place in 64 x 32"]


def test_overscan_is_cut_away(read, write):
    write(
        SKY.astype(np.float16),
        dataWindow=window(-4, -2, 32, 16),
        displayWindow=window(0, 0, 20, 10),
    )

    pixels, _ = read(None)

    assert np.array_equal(pixels, SKY[2:12, 4:24])
    assert pixels.dtype == np.float16


def test_a_display_window_of_another_picture_is_left_aside(read, write):
    write(SKY, displayWindow=window(0, 0, 1920, 1080))

    assert read(None) == (None, ["its display window of 1920 x 1080 pixels was ignored"])


def test_whole_numbers_keep_their_values(read, write):
    write((SKY * 8).astype(np.uint32))

    assert np.array_equal(read(None)[0], SKY * 8)


@pytest.mark.parametrize("way", ["ZSTD_COMPRESSION", "LJ2K_COMPRESSION"])
def test_a_compression_that_blender_does_not_know_is_undone(read, write, way):
    write(SKY.astype(np.float16), compression=getattr(OpenEXR, way))

    assert np.array_equal(read(None)[0], SKY)


def test_texts_that_are_not_unicode_are_no_damage(read, write):
    """Programs write names in the code page of their machine."""
    path = write(SKY, owner="Mueller")
    path.write_bytes(path.read_bytes().replace(b"Mueller", b"M\xfcller "))

    assert read(None) == (None, [])


def test_luminance_alone_is_grey_whatever_the_primaries(read, write):
    write({"Y": SKY[..., 0].copy()}, chromaticities=AP0)

    assert read(None) == (None, [])


@pytest.mark.parametrize("chromaticities", [None, XYZ])
def test_luminance_and_chroma_become_colours(read, write, chromaticities):
    """Of one colour, (0.5, 0.25, 1): Y is its luminance, RY = R/Y - 1, BY = B/Y - 1."""
    weights = (0, 1, 0) if chromaticities else (0.2126, 0.7152, 0.0722)
    colour = np.array([0.5, 0.25, 1.0])
    luminance = float(colour @ weights)
    full = np.ones((16, 32), np.float32)
    held = {
        "Y": luminance * full,
        "RY": every_second("RY", (0.5 / luminance - 1) * full),
        "BY": every_second("BY", (1.0 / luminance - 1) * full),
    }
    write(held, **({"chromaticities": chromaticities} if chromaticities else {}))

    pixels, _ = read(None)

    if chromaticities:  # the colour is X, Y and Z
        matrix = [[3.1468, -1.6664, -0.4802], [-0.9955, 1.9557, 0.0398], [0.0636, -0.2145, 1.1507]]
        colour = np.array(matrix) @ colour
    assert pixels.shape == SKY.shape
    assert pixels[5, 5] == pytest.approx(colour, abs=1e-3)
    assert pixels == pytest.approx(np.broadcast_to(pixels[0, 0], SKY.shape), abs=1e-5)


def test_chroma_that_changes_from_pixel_to_pixel_is_between_its_samples(read, write):
    """Waves of 16 pixels, which OpenEXR's weights bring back; edges repeat, and are left out."""
    height, width = 64, 128
    down, across = np.mgrid[:height, :width] * np.float32(np.pi / 8)
    luminance = 1 + 0.5 * np.sin(across + down)
    more_red, more_blue = 0.4 * np.sin(across), 0.4 * np.cos(down)
    red, blue = luminance * (1 + more_red), luminance * (1 + more_blue)
    green = (luminance - 0.2126 * red - 0.0722 * blue) / 0.7152
    write({
        "Y": luminance.astype(np.float32),
        "RY": every_second("RY", more_red),
        "BY": every_second("BY", more_blue),
    })  # fmt: skip

    pixels, _ = read(None)

    inner = slice(16, -16), slice(16, -16)
    wanted = np.stack([red, green, blue], axis=-1)
    assert pixels[inner] == pytest.approx(wanted[inner], abs=2e-3)


def test_a_colour_of_fewer_samples_is_as_large_as_the_others(read, write):
    blue = np.repeat(np.repeat(np.arange(128, dtype=np.float32).reshape(8, 16), 2, 0), 2, 1)
    red, green = (np.ascontiguousarray(SKY[..., each]) for each in (0, 1))
    write({"R": red, "G": green, "B": every_second("B", blue)})

    assert np.array_equal(read(None)[0], np.dstack([red, green, blue]))


@pytest.mark.parametrize("layer", ["ViewLayer.Combined", "beauty"])
def test_the_picture_among_layers_is_found(read, write, layer):
    other = {f"ViewLayer.Normal.{axis}": np.ones(SKY.shape[:2], np.float32) for axis in "XYZ"}
    write({f"{layer}.{name}": plane for name, plane in planes_of(SKY).items()} | other)

    pixels, notes = read(None)

    assert np.array_equal(pixels, SKY)
    assert notes == [f"its layer {layer!r} was used"]


def test_the_picture_among_parts_is_found(read, tmp_path):
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    parts = [
        OpenEXR.Part(dict(header), {"RGB": SKY * 0}, "albedo"),
        OpenEXR.Part(dict(header), {"RGB": SKY}, "beauty"),
        OpenEXR.Part(dict(header), {"Z": SKY[..., 0].copy()}, "depth"),
    ]
    OpenEXR.File(parts).write(str(tmp_path / "sky.exr"))

    assert np.array_equal(read(None)[0], SKY)


def test_smaller_copies_of_the_picture_are_left_aside(read):
    levels = [SKY[::step, ::step] * (1 if step == 1 else 9) for step in (1, 2, 4, 8, 16)]
    levels.append(np.ones((1, 1, 3), np.float32))

    assert read(mipmapped(levels)) == (None, [])


def test_stray_pixels_without_a_number_are_replaced_and_counted(read, write):
    sky = SKY.copy()
    sky[3, 3, 0] = np.nan
    sky[9, 20] = -np.inf
    sky[5, 0] = (np.inf, 2.0, 0.5)
    sky[14, 30] = (40.0, 30.0, 20.0)
    write(sky)

    pixels, notes = read(None)

    assert np.isfinite(pixels).all()
    assert pixels[3, 3] == pytest.approx([1, 0.25, 0.25])
    assert pixels[9, 20] == pytest.approx([1, 1, 0.25])
    assert pixels[5, 0] == pytest.approx([40.0, 2.0, 0.5])
    assert notes == ["3 of 512 pixels were not finite numbers and were replaced"]
    rest = np.isfinite(sky).all(axis=-1)
    assert np.array_equal(pixels[rest], sky[rest])


def test_a_picture_without_a_number_is_refused(read, write):
    write(np.full((8, 16, 3), np.nan, np.float32))

    with pytest.raises(AssetError, match=r"sky.exr: none of its pixels is a number"):
        read(None)


@pytest.mark.parametrize("black", [0.0, -1.0])
def test_a_black_picture_is_told(read, write, black):
    write(np.full((8, 16, 3), black, np.float32))

    assert read(None) == (None, ["it is all black and gives no light"])


def test_a_sun_that_half_precision_cannot_hold_stays_as_bright(read, write):
    sky = SKY.copy()
    sky[2, 2] = 60000.0
    write(sky.astype(np.float16), chromaticities=(*AP0[:6], 0.3127, 0.3290))

    pixels, _ = read(None)

    assert pixels[2, 2] == pytest.approx([60000.0] * 3, rel=1e-3)
    assert pixels.dtype == np.float32
