"""An environment as its header means it, where Blender would take it for another."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from farm.errors import AssetError
from farm.library.formats import EXR_MAGIC
from farm.library.pictures.exr import Box2i, ExrPart, exr_parts
from farm.library.pictures.radiance import RadianceHeader, radiance_header
from farm.library.pictures.sphere import SpherePlace, overlap, place_of
from worker.panorama.colour import exr_conversion, radiance_conversion
from worker.panorama.mend import convert, note_darkness, replace_unnumbered, undo_exposure
from worker.panorama.planes import DAMAGED, Plane, read_planes
from worker.panorama.scanlines import ScanlineError, begins_scanline, decode, radiance_of

HEADER_BYTES = 1 << 24
"""Room for thumbnails and the like in a header."""
BLENDERS_COMPRESSIONS = 12
"""Numbers of the ways of compression that Blender's OpenEXR knows, from 0."""
HALF, FLOAT = 1, 2
DECODED_BYTES = 4 << 30
UPRIGHT = ("-Y", "+X")


@dataclass
class PanoramaReading:
    """What became of a file."""

    notes: list[str] = field(default_factory=list)
    """What a person should know of it."""
    planes: list[Plane] | None = None
    """The corrected picture: red, green and blue, or grey alone; None where Blender reads the file
    as it is."""


def read_environment(path: Path) -> PanoramaReading:
    """Read an environment, and correct what Blender would not.

    Raises:
        AssetError: It is damaged, or shows nothing that is a number.
    """
    with path.open("rb") as file:
        is_exr = file.read(4) == EXR_MAGIC
    return read_exr(path) if is_exr else read_radiance(path)


def read_exr(path: Path) -> PanoramaReading:
    """Read an OpenEXR file."""
    with path.open("rb") as file:
        parts = exr_parts(file.read(HEADER_BYTES))
    place = place_of(parts)
    if isinstance(place, str):
        raise AssetError(str(path), place)
    if place is None or place.layer is None:
        raise AssetError(str(path), "its header is damaged: it describes no picture")
    refuse_too_many(path, parts)
    part = parts[place.layer.part]
    conversion = exr_conversion(part)
    familiar = is_familiar(parts, place)
    try:
        planes = read_planes(path, parts, place.layer, conversion.weights)
    except AssetError:
        if familiar and conversion.apply is None:
            return PanoramaReading()  # Blender needs nothing of us, and has its own say
        raise
    reading = PanoramaReading()
    if place.layer.title:
        reading.notes.append(f"its layer {place.layer.title!r} was used")
    replaced = replace_unnumbered(planes, path, reading.notes)
    converted = convert(planes, conversion, reading.notes)
    planes = framed(planes, place, part.window("displayWindow"), reading)
    if replaced or converted or not familiar:
        reading.planes = planes
    note_darkness(planes, reading.notes)
    return reading


def refuse_too_many(path: Path, parts: Sequence[ExrPart]) -> None:
    """Refuse a file whose layers, which are decoded together, would take all memory.

    Raises:
        AssetError: They would.
    """
    size_bytes, count = 0, 0
    for part in parts:
        width, height = (part.window("dataWindow") or Box2i(0, 0, 0, 0)).size
        for channel in part.channels:
            count += 1
            size_bytes += width * height * (2 if channel.kind == HALF else 4)
    if size_bytes > DECODED_BYTES:
        raise AssetError(
            str(path),
            f"its {count} channels would take {size_bytes / 1e9:.1f} GB: save the picture alone",
        )


def is_familiar(parts: Sequence[ExrPart], place: SpherePlace) -> bool:
    """Say whether Blender finds the picture, and takes its numbers for what they are.

    Cycles scales whole numbers down to 0..1, and stretches the pixels that are there over the
    whole sphere.
    """
    part, layer = parts[0], place.layer
    return (
        len(parts) == 1
        and layer is not None
        and not layer.title
        and "RY" not in layer.channels
        and place.data == place.frame
        and (part.value("compression", "compression") or b"\0")[0] < BLENDERS_COMPRESSIONS
        and all(each.kind in (HALF, FLOAT) and each.step == (1, 1) for each in part.channels)
    )


def framed(
    planes: list[Plane], place: SpherePlace, display: Box2i | None, reading: PanoramaReading
) -> list[Plane]:
    """Put the pixels where they belong: what is not there is black, what is outside is cut away."""
    frame, data = place.frame, place.data
    if display not in (None, frame):
        width, height = display.size
        reading.notes.append(f"its display window of {width} x {height} pixels was ignored")
    if frame == data:
        return planes
    shared = overlap(data, frame)
    width, height = frame.size
    reading.notes.append(
        f"its {data.size[0]} x {data.size[1]} pixels were put in their place in {width} x {height}"
    )
    whole = [np.zeros((height, width), plane.dtype) for plane in planes]
    if shared is not None:
        for target, plane in zip(whole, planes, strict=True):
            target[within(shared, frame)] = plane[within(shared, data)]
    return whole


def within(window: Box2i, outer: Box2i) -> tuple[slice, slice]:
    """Return the rows and columns of a window in an array that begins with another."""
    return (
        slice(window.top - outer.top, window.bottom - outer.top + 1),
        slice(window.left - outer.left, window.right - outer.left + 1),
    )


def read_radiance(path: Path) -> PanoramaReading:
    """Read a Radiance picture."""
    whole = path.read_bytes()
    header = radiance_header(whole)
    if header is None:
        raise AssetError(str(path), "its header is damaged: it has no picture size")
    data = memoryview(whole)[header.data_at :]
    try:
        pixels = decode(data, *header.shape)
    except ScanlineError as error:
        raise AssetError(str(path), DAMAGED) from error
    reading = PanoramaReading()
    planes: list[Plane] = [turned(plane, header) for plane in radiance_of(pixels)]
    if header.axes != UPRIGHT:
        reading.notes.append(f"turned upright from {' '.join(header.axes)}")
    exposed = undo_exposure(planes, header, reading.notes)
    converted = convert(planes, radiance_conversion(header), reading.notes)
    if exposed or converted or header.axes != UPRIGHT or not is_ordinary(header, data):
        reading.planes = planes
    note_darkness(planes, reading.notes)
    return reading


def is_ordinary(header: RadianceHeader, data: memoryview) -> bool:
    """Say whether every reader, OpenImageIO's included, takes this header and its scanlines."""
    rows, width = header.shape
    return (
        header.ordinary
        and header.plain_format
        and (begins_scanline(data, 0, width) or len(data) == 4 * rows * width)
    )


def turned(plane: NDArray[np.float32], header: RadianceHeader) -> NDArray[np.float32]:
    """Return a picture with its first row at the top and its first column at the left."""
    if header.axes[0][1] == "X":
        plane = plane.T
    if "+Y" in header.axes:
        plane = plane[::-1]
    return plane[:, ::-1] if "-X" in header.axes else plane


def write_planes(planes: list[Plane], path: Path) -> None:
    """Write a picture that Blender reads as it is meant.

    Raises:
        OSError: There is no room.
    """
    names = "RGB" if len(planes) == 3 else "Y"
    header = {"compression": OpenEXR.ZIPS_COMPRESSION, "type": OpenEXR.scanlineimage}
    held = {name: np.ascontiguousarray(plane) for name, plane in zip(names, planes, strict=True)}
    try:
        OpenEXR.File(header, held).write(str(path))
    except RuntimeError as error:
        raise OSError(errno.EIO, f"{path.name}: {error}") from error
