"""From the colours of a file to those that the scene is lit in: linear Rec. 709, D65.

A file says what its numbers mean by `acesImageContainerFlag`, `colorInteropID` or `chromaticities`,
asked in this order (Color Interop Forum, "Identifying the Color Space of OpenEXR Files"). What is
neutral in the file stays neutral in the scene: whites are adapted by Bradford's method, as the
conversions of ACES and OpenColorIO do, and OpenEXR's own `AcesInputFile`, with `adoptedNeutral`
before the white of `chromaticities`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import PyOpenColorIO as ocio
from numpy.typing import NDArray

from farm.library.pictures.exr import ExrPart
from farm.library.pictures.radiance import RadianceHeader

SCENE = "lin_rec709_scene"
REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
XYZ = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3)
"""What Radiance calls XYZ: its neutral is of equal energy."""
AP0 = "lin_ap0_scene"
SILENT_IDS = ("", "data", "unknown")
"""They say nothing of colours."""
TOLERANCE = 0.001
"""In x and y: chromaticities that are nearer are the same, as the Color Interop Forum has it."""
BRADFORD = np.array([
    [0.8951, 0.2664, -0.1614],
    [-0.7502, 1.7135, 0.0367],
    [0.0389, -0.0685, 1.0296],
])  # fmt: skip

Matrix = NDArray[np.float64]
Band = NDArray[np.float32]


class Conversion(NamedTuple):
    """How to bring the colours of a file into the scene."""

    apply: Callable[[Band], Band] | None
    """(rows, W, 3) to the same, which may be overwritten; None leaves colours as they are."""
    note: str | None = None
    growth: float = 1.0
    """A number becomes at most so many times as large; infinite where nobody knows."""
    weights: tuple[float, float, float] = (0.2126, 0.7152, 0.0722)
    """What red, green and blue of the file give to its luminance."""


AS_THEY_ARE = Conversion(None)


def exr_conversion(part: ExrPart) -> Conversion:
    """Return what an OpenEXR header asks for."""
    chromaticities = part.numbers("chromaticities", "chromaticities", "<8f")
    weights = luminance_weights(chromaticities or REC709)
    name = interop_id(part)
    if name in SILENT_IDS or (unknown := not is_known(name)):
        found = by_primaries(chromaticities, part.numbers("adoptedNeutral", "v2f", "<2f"))
        note = found.note
        if name not in SILENT_IDS and unknown and found.note is None:
            note = f"its colour space {name!r} is not known: taken as linear Rec. 709"
        return found._replace(note=note, weights=weights)
    if name == SCENE:
        return AS_THEY_ARE._replace(weights=weights)
    apply, growth = processor(name)
    return Conversion(apply, f"colours converted from {name}", growth, weights)


def radiance_conversion(header: RadianceHeader) -> Conversion:
    """Return what a Radiance header asks for; without a word pictures are of Rec. 709."""
    if header.format == "32-bit_rle_xyze":
        return by_primaries(XYZ)._replace(note="colours converted from CIE XYZ")
    return by_primaries(next(header.numbers("PRIMARIES", 8), None))


def interop_id(part: ExrPart) -> str:
    """Return the name of a part's colour space; empty if it has none."""
    flag = part.numbers("acesImageContainerFlag", "int", "<i")
    return AP0 if flag == (1,) else part.text("colorInteropID") or ""


def by_primaries(
    chromaticities: Sequence[float] | None, neutral: Sequence[float] | None = None
) -> Conversion:
    """Return the conversion from primaries and a white, x and y of each.

    Eight zeros, as Photoshop writes them, say nothing.
    """
    if chromaticities is None or not any(chromaticities):
        return AS_THEY_ARE
    if neutral is not None and neutral[1] > 0:
        white: tuple[float, ...] = tuple(neutral)
    else:
        white = tuple(chromaticities[6:])
    if np.allclose([*chromaticities[:6], *white], REC709, rtol=0, atol=TOLERANCE):
        return AS_THEY_ARE
    try:
        matrix = scene_from_file(chromaticities, white)
    except np.linalg.LinAlgError:
        return Conversion(None, "its primaries span no colours: taken as linear Rec. 709")
    growth = float(abs(matrix).sum(axis=1).max())
    return Conversion(by_matrix(matrix), "colours converted from its own primaries", growth)


def scene_from_file(chromaticities: Sequence[float], white: Sequence[float]) -> Matrix:
    """Return the matrix from a file's colours to the scene's.

    Raises:
        LinAlgError: They do not span a space.
    """
    whole = (
        np.linalg.inv(xyz_from_rgb(REC709))
        @ adaptation(white, REC709[6:])
        @ xyz_from_rgb(chromaticities)
    )
    if not np.isfinite(whole).all():
        raise np.linalg.LinAlgError
    return whole


def xyz_from_rgb(chromaticities: Sequence[float]) -> Matrix:
    """Return the matrix from colours of these primaries, whose white is of luminance 1."""
    points = np.array(chromaticities, dtype=np.float64).reshape(4, 2)
    primaries = np.column_stack([points[:3], 1 - points[:3].sum(axis=1)]).T
    scaled: Matrix = primaries * np.linalg.solve(primaries, xyz_of(points[3]))
    return scaled


def adaptation(white: Sequence[float], wanted: Sequence[float]) -> Matrix:
    """Return the matrix in XYZ that makes one white the other, by Bradford's method."""
    cones, goal = BRADFORD @ xyz_of(white), BRADFORD @ xyz_of(wanted)
    with np.errstate(divide="ignore", invalid="ignore"):
        whole: Matrix = np.linalg.inv(BRADFORD) @ np.diag(goal / cones) @ BRADFORD
    return whole


def xyz_of(point: Sequence[float]) -> Matrix:
    """Return the XYZ of a chromaticity, of luminance 1.

    Raises:
        LinAlgError: It has none.
    """
    x, y = map(float, point)
    if not y:
        raise np.linalg.LinAlgError
    return np.array([x / y, 1.0, (1 - x - y) / y])


def luminance_weights(chromaticities: Sequence[float]) -> tuple[float, float, float]:
    """Return what red, green and blue of these primaries give to the luminance of white."""
    try:
        red, green, blue = xyz_from_rgb(chromaticities)[1].tolist()
    except np.linalg.LinAlgError:
        return luminance_weights(REC709)
    return (red, green, blue) if green else luminance_weights(REC709)


def by_matrix(matrix: Matrix) -> Callable[[Band], Band]:
    """Return what multiplies each colour by a matrix."""
    turned = np.ascontiguousarray(matrix.T, dtype=np.float32)
    return lambda band: band @ turned


@functools.cache
def colour_spaces() -> Any:
    """Return OpenColorIO's own configuration, which knows the ids of the Color Interop Forum."""
    return ocio.Config.CreateFromBuiltinConfig("studio-config-latest")


def is_known(name: str) -> bool:
    """Say whether OpenColorIO knows a colour space by this id."""
    return colour_spaces().getColorSpace(name) is not None


@functools.cache
def processor(name: str) -> tuple[Callable[[Band], Band], float]:
    """Return what converts from a colour space that OpenColorIO knows, and how numbers grow."""
    convert = colour_spaces().getProcessor(name, SCENE).getDefaultCPUProcessor()

    def apply(band: Band) -> Band:
        convert.applyRGB(band)  # in place
        return band

    if not name.partition(":")[2].startswith("lin_") and not name.startswith("lin_"):
        return apply, float("inf")
    unit = apply(np.eye(3, dtype=np.float32).reshape(1, 3, 3))[0]
    return apply, float(abs(unit).sum(axis=0).max())
