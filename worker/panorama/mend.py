"""What is mended of a picture's numbers: exposure, colours, what is not a number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from farm.errors import AssetError
from farm.library.pictures.radiance import RadianceHeader
from worker.panorama.colour import Conversion
from worker.panorama.planes import Plane

HALF_MAX = 65504.0
BAND_PX = 1 << 20
"""Pixels converted at a time."""


def undo_exposure(planes: list[Plane], header: RadianceHeader, notes: list[str]) -> bool:
    """Divide by what a picture was multiplied with: all EXPOSURE and COLORCORR together."""
    factors = np.ones(3)
    for name, count in (("EXPOSURE", 1), ("COLORCORR", 3)):
        for value in header.numbers(name, count):
            factors *= value or 1.0
    if (factors == 1).all():
        return False
    for plane, factor in zip(planes, factors, strict=True):
        np.divide(plane, np.float32(factor), out=plane)
    told = ", ".join(f"{factor:g}" for factor in dict.fromkeys(factors.tolist()))
    notes.append(f"divided by the exposure in its header ({told})")
    return True


def replace_unnumbered(planes: list[Plane], path: Path, notes: list[str]) -> int:
    """Replace what is not a number or is infinite, in place; return how many texels had it.

    What is infinitely bright becomes as bright as the brightest of the picture: a sun that half
    precision cannot hold has bright neighbours, a stray pixel must not light the scene. All else
    becomes the mean of its neighbours, or black among its like.

    Raises:
        AssetError: Nothing else is there.
    """
    good = np.ones(planes[0].shape, bool)
    for plane in planes:
        good &= np.isfinite(plane)
    count = int(good.size - np.count_nonzero(good))
    if not count:
        return 0
    if count == good.size:
        raise AssetError(str(path), "none of its pixels is a number: export it again")
    rows, columns = np.nonzero(~good)
    brightest = max(float(plane[good].max()) for plane in planes)
    means = neighbours(planes, good, rows, columns)
    for plane, mean in zip(planes, means, strict=True):
        held = plane[rows, columns]
        bright = np.where(np.isposinf(held), brightest, held)
        plane[rows, columns] = np.where(np.isfinite(bright), bright, mean)
    notes.append(f"{count:,} of {good.size:,} pixels were not finite numbers and were replaced")
    return count


def neighbours(
    planes: list[Plane], good: NDArray[np.bool_], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> list[NDArray[np.float32]]:
    """Return the mean of the good pixels around each of some, in each plane; 0 where none is."""
    height, width = good.shape
    sums = [np.zeros(len(rows), np.float32) for _ in planes]
    counts = np.zeros(len(rows), np.float32)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            at = np.clip(rows + down, 0, height - 1), (columns + across) % width
            usable = good[at]
            counts += usable
            for total, plane in zip(sums, planes, strict=True):
                total += np.where(usable, plane[at], 0).astype(np.float32)
    counts = np.maximum(counts, 1)
    return [total / counts for total in sums]


def convert(planes: list[Plane], conversion: Conversion, notes: list[str]) -> bool:
    """Bring colours into the scene's, in place; grey is grey in all of them."""
    if conversion.note and (len(planes) == 3 or conversion.apply is None):
        notes.append(conversion.note)
    if conversion.apply is None or len(planes) != 3:
        return False
    brightest = max(float(abs(plane).max()) for plane in planes)
    if brightest * conversion.growth > HALF_MAX or any(p.dtype != planes[0].dtype for p in planes):
        planes[:] = [plane.astype(np.float32, copy=False) for plane in planes]
    height, width = planes[0].shape
    rows = max(1, BAND_PX // width)
    for top in range(0, height, rows):
        part = slice(top, top + rows)
        band = np.stack([plane[part] for plane in planes], axis=-1).astype(np.float32)
        band = conversion.apply(np.ascontiguousarray(band))
        for each, plane in enumerate(planes):
            plane[part] = band[..., each]
    return True


def note_darkness(planes: list[Plane], notes: list[str]) -> None:
    """Tell of a picture that gives no light: it may be wanted, or an export that went wrong."""
    if all(plane.max() <= 0 for plane in planes):
        notes.append("it is all black and gives no light")
