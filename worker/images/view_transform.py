"""Scene-linear light to display pixels, exactly as Blender writes them."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any, Literal

import numpy as np
import PyOpenColorIO as ocio
from numpy.typing import NDArray

from farm.errors import SetupError
from farm.spec.render import ViewTransform

SCENE_LINEAR = "Linear Rec.709"
DISPLAY = "sRGB"
BAND_PX = 1 << 18
"""Pixels developed at a time: small enough to stay in the cache and out of the way."""

Pixels = NDArray[np.uint8 | np.uint16]


class Developer:
    """Turns linear pictures into display pixels; one may serve many threads."""

    def __init__(self, *, view_transform: ViewTransform, bit_depth: Literal[8, 16]) -> None:
        self._view_transform: ViewTransform = view_transform
        self._bit_depth: Literal[8, 16] = bit_depth

    def __call__(self, linear: NDArray[np.float32]) -> Pixels:
        """Develop `linear`, which stays as it is.

        Args:
            linear: (H, W, 3), scene-linear Rec. 709.

        Returns:
            (H, W, 3), uint8 or uint16.
        """
        # The first picture makes it, beside the renderer, which has other things to do by then.
        processor = display_processor(self._view_transform)
        height, width, _ = linear.shape
        pixels = np.empty(linear.shape, pixel_type(self._bit_depth))
        rows = max(1, BAND_PX // width)
        for top in range(0, height, rows):
            band = np.array(linear[top : top + rows], dtype=np.float32, order="C")
            processor.applyRGB(band)  # in place, without the GIL
            pixels[top : top + rows] = quantise(band, bit_depth=self._bit_depth)
        return pixels


def quantise_mask(alpha: NDArray[np.float32], *, bit_depth: Literal[8, 16]) -> Pixels:
    """Turn coverage 0..1 into grey levels; no view transform ever touches a label.

    Args:
        alpha: (H, W).
        bit_depth: Bits per pixel.

    Returns:
        (H, W), uint8 or uint16.
    """
    return quantise(np.array(alpha, dtype=np.float32), bit_depth=bit_depth)


def quantise(values: NDArray[np.float32], *, bit_depth: Literal[8, 16]) -> Pixels:
    """Round 0..1 to the nearest level and clip the rest; overwrites `values`.

    A pixel that is not a number is black.
    """
    top = np.float32(2**bit_depth - 1)
    np.nan_to_num(values, copy=False, nan=0.0)
    np.clip(values, 0.0, 1.0, out=values)
    values *= top
    values += np.float32(0.5)
    return values.astype(pixel_type(bit_depth))


def pixel_type(bit_depth: Literal[8, 16]) -> type[np.uint8] | type[np.uint16]:
    """Return the array type of a bit depth."""
    return np.uint8 if bit_depth == 8 else np.uint16


@functools.cache
def display_processor(view_transform: ViewTransform) -> Any:
    """Return the processor from scene-linear to the display; made once, safe to share."""
    config = ocio.Config.CreateFromFile(str(blender_colour_config()))
    transform = ocio.DisplayViewTransform(SCENE_LINEAR, DISPLAY, view_transform)
    return config.getProcessor(transform).getDefaultCPUProcessor()


def blender_colour_config() -> Path:
    """Find Blender's OpenColorIO configuration without importing Blender.

    Raises:
        SetupError: There is no bpy, or it is not laid out as we know it.
    """
    spec = importlib.util.find_spec("bpy")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        found = sorted(Path(folder).glob("*/datafiles/colormanagement/config.ocio"))
        if found:
            return found[-1]
    raise SetupError(
        "Blender's colour configuration is missing: install the worker with "
        "pip install 'viewfarm[worker]' on Python 3.13"
    )
