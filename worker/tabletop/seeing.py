"""What is known of the things in a view by the pixels that show them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.expressions.seen import SeenObject
from farm.projection import points_at, projected
from farm.soundness import tight_box
from farm.spec.label import ObjectLabel
from farm.spec.record import CameraRecord
from worker.labels.arrays import reach
from worker.labels.objects import Thing, box_corners, moved, silhouette
from worker.labels.polygons import area, clipped, hull
from worker.labels.telling import Looked
from worker.tabletop.attributes import Colour, Materials
from worker.tabletop.pixels import Mask, deepest


class Pixels(NamedTuple):
    """The passes of a view that things are measured by."""

    numbers: NDArray[np.uint16]
    """(H, W)"""
    albedo: NDArray[np.float32]
    """(H, W, 3), linear."""
    paints: NDArray[np.uint16]
    """(H, W), numbers of materials; 0 where there is none."""
    points: NDArray[np.float64]
    """(H, W, 3), what the pixels' centres show, in the camera's frame; not finite where there is
    nothing."""
    camera: CameraRecord

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.numbers.shape[1], self.numbers.shape[0]


class Measured(NamedTuple):
    """What was measured of a thing in a view."""

    mask: Mask
    """(H, W), where it is seen."""
    colour: Colour
    materials: Materials
    pose: str | None


def pixels_of(looked: Looked) -> Pixels:
    """Return what was rendered of a view as things are measured by it."""
    assert looked.indices is not None
    layers = looked.passes.layers
    return Pixels(
        numbers=looked.indices,
        albedo=layers["Diffuse Color"],
        paints=np.rint(layers["Material Index"][..., 0]).astype(np.uint16),
        points=points_at(reach(looked.passes), looked.camera),
        camera=looked.camera,
    )


def seen_object(  # noqa: PLR0913 - what is known comes from so many sides
    place: int,
    label: ObjectLabel,
    measured: Measured,
    thing: Thing,
    pixels: Pixels,
    *,
    spoken: frozenset[str],
) -> SeenObject:
    """Return a thing in a view as sentences speak of it.

    Args:
        place: Its place in the record.
        label: What the record tells of it.
        measured: What was measured of it, of which at least one pixel is seen.
        thing: The thing itself.
        pixels: The view.
        spoken: Words for materials that are said of some thing of the scene.
    """
    mask = measured.mask
    rows, columns = np.nonzero(mask)
    centre = np.array(thing.world_from_object, dtype=np.float64)[:3, 3]
    box = tight_box(mask.astype(np.float32))
    assert box is not None
    return SeenObject(
        place=place,
        words=label.words,
        is_surface=place == 0,
        colour=measured.colour.said,
        colours=measured.colour.might,
        materials=measured.materials.said,
        pose=measured.pose,
        size_m=size_of(label),
        height_m=top_of(thing),
        rise_m=rise_of(thing),
        centre_m=centre,
        seen_m=seen_at(mask, pixels, centre),
        mean_px=np.array([columns.mean() + 0.5, rows.mean() + 0.5]),
        point_px=deepest(mask),
        box_px=label.box_px or box,
        area_px=float(len(rows)),
        visible_fraction=visible_fraction(label, thing, pixels, len(rows)),
        on=frozenset(label.on),
        inside=frozenset(label.inside),
        maybe_materials=maybe_materials(label, measured.materials, spoken),
    )


def seen_at(mask: Mask, pixels: Pixels, centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean (3,) of the points of a thing that are seen, in the world.

    Of what has no surface, such as mist, that is its centre (3,).
    """
    points = pixels.points[mask]
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return centre
    mean = points.mean(axis=0, keepdims=True)
    seen: NDArray[np.float64] = moved(mean, np.array(pixels.camera.world_from_camera))[0]
    return seen


def maybe_materials(
    label: ObjectLabel, materials: Materials, spoken: frozenset[str]
) -> frozenset[str]:
    """Return what a thing may be made of besides what is said; of words that only a person knows,
    all where no person has said what it is made of.
    """
    words = label.words
    known = words is not None and words.confirmed and words.material is not None
    return (materials.unsure | (frozenset() if known else spoken)) - materials.said


def size_of(label: ObjectLabel) -> float:
    """Return the longest side of a thing's box."""
    return max(label.size)


def top_of(thing: Thing) -> float:
    """Return how high a thing reaches over the table's plane."""
    if len(thing.outline):
        return float(thing.outline[:, 2].max())
    corners = moved(box_corners(thing.size), np.array(thing.world_from_object))
    return float(corners[:, 2].max())


def rise_of(thing: Thing) -> float:
    """Return how high a thing's box is, as it stands."""
    corners = moved(box_corners(thing.size), np.array(thing.world_from_object))
    return float(np.ptp(corners[:, 2]))


def visible_fraction(label: ObjectLabel, thing: Thing, pixels: Pixels, seen_px: int) -> float:
    """Return the part of a thing's silhouette in the picture that nothing hides.

    Where the label does not say it, the silhouette is taken for the hull of its outermost points,
    which is larger: the fraction is never too high.
    """
    if label.visible_fraction is not None:
        return label.visible_fraction
    camera_from_world = np.linalg.inv(np.array(pixels.camera.world_from_camera))
    corners = moved(box_corners(thing.size), camera_from_world @ np.array(thing.world_from_object))
    outline = moved(thing.outline, camera_from_world) if len(thing.outline) else corners
    points = silhouette(outline, corners, pixels.camera)
    if len(points) < 3:
        return 0.0
    whole = area(clipped(hull(projected(points, pixels.camera)), pixels.size))
    return min(1.0, seen_px / whole) if whole > 0.0 else 0.0
