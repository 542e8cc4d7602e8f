"""Looking at the labels of one view: numbers, depth, normals, indices, boxes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.dataset.findings import CheckName
from farm.spec.label import ObjectLabel
from farm.spec.passes import PASSES, PassName
from farm.spec.record import ViewRecord

Arrays = dict[PassName, NDArray[Any]]
Mask = NDArray[np.bool_]
FEW_PIXELS, FEW_SHARE = 4, 0.005
"""So many pixels may disagree: a mask is a mean over a pixel, a label what is at its centre, so
they part ways at hairs, wires and leaves."""
LENGTH_SLACK = 1e-2
"""So far the length of a normal may be from 1."""
BOX_SLACK_PX = 2.0
"""8 bits do not tell the last shimmer of a mask from nothing."""
AREA_SLACK = 0.02
SURFACE = frozenset({"depth", "distance", "normal", "normal_world", "index", "material"})
"""Labels that tell whether there is a surface at all."""


def check_labels(arrays: Arrays, record: ViewRecord) -> Iterator[tuple[CheckName, list[str]]]:
    """Yield each check that has something to look at, with what it found."""
    floats = {name: pixels for name, pixels in arrays.items() if pixels.dtype == np.float32}
    if floats:
        yield "numbers", [what for name in floats if (what := strange_numbers(floats[name], name))]
    inside, outside = core(arrays.get("mask"))
    if record.see_through:
        inside = labelled(arrays)
    depths = [name for name in ("depth", "distance") if name in arrays]
    if depths:
        found = (strange_depth(arrays[name], name, inside, outside) for name in depths)
        yield "depth", [what for what in found if what]
    normals = [name for name in ("normal", "normal_world") if name in arrays]
    if normals:
        found = (strange_normals(arrays[name], name, inside) for name in normals)
        yield "normal", [what for what in found if what]
    tables = {"index": record.indices, "material": record.materials}
    indexed = [name for name in tables if name in arrays]
    if indexed:
        found = (
            strange_indices(arrays[name], name, {label.index for label in tables[name]}, inside)
            for name in indexed
        )
        yield "index", [what for what in found if what]
    if record.objects:
        yield "box", list(strange_boxes(record, arrays.get("mask")))


def core(mask: NDArray[Any] | None) -> tuple[Mask | None, Mask | None]:
    """Return which pixels, with all around them, are wholly in the mask, and which wholly out."""
    if mask is None:
        return None, None
    return eroded(mask == np.iinfo(mask.dtype).max), eroded(mask == 0)


def labelled(arrays: Arrays) -> Mask | None:
    """Return where any label tells of a surface, of which all then must.

    A mask of what is half clear does not say where that is: labels may look through all of it.
    """
    told = [there(name, pixels) for name, pixels in arrays.items() if name in SURFACE]
    return np.logical_or.reduce(told) if told else None


def there(name: PassName, pixels: NDArray[Any]) -> Mask:
    """Return where a label, (H, W) or (H, W, channels), tells of a surface."""
    if name in ("depth", "distance"):
        return np.isfinite(pixels)
    return pixels.reshape(*pixels.shape[:2], -1).any(axis=-1)


def eroded(pixels: Mask) -> Mask:
    """Return the pixels that are true with all 8 around them; outside the picture all are."""
    wide = np.pad(pixels, 1, constant_values=True)
    rows = wide[:, :-2] & wide[:, 1:-1] & wide[:, 2:]
    return rows[:-2] & rows[1:-1] & rows[2:]


def too_many(wrong: Mask, of: Mask) -> int:
    """Return how many pixels of `of` are wrong, or 0 where they are few."""
    count = int(np.count_nonzero(wrong & of))
    return count if count > max(FEW_PIXELS, FEW_SHARE * np.count_nonzero(of)) else 0


def strange_numbers(pixels: NDArray[Any], name: PassName) -> str | None:
    """Say where a pass holds what is no number."""
    if count := int(np.count_nonzero(np.isnan(pixels))):
        return f"{name} holds NaN {count} times"
    if not np.isinf(PASSES[name].background) and (count := int(np.count_nonzero(np.isinf(pixels)))):
        return f"{name} is infinite {count} times"
    return None


def strange_depth(
    depth: NDArray[Any], name: str, inside: Mask | None, outside: Mask | None
) -> str | None:
    """Say where a depth, (H, W), and the mask are not of one mind."""
    there = np.isfinite(depth)
    if count := int(np.count_nonzero(there & (depth <= 0))):
        return f"{name} is not positive at {count} pixels"
    if inside is not None and (count := too_many(~there, inside)):
        return f"{name} is infinite at {count} pixels of the model"
    if outside is not None and (count := too_many(there, outside)):
        return f"{name} is finite at {count} pixels of the background"
    return None


def strange_normals(normals: NDArray[Any], name: str, inside: Mask | None) -> str | None:
    """Say where normals, (H, W, 3), are not of length 1, or not there."""
    lengths = np.linalg.norm(normals, axis=-1)
    there = lengths > 0
    bad = there & ~(np.abs(lengths - 1) <= LENGTH_SLACK)
    if count := too_many(bad, there):
        worst = float(lengths[bad][np.abs(lengths[bad] - 1).argmax()])
        return f"{name} has not length 1 at {count} pixels, but up to {worst:.3g}"
    if inside is not None and (count := too_many(~there, inside)):
        return f"{name} is missing at {count} pixels of the model"
    return None


def strange_indices(
    pixels: NDArray[Any], name: str, known: set[int], inside: Mask | None
) -> str | None:
    """Say which values, (H, W), no table explains, or where there is none."""
    unknown = sorted(set(np.unique(pixels).tolist()) - known - {0})
    if unknown:
        some = ", ".join(map(str, unknown[:3])) + (", ..." if len(unknown) > 3 else "")
        return f"{name} holds {some}, which its table does not"
    if inside is not None and (count := too_many(pixels == 0, inside)):
        return f"{name} is missing at {count} pixels of the model"
    return None


def strange_boxes(record: ViewRecord, mask: NDArray[Any] | None) -> Iterator[str]:
    """Say which boxes lie outside the picture or do not fit the mask."""
    width, height = record.resolution_px
    outside = False
    for label in record.objects:
        if label.box_px is None:
            continue
        left, top, right, bottom = label.box_px
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            outside = True
            yield f"the box of {label.name}, {list(label.box_px)}, is not inside the picture"
    if mask is not None and not outside:
        yield from misfits(record.objects, mask)


def misfits(objects: tuple[ObjectLabel, ...], mask: NDArray[Any]) -> Iterator[str]:
    """Say how the boxes of all objects together are not the box of the mask, (H, W)."""
    boxes = [label.box_px for label in objects if label.box_px is not None]
    shown = mask > 0
    if not shown.any() or not boxes:
        if boxes:
            yield f"{objects[0].name} has a box, but the mask is empty"
        elif np.count_nonzero(shown) > FEW_PIXELS:
            yield f"{objects[0].name} has no box, but the mask is not empty"
        return
    columns, rows = np.flatnonzero(shown.any(axis=0)), np.flatnonzero(shown.any(axis=1))
    tight = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    corners = np.array(boxes)
    whole = np.concatenate([corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)])
    if np.abs(whole - tight).max() > BOX_SLACK_PX:
        yield f"the box is {whole.tolist()}, but the mask's is {tight.tolist()}"
        return
    area = float(mask.sum(dtype=np.float64)) / np.iinfo(mask.dtype).max
    told = sum(label.area_px for label in objects)
    if len(objects) == 1 and abs(told - area) > AREA_SLACK * area + FEW_PIXELS:
        yield f"the area is told as {told:.1f} pixels, but the mask's is {area:.1f}"
