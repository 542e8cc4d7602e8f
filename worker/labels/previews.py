"""8-bit pictures of labels, for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.arrays import Rows
from farm.runs import drawn
from farm.spec.passes import CARRIED, OCCLUSIONS, PassName
from worker.labels.arrays import any_of
from worker.labels.colours import colour_of, rgb_of_hsv

Bytes = NDArray[np.uint8]

LONGEST_PX = 512
"""Longer side of a preview, at most."""
FARTHEST = 0.15
"""How bright the farthest point of the depth is; the nearest is white, the background black."""
BRIGHT_SHARE = 0.98
"""Share of a picture of light that is shown as it is or dimmed; the rest is white."""
LEAST_FLOW_PX = 1.0
"""Of a flow below this nothing is seen."""


def preview(name: PassName, label: NDArray[Any]) -> Bytes:
    """Show a label (H, W) or (H, W, channels) as a picture (h, w) or (h, w, 3)."""
    return MAKERS[name](smaller(label))


def smaller(label: NDArray[Any]) -> NDArray[Any]:
    """Return every second, third, ... pixel: values are never mixed."""
    step = -(-max(label.shape[:2]) // LONGEST_PX)
    return label[step // 2 :: step, step // 2 :: step]


def show_distance(label: NDArray[np.float32]) -> Bytes:
    """Show what is near bright, within the range that the view has."""
    there = np.isfinite(label)
    if not there.any():
        return np.zeros(label.shape, np.uint8)
    near, far = float(label[there].min()), float(label[there].max())
    share = (far - np.where(there, label, far)) / max(far - near, 1e-9)
    return levels(np.where(there, FARTHEST + (1 - FARTHEST) * share, 0.0))


def show_direction(label: NDArray[np.float32]) -> Bytes:
    """Show unit vectors: x as red, y as green, z as blue, zero as the middle."""
    return painted(any_of(label != 0), label, lambda some: levels(some * 0.5 + 0.5))


def show_place(label: NDArray[np.float32]) -> Bytes:
    """Show points of the unit cube: x as red, y as green, z as blue."""
    return show_direction(label * 2)


def show_numbers(label: NDArray[np.uint16]) -> Bytes:
    """Show each value in a colour of its own."""
    counts = np.bincount(label.ravel())
    colours = np.zeros((len(counts), 3), np.uint8)
    for value in np.flatnonzero(counts):
        colours[value] = colour_of(int(value))
    return colours.take(label, axis=0)


def show_flow(label: NDArray[np.float32]) -> Bytes:
    """Show where things go as a hue, and how far as its strength; what stands still is white."""

    def moved(some: NDArray[np.float32]) -> Bytes:
        x, y = some[..., 0].astype(np.float64), some[..., 1].astype(np.float64)
        length = np.hypot(x, y)
        hue = (np.arctan2(y, x) / (2 * np.pi)) % 1.0
        longest = max(float(length.max(initial=0.0)), LEAST_FLOW_PX)
        return levels(rgb_of_hsv(hue, length / longest, np.ones_like(hue)))

    return painted(any_of(label != 0), label, moved, beside=255)


def show_moves(label: NDArray[np.float32]) -> Bytes:
    """Show x, y, z of moves as red, green, blue: zero is the middle, black is not known."""
    there = np.isfinite(label).all(axis=-1, keepdims=True)
    moves = np.where(there, label, 0.0)
    most = float(np.abs(moves).max(initial=0.0)) or 1.0
    return levels(np.where(there, moves / most * 0.5 + 0.5, 0.0))


def show_light(label: NDArray[np.float32]) -> Bytes:
    """Show linear light as a screen does; where much is brighter than white, all is dimmed."""
    top = max(1.0, float(np.quantile(label, BRIGHT_SHARE))) if label.max() > 1.0 else 1.0

    def lit(some: NDArray[np.float32]) -> Bytes:
        linear = np.clip(some.astype(np.float64) / top, 0.0, 1.0)
        return levels(
            np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
        )

    return painted(any_of(label > 0), label, lit)


def show_cutout(label: NDArray[np.float32]) -> Bytes:
    """Show the light of what covers pixels on black."""
    return show_light(label[..., :3])


def show_share(label: NDArray[np.float32]) -> Bytes:
    """Show 0..1 from black to white."""
    return levels(label)


def show_uv(label: NDArray[np.float32]) -> Bytes:
    """Show u as red and v as green, starting anew at each whole number."""

    def ramp(some: NDArray[np.float32]) -> Bytes:
        return levels(np.concatenate([some % 1.0, np.full_like(some[..., :1], 0.25)], axis=-1))

    return painted(any_of(label != 0), label, ramp)


def show_cryptomatte(label: NDArray[np.float32]) -> Bytes:
    """Show the id that covers most of a pixel in a colour of its own."""

    def hued(some: NDArray[np.float32]) -> Bytes:
        ids, covers = np.ascontiguousarray(some[..., 0]), some[..., 1]
        hue = (ids.view(np.uint32) & 0xFFFF) / 0x10000
        return levels(rgb_of_hsv(hue, np.full_like(hue, 0.6), np.clip(covers, 0.0, 1.0)))

    first = label[..., OBJECTS_FROM : OBJECTS_FROM + 2]
    return painted(first[..., 0] != 0, first, hued)


def silhouettes_preview(rows: Rows, size_px: tuple[int, int]) -> Bytes:
    """Show whole silhouettes (h, w, 3), each in a colour of its own, with its outline.

    Args:
        rows: Runs of pixels, as the pass `amodal` has them.
        size_px: (width, height).
    """
    step = -(-max(size_px) // LONGEST_PX)
    return drawn(rows, size_px, lambda place: colour_of(place + 1), step=step)


OBJECTS_FROM = 12
"""Materials come first, by their name, with six ids and six coverages."""

MAKERS: dict[PassName, Callable[[NDArray[Any]], Bytes]] = {
    "depth": show_distance,
    "distance": show_distance,
    "normal": show_direction,
    "normal_world": show_direction,
    "index": show_numbers,
    "material": show_numbers,
    "flow_forward": show_flow,
    "flow_backward": show_flow,
    "position": show_place,
    "albedo": show_light,
    "diffuse": show_light,
    "specular": show_light,
    "cryptomatte": show_cryptomatte,
    "uv": show_uv,
    "linear": show_light,
    "foreground_linear": show_cutout,
    "background_linear": show_light,
    "shadow": show_light,
    "base_color": show_light,
    "roughness": show_share,
    "metallic": show_share,
    "emission": show_light,
    "transmission": show_share,
    "opacity": show_share,
    "normal_geometry": show_direction,
    "surface_valid": show_numbers,
    **dict.fromkeys(sorted(CARRIED - set(OCCLUSIONS)), show_moves),
}


def painted(
    there: NDArray[np.bool_],
    label: NDArray[np.float32],
    paint: Callable[[NDArray[np.float32]], Bytes],
    *,
    beside: int = 0,
) -> Bytes:
    """Return the colours (H, W, 3) of a label: most pixels are not worth the arithmetic.

    Args:
        there: Which pixels (H, W) have a colour.
        label: (H, W, channels).
        paint: Takes the labels (N, channels) of these, gives their colours (N, 3).
        beside: Level of all others.
    """
    picture = np.full((*there.shape, 3), np.uint8(beside))
    picture[there] = paint(label[there])
    return picture


def levels(values: NDArray[Any]) -> Bytes:
    """Turn 0..1 into bytes."""
    return np.asarray(np.clip(values, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
