"""The pixels of OpenEXR files: one array per colour, whatever their channels are."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from farm.errors import AssetError
from farm.library.pictures.exr import Channel, ExrPart, Layer

Plane = NDArray[np.floating[Any]]
"""One colour of a picture: (H, W), half or single precision."""

DAMAGED = "its pixels cannot be decoded: the file is damaged"
TEXTS = (b"string", b"stringvector")
CHROMA_TAPS = np.array(
    [0.002128, -0.007540, 0.019597, -0.043159, 0.087929, -0.186077, 0.627123], np.float32
)
"""Weights of the samples on one side of a missing one, the nearest last, as OpenEXR has them
(ImfRgbaYca.cpp); the other side mirrors them."""


def read_planes(
    path: Path, parts: Sequence[ExrPart], layer: Layer, weights: tuple[float, float, float]
) -> list[Plane]:
    """Read the layer of a file that is the picture: red, green and blue, or luminance alone.

    Raises:
        AssetError: It cannot be decoded.
    """
    try:
        with opened(path, parts) as file:
            if layer.part >= len(file.parts):  # of which it only warns
                raise AssetError(str(path), DAMAGED)
            held = {
                colour: plane_of(file.parts[layer.part].channels[channel.name].pixels)
                for colour, channel in layer.channels.items()
            }
    except (RuntimeError, OSError, ValueError, TypeError, KeyError) as error:
        raise AssetError(str(path), DAMAGED) from error
    window = parts[layer.part].window("dataWindow")
    assert window is not None
    shape = (window.size[1], window.size[0])
    full = {
        colour: at_every_pixel(held[colour], channel, shape, smooth=colour in ("RY", "BY"))
        for colour, channel in layer.channels.items()
    }
    return rgb_of(full, weights)


def opened(path: Path, parts: Sequence[ExrPart]) -> Any:
    """Open a file; texts in its header that are not UTF-8, which OpenEXR refuses, are left out."""
    try:
        return OpenEXR.File(str(path), separate_channels=True)
    except UnicodeDecodeError:
        data = path.read_bytes()
    for part in parts:
        for each in part.attributes.values():
            if each.kind in TEXTS and not each.value.isascii():
                data = data.replace(each.value, bytes(min(byte, 0x7F) for byte in each.value), 1)
    return OpenEXR.File(io.BytesIO(data), separate_channels=True)


def plane_of(pixels: NDArray[np.generic]) -> Plane:
    """Return a channel as floating-point numbers; integers keep their values."""
    if pixels.dtype == np.float16:
        return pixels.astype(np.float16, copy=False)
    return pixels.astype(np.float32, copy=False)


def rgb_of(held: Mapping[str, Plane], weights: tuple[float, float, float]) -> list[Plane]:
    """Return red, green and blue, or the only channel alone."""
    if "RY" in held:
        return from_luminance_and_chroma(held, weights)
    return [held[colour] for colour in ("R", "G", "B") if colour in held] or [held["Y"]]


def from_luminance_and_chroma(
    held: Mapping[str, Plane], weights: tuple[float, float, float]
) -> list[Plane]:
    """Return red, green and blue: RY is (R - Y) / Y, BY is (B - Y) / Y."""
    luminance, more_red, more_blue = (held[name].astype(np.float32) for name in ("Y", "RY", "BY"))
    red = (more_red + 1) * luminance
    blue = (more_blue + 1) * luminance
    total = sum(weights)
    of_red, of_green, of_blue = (weight / total for weight in weights)
    return [red, (luminance - of_red * red - of_blue * blue) / np.float32(of_green), blue]


def at_every_pixel(
    pixels: Plane, channel: Channel, shape: tuple[int, int], *, smooth: bool
) -> Plane:
    """Return a channel at every pixel, where it has a value for every second one or fewer."""
    across, down = channel.step
    if (across, down) == (1, 1):
        return pixels
    for axis, step in enumerate((down, across)):
        if step == 2 and smooth:
            pixels = doubled(pixels.astype(np.float32), axis)
        elif step > 1:
            pixels = np.repeat(pixels, step, axis=axis)
    return np.ascontiguousarray(pixels[: shape[0], : shape[1]])


def doubled(pixels: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Return twice as many samples: between those that are there, OpenEXR's weighted means."""
    lines = np.moveaxis(pixels, axis, 0)
    reach = len(CHROMA_TAPS)
    padded = np.concatenate([lines[:1]] * (reach - 1) + [lines] + [lines[-1:]] * reach)
    taps = np.concatenate([CHROMA_TAPS, CHROMA_TAPS[::-1]])
    between = sum(tap * padded[at : at + len(lines)] for at, tap in enumerate(taps))
    whole = np.stack([lines, np.asarray(between, np.float32)], axis=1)
    return np.moveaxis(whole.reshape(-1, *lines.shape[1:]), 0, axis)
