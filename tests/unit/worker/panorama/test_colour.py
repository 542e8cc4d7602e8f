"""From the colours of a header to linear Rec. 709."""

from __future__ import annotations

import numpy as np
import pytest

from farm.library.pictures.exr import exr_parts
from farm.library.pictures.radiance import radiance_header
from tests.support.environments import AP0, XYZ, quarters, radiance, rgbe, write_exr
from worker.panorama.colour import exr_conversion, radiance_conversion

RED_OF_AP0 = (2.5217, -0.2765, -0.0154)
"""In linear Rec. 709, adapted from the white of ACES to D65 by Bradford's method; published in
ACES' own `AP0_to_sRGB`, and in OpenColorIO's and Blender's configurations."""


def part_with(tmp_path, **header):
    path = write_exr(tmp_path / "sky.exr", quarters(2), **header)
    return exr_parts(path.read_bytes())[0]


def colour(conversion, *rgb):
    band = np.array([[rgb]], np.float32)
    return (band if conversion.apply is None else conversion.apply(band))[0, 0].tolist()


REC2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)
P3 = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.3290)
AP1 = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)


@pytest.mark.parametrize(
    ("header", "red"),
    [
        ({"chromaticities": AP0}, RED_OF_AP0),
        ({"colorInteropID": "lin_ap0_scene"}, RED_OF_AP0),
        ({"acesImageContainerFlag": 1, "colorInteropID": "lin_rec709_scene"}, RED_OF_AP0),
        ({"chromaticities": REC2020, "colorInteropID": "lin_ap0_scene"}, RED_OF_AP0),
        ({"chromaticities": AP0, "colorInteropID": "unknown"}, RED_OF_AP0),
        ({"chromaticities": AP0, "colorInteropID": "house:mine"}, RED_OF_AP0),
        ({"chromaticities": AP1}, (1.7051, -0.1303, -0.0240)),
        ({"colorInteropID": "lin_ap1_scene"}, (1.7051, -0.1303, -0.0240)),
        ({"chromaticities": REC2020}, (1.6605, -0.1246, -0.0182)),
        ({"colorInteropID": "lin_rec2020_scene"}, (1.6605, -0.1246, -0.0182)),
        ({"chromaticities": P3}, (1.2249, -0.0421, -0.0196)),
        ({"colorInteropID": "lin_p3d65_scene"}, (1.2249, -0.0421, -0.0196)),
        ({"colorInteropID": "lin_ciexyzd65_scene"}, (3.2410, -0.9692, 0.0556)),
        ({"chromaticities": XYZ}, (3.1468, -0.9955, 0.0636)),
    ],
)
def test_the_red_of_a_file_is_that_red_in_the_scene(tmp_path, header, red):
    assert colour(exr_conversion(part_with(tmp_path, **header)), 1, 0, 0) == pytest.approx(
        red, abs=2e-4
    )


@pytest.mark.parametrize("chromaticities", [AP0, AP1, REC2020, XYZ])
def test_what_is_neutral_stays_neutral(tmp_path, chromaticities):
    conversion = exr_conversion(part_with(tmp_path, chromaticities=chromaticities))

    assert colour(conversion, 0.5, 0.5, 0.5) == pytest.approx([0.5] * 3, abs=1e-5)


def test_the_adopted_neutral_goes_before_the_white(tmp_path):
    """With the white of D65 as neutral, Rec. 2020 of another white is adapted from D65."""
    odd = (*REC2020[:6], 1 / 3, 1 / 3)
    neutral = np.array([0.3127, 0.3290], np.float32)
    part = part_with(tmp_path, chromaticities=odd, adoptedNeutral=neutral)

    conversion = exr_conversion(part)

    x, y, z = 0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290
    primaries = np.array([[0.708, 0.170, 0.131], [0.292, 0.797, 0.046], [0.0, 0.033, 0.823]])
    scale = np.linalg.solve(primaries, [1.0, 1.0, 1.0])
    d65_in_file = np.linalg.solve(primaries * scale, [x, y, z])
    assert colour(conversion, *d65_in_file) == pytest.approx([1, 1, 1], abs=1e-4)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"colorInteropID": "lin_rec709_scene"},
        {"colorInteropID": "lin_rec709_scene", "chromaticities": AP0},
        {"colorInteropID": "data"},
        {"chromaticities": (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)},
        {"chromaticities": (0.6401, 0.3301, 0.3, 0.6, 0.15, 0.06, 0.3128, 0.3291)},
        {"chromaticities": (0.0,) * 8},
    ],
)
def test_what_is_of_rec709_or_says_nothing_is_left_as_it_is(tmp_path, header):
    conversion = exr_conversion(part_with(tmp_path, **header))

    assert conversion.apply is None
    assert conversion.note is None


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ({"colorInteropID": "house:mine"}, "'house:mine' is not known"),
        ({"chromaticities": (0.3, 0.3) * 4}, "span no colours"),
        ({"chromaticities": (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3, 0.0)}, "span no colours"),
    ],
)
def test_colours_that_nobody_knows_are_taken_as_rec709_and_said(tmp_path, header, word):
    conversion = exr_conversion(part_with(tmp_path, **header))

    assert conversion.apply is None
    assert word in conversion.note


def test_an_encoded_picture_is_decoded(tmp_path):
    conversion = exr_conversion(part_with(tmp_path, colorInteropID="srgb_rec709_scene"))

    assert colour(conversion, 0.5, 0.5, 0.5) == pytest.approx([0.21404] * 3, abs=1e-4)


@pytest.mark.parametrize(
    ("lines", "red"),
    [
        (("PRIMARIES=0.7347 0.2653 0 1 0.0001 -0.077 0.32168 0.33767",), RED_OF_AP0),
        (("PRIMARIES=0 0 0 0 0 0 0 0",), (1, 0, 0)),  # as Photoshop writes it
        (("PRIMARIES=red",), (1, 0, 0)),
        (("FORMAT=32-bit_rle_xyze",), (3.1468, -0.9955, 0.0636)),
    ],
)
def test_radiance_says_its_primaries_or_that_it_is_xyz(lines, red):
    header = radiance_header(radiance(rgbe(quarters(2)), *lines))

    assert colour(radiance_conversion(header), 1, 0, 0) == pytest.approx(red, abs=2e-4)
