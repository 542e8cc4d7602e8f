"""Whether a picture can be an environment: the whole sphere, twice as wide as high."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from farm.library.pictures.exr import (
    Box2i,
    ExrPart,
    Layer,
    exr_parts,
    exr_size_px,
    layers_of,
    main_layer,
)
from farm.library.pictures.radiance import FORMATS, radiance_header
from farm.spec.quote import quoted

TOLERANCE = 0.01
"""Largest share of its width by which a panorama may be wider or narrower: more than rounding."""
SLACK_PX = 2
"""Or largest number of pixels: one row too few is a width of two."""
CUBE_MAP = b"\1"
WANTED = (
    "an HDR environment is a panorama of the whole sphere (equirectangular), twice as wide as high"
)


class SpherePlace(NamedTuple):
    """Where in a file the picture of the sphere is."""

    layer: Layer | None
    """Its channels; None where the header does not say."""
    data: Box2i
    """The pixels that are there."""
    frame: Box2i
    """The pixels that make the sphere."""


def is_sphere(width: int, height: int) -> bool:
    """Say whether a picture is twice as wide as high, but for rounding."""
    slack = max(SLACK_PX if width >= 16 else 1, width * TOLERANCE)
    return abs(width - 2 * height) <= slack


def shape_fault(width: int, height: int) -> str | None:
    """Say what is wrong with the shape of a picture, and what to do; None if nothing is."""
    if is_sphere(width, height):
        return None
    return f"{width} x {height} pixels: {WANTED}; {likely(width, height)}"


def likely(width: int, height: int) -> str:
    """Say what a picture of another shape may be, with the remedy."""
    proportions = {
        "a mirror ball, an angular map or one face of a cube": (1, 1),
        "a cross of the faces of a cube": (4, 3),
        "a strip of the faces of a cube": (6, 1),
        "two rows of the faces of a cube": (3, 2),
    }
    long, short = max(width, height), max(min(width, height), 1)
    for name, (more, fewer) in proportions.items():
        if abs(long * fewer - short * more) <= TOLERANCE * long * fewer:
            return f"this looks like {name}: convert it to a panorama"
    return "this looks like a part of one: pad it with black, or use the whole panorama"


def frame_of(part: ExrPart) -> tuple[Box2i, Box2i] | None:
    """Return the data window, and the window that is the sphere; None if the header lacks it.

    That is the display window. Where it cannot be a sphere but the pixels are one, they are it:
    some programs leave the display window of another picture in the header.
    """
    data = part.window("dataWindow")
    if data is None:
        return None
    display = part.window("displayWindow") or data
    usable = display.size[0] > 1 and min(display.size) > 0 and is_sphere(*display.size)
    return data, data if not usable and is_sphere(*data.size) else display


def place_of(parts: Sequence[ExrPart]) -> SpherePlace | str | None:
    """Return where the picture is, or what is wrong; None where the header lacks it."""
    if not parts:
        return None
    if all(part.is_deep for part in parts):
        return "it holds deep pixels (many samples each): flatten it first"
    layers = [layer for layer in layers_of(parts) if not parts[layer.part].is_deep]
    layer = main_layer(layers)
    if layer is None and any(part.channels for part in parts):
        return layers_fault(parts, layers)
    part = parts[layer.part if layer else 0]
    windows = frame_of(part)
    return SpherePlace(layer, *windows) if windows else None


def layers_fault(parts: Sequence[ExrPart], layers: Sequence[Layer]) -> str:
    """Say why nobody can tell which picture of a file is meant."""
    if layers:
        names = ", ".join(layer.title or "one without a name" for layer in layers[:8])
        return f"it has several layers or parts ({names}): save the picture alone"
    names = ", ".join(channel.name for part in parts for channel in part.channels[:8])
    return f"none of its channels ({names}) is a colour: save the picture as R, G and B"


def exr_sizes_px(head: bytes) -> list[tuple[int, int]]:
    """Return the sizes of an OpenEXR file's first part and of the picture in it."""
    first = exr_size_px(head)
    place = place_of(exr_parts(head))
    more = [place.data.size, place.frame.size] if isinstance(place, SpherePlace) else []
    return [first, *more] if first else []


def exr_fault(head: bytes) -> str | None:
    """Say why an OpenEXR file cannot be an environment, as far as its header tells."""
    parts = exr_parts(head)
    place = place_of(parts)
    if place is None or isinstance(place, str):
        return place
    width, height = place.frame.size
    if any(part.value("envmap", "envmap") == CUBE_MAP for part in parts):
        return f"{width} x {height} pixels: {WANTED}; this is a cube map: convert it to a panorama"
    if fault := shape_fault(width, height):
        return fault
    if overlap(place.data, place.frame) is None:
        return (
            f"its pixels (data window {tuple(place.data)}) lie outside its picture (display "
            f"window {tuple(place.frame)}): export it again"
        )
    return None


def radiance_fault(head: bytes) -> str | None:
    """Say why a Radiance picture cannot be an environment, as far as its header tells."""
    header = radiance_header(head)
    if header is None:
        return None
    if header.format not in (None, *FORMATS):
        return (
            f"its FORMAT={quoted(header.format)} is not one of {', '.join(FORMATS)}: export it "
            "again"
        )
    for name, count in (("EXPOSURE", 1), ("COLORCORR", 3)):
        for value, found in zip(header.values(name), header.numbers(name, count), strict=True):
            if found is None or min(found) <= 0:
                line = f"{name}={quoted(value)}"
                return f"its header says {line}, which is not valid: correct or remove that line"
    return shape_fault(*header.size_px)


def overlap(one: Box2i, other: Box2i) -> Box2i | None:
    """Return what two windows share; None if that is nothing."""
    shared = Box2i(
        max(one.left, other.left),
        max(one.top, other.top),
        min(one.right, other.right),
        min(one.bottom, other.bottom),
    )
    return shared if min(shared.size) > 0 else None
