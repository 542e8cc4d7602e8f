"""Checks of the labels of one view: numbers, depth, normals, indices, boxes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.arrays import ArraysError, Rows
from farm.dataset.verify.report import CheckName
from farm.projection import project
from farm.runs import mask_of
from farm.soundness import (
    BOX_FROM,
    box_around,
    shares_of,
    strange_lengths,
    strange_numbers,
    strange_rows,
    tight_box,
)
from farm.spec.counted import counted
from farm.spec.label import ObjectLabel
from farm.spec.passes import PASSES, PassKind, PassName
from farm.spec.record import ViewRecord

Arrays = dict[PassName, NDArray[Any]]
Mask = NDArray[np.bool_]
DEPTHS: tuple[PassName, ...] = ("depth", "distance")
NORMALS: tuple[PassName, ...] = ("normal", "normal_world", "normal_geometry")
FEW_PIXELS, FEW_SHARE = 4, 0.005
"""Pixels that may disagree: a mask is a mean over a pixel, a label what is at its centre, so
they part ways at hairs, wires and leaves."""
BOX_SLACK_PX = 2.0
"""8 bits do not tell the last shimmer of a mask from nothing."""
AREA_SLACK = 0.02
PLACE_SLACK = 1e-4
"""Largest distance of a tracked point from its place, as a share of the picture's longer side: what
32 bits leave of points far out in the world."""
DEPTH_SLACK = 1e-3
SHARE_SLACK = 1e-6
"""Rounding of a share."""
NUMBERS: frozenset[PassKind] = frozenset({"floats", "halves", "cryptomatte", "arrays"})
"""Kinds of passes of which not every number makes sense."""
SURFACE: tuple[PassName, ...] = (*DEPTHS, *NORMALS, "index", "material")
"""Labels that tell whether there is a surface at all."""


def check_labels(arrays: Arrays, record: ViewRecord) -> Iterator[tuple[CheckName, list[str]]]:
    """Yield each check that has something to look at, with what it found."""
    numbers = [name for name in arrays if PASSES[name].kind in NUMBERS]
    if numbers:
        yield "numbers", told(strange(name, arrays[name], record) for name in numbers)
    mask = arrays.get("mask")
    normals = [name for name in NORMALS if name in arrays]
    if normals:
        yield "normal", told(strange_lengths(name, arrays[name]) for name in normals)
    tables = {"index": record.indices, "material": record.materials}
    indexed = [name for name in tables if name in arrays]
    if indexed:
        found = (
            strange_indices(arrays[name], name, {label.index for label in tables[name]})
            for name in indexed
        )
        yield "index", told(found)
    if "tracks" in arrays:
        yield "tracks", list(strange_tracks(arrays["tracks"], record))
    if "amodal" in arrays:
        yield "amodal", list(strange_silhouettes(arrays, record))
    if record.objects:
        yield "box", list(strange_boxes(record, mask))
    if mask is not None and (set(arrays) & set(SURFACE) or len(record.objects) > 1):
        yield "depth", list(misfits(arrays, record, mask))


def strange(name: PassName, values: NDArray[Any], record: ViewRecord) -> str | None:
    """Say which numbers a label cannot have, if there are any."""
    if PASSES[name].kind == "arrays":
        return strange_rows(name, values)
    return strange_numbers(name, values, sees_behind=record.camera.sees_behind)


def strange_tracks(rows: Rows, record: ViewRecord) -> Iterator[str]:
    """Yield what is wrong with the tracks of a view."""
    if len(np.unique(rows["id"])) != len(rows):
        yield "two points have the same id"
    seen, px = rows["visible"], rows["px"]
    inside = ((px >= 0) & (px <= record.resolution_px)).all(axis=-1)
    if count := int(np.count_nonzero(seen & (rows["lost"] | ~inside))):
        yield f"{counted(count, 'point')} cannot be visible: lost, or out of the picture"
    world_from_camera = np.array(record.camera.world_from_camera)
    points = (rows["world"] - world_from_camera[:3, 3]) @ world_from_camera[:3, :3]
    away = np.linalg.norm(project(points, record.camera) - px, axis=-1)
    off = np.nan_to_num(away) > PLACE_SLACK * max(record.resolution_px)
    if count := int(np.count_nonzero(seen & (off | ~np.isfinite(away)))):
        yield f"{counted(count, 'point')} of the world are not where px says"
    depth = np.abs(rows["depth"] + points[:, 2]) > DEPTH_SLACK * np.abs(points[:, 2])
    if count := int(np.count_nonzero(seen & depth)):
        yield f"{counted(count, 'point')} of the world are not as far off as depth says"


def strange_silhouettes(arrays: Arrays, record: ViewRecord) -> Iterator[str]:
    """Yield what is wrong with the whole silhouettes of a view."""
    rows, known = arrays["amodal"], len(record.objects)
    if unknown := sorted(set(np.unique(rows["object"]).tolist()) - set(range(known))):
        yield f"there are silhouettes of objects that the record has not: {unknown[:3]}"
    for place, label in enumerate(record.objects):
        own = rows[rows["object"] == place]
        if label.amodal_area_px is None:
            if len(own):
                yield f"{label.name} has a silhouette, but no area of it in the record"
            continue
        try:
            mask = mask_of(own, place, record.resolution_px)
        except ArraysError as error:
            yield f"{label.name}: {error}"
            continue
        yield from strange_silhouette(label, own, mask, visible(label, arrays, record))


def strange_silhouette(
    label: ObjectLabel, rows: Rows, mask: Mask, seen: Mask | None
) -> Iterator[str]:
    """Yield what is wrong with the silhouette (H, W) of an object.

    Args:
        label: What the record says of it.
        rows: The runs of the silhouette.
        mask: The same as pixels.
        seen: (H, W), what of it nothing hides; None where that is not known.
    """
    start, end = rows["start"].astype(np.int64), rows["start"].astype(np.int64) + rows["length"]
    if (rows["length"] == 0).any() or (start[1:] <= end[:-1]).any():
        yield f"the runs of {label.name} are not in order, or overlap"
    area, box = int(np.count_nonzero(mask)), box_around(mask)
    if area != label.amodal_area_px or box != label.amodal_box_px:
        yield (
            f"the silhouette of {label.name} has {area} pixels in {box}, but its record says "
            f"{label.amodal_area_px:g} in {label.amodal_box_px}"
        )
    if seen is None:
        return
    if count := int(np.count_nonzero(seen & ~mask)):
        yield f"{counted(count, 'pixel')} of {label.name} are seen outside of its silhouette"
    share = np.count_nonzero(seen) / area if area else 0.0
    if abs(share - (label.visible_fraction or 0.0)) > SHARE_SLACK:
        yield (
            f"{share:.3f} of {label.name} are seen, but its record says "
            f"{label.visible_fraction or 0.0:.3f}"
        )


def visible(label: ObjectLabel, arrays: Arrays, record: ViewRecord) -> Mask | None:
    """Return which pixels (H, W) show an object, by the index pass, if there is one."""
    index = arrays.get("index")
    if index is None:
        return None
    return index > 0 if len(record.objects) == 1 else np.isin(index, label.indices)


def told(found: Iterable[str | None]) -> list[str]:
    """Return what was found, without what was not."""
    return [what for what in found if what]


def core(mask: NDArray[Any]) -> tuple[Mask, Mask]:
    """Return which pixels, with all around them, are wholly in the mask, and which wholly out."""
    return eroded(mask == np.iinfo(mask.dtype).max), eroded(mask == 0)


def labelled(arrays: Arrays) -> Mask:
    """Return where any label tells of a surface, of which all then must.

    A mask of what is half clear does not say where that is: labels may look through all of it.
    """
    told = [there(name, pixels) for name, pixels in arrays.items() if name in SURFACE]
    return np.asarray(np.logical_or.reduce(told), dtype=np.bool_)


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


def misfits(arrays: Arrays, record: ViewRecord, mask: NDArray[Any]) -> Iterator[str]:
    """Describe where labels and the mask, (H, W), disagree.

    A renderer keeps such views: what is full of holes, or can be seen through, is like this.
    """
    inside, outside = core(mask)
    if record.see_through:
        inside = labelled(arrays)
    for name in SURFACE:
        if name not in arrays:
            continue
        seen = there(name, arrays[name])
        word = "infinite" if name in DEPTHS else "missing"
        if count := too_many(~seen, inside):
            yield f"{name} is {word} at {counted(count, 'pixel')} of the model"
        if name in DEPTHS and (count := too_many(seen, outside)):
            yield f"{name} is finite at {counted(count, 'pixel')} of the background"
    if len(record.objects) > 1 and (what := strange_union(record.objects, mask)):
        yield what


def strange_union(objects: tuple[ObjectLabel, ...], mask: NDArray[Any]) -> str | None:
    """Say how the boxes of several objects together are not the box of the mask, (H, W)."""
    boxes = np.array([label.box_px for label in objects if label.box_px is not None])
    tight = tight_box(shares_of(mask))
    if not len(boxes) or tight is None:
        return None
    whole = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    if np.abs(whole - np.array(tight)).max() <= BOX_SLACK_PX:
        return None
    return f"the boxes together are {whole.tolist()}, but the mask's is {list(tight)}"


def strange_indices(pixels: NDArray[Any], name: str, known: set[int]) -> str | None:
    """Say which values, (H, W), no table explains."""
    unknown = sorted(set(np.unique(pixels).tolist()) - known - {0})
    if unknown:
        some = ", ".join(map(str, unknown[:3])) + (", ..." if len(unknown) > 3 else "")
        return f"{name} holds {some}, which are not in its table"
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
    if mask is not None and not outside and len(record.objects) == 1:
        yield from strange_fit(record.objects[0], mask)


def strange_fit(label: ObjectLabel, mask: NDArray[Any]) -> Iterator[str]:
    """Say how an object that is alone does not fit the mask, (H, W), which was made of it."""
    shares = shares_of(mask)
    tight, box = tight_box(shares), label.box_px
    if tight is None:  # of what no mask can show there may be a box
        return
    if box is None:
        yield f"{label.name} has no box, but the mask is not empty"
        return
    wider = shares.max() < BOX_FROM  # around all of it, also what the mask is too coarse to show
    off = np.array(box) - np.array(tight)
    beside = np.maximum(off * (1, 1, -1, -1), 0) if wider else np.abs(off)
    if beside.max() > BOX_SLACK_PX:
        yield f"the box is {list(box)}, but the mask's is {list(tight)}"
        return
    area = float(shares.sum())
    unseen = mask.size / 2 / np.iinfo(mask.dtype).max  # a pixel is rounded by half a grey level
    if abs(label.area_px - area) > AREA_SLACK * area + FEW_PIXELS + unseen:
        yield f"the recorded area is {label.area_px:.1f} pixels, but the mask's is {area:.1f}"
