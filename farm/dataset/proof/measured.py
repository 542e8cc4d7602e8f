"""What the passes of a view show of each of its objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.proof.boxes import Box, box_of
from farm.dataset.proof.colours import Shares, shares_of_terms
from farm.spec.expression import VISIBLE_FRACTION, VISIBLE_PX
from farm.spec.label import ObjectLabel
from farm.spec.passes import PassName
from farm.spec.record import CameraRecord, ViewRecord

Arrays = Mapping[PassName, NDArray[Any]]
Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
SURFACE = "surface"
"""Category of what all stands on."""
FEW_PIXELS = 4
"""Fewer pixels that are no edge tell no colour."""
MOST_PIXELS = 1000
"""Pixels of which the colour is looked up, evenly spread: enough for shares of a hundredth."""
COLOURLESS = frozenset({"metal", "glass"})
"""Materials of which the albedo pass is black, so that it tells no colour."""
STEEP = 0.1
"""A camera whose axis has less of itself along the ground looks straight down."""


class Naming(NamedTuple):
    """How much of a thing must be seen for a sentence to name it."""

    fraction: float = VISIBLE_FRACTION
    pixels: int = VISIBLE_PX


USUAL = Naming()


@dataclass(frozen=True, eq=False)
class Measured:
    """An object of which at least one pixel is seen."""

    place: int
    """In the record's `objects`."""
    label: ObjectLabel
    box: Box
    pixels: Mask
    """(H, W), which show it."""
    points: Numbers | None
    """(N, 3), in the world, of these; None without a depth pass."""
    shares: Shares | None
    """Of each colour term; None where no colour can be told."""
    visible_fraction: float | None

    @cached_property
    def area(self) -> int:
        """How many pixels show it."""
        return int(np.count_nonzero(self.pixels))

    @cached_property
    def middle_px(self) -> Numbers:
        """(2,), the mean of these pixels: u, v."""
        v, u = np.nonzero(self.pixels)
        return np.array([u.mean() + 0.5, v.mean() + 0.5])

    @cached_property
    def middle(self) -> Numbers:
        """(3,), the mean of what is seen of it, in the world; of its box where that is unknown."""
        return self.box.centre if self.points is None else self.points.mean(axis=0)

    @property
    def is_surface(self) -> bool:
        """It is what all stands on."""
        return self.label.category == SURFACE


@dataclass(frozen=True, eq=False)
class MeasuredView:
    """A view, as its passes show it."""

    record: ViewRecord
    objects: dict[int, Measured]
    """Place -> those that are seen."""
    depth: Numbers | None
    """(H, W), along the camera's axis; None where it does not show places."""
    has_albedo: bool
    naming: Naming

    @property
    def has_depth(self) -> bool:
        """It is known where things are."""
        return self.depth is not None

    @cached_property
    def rays(self) -> Numbers:
        """(H, W, 3): ways of the pixels' centres in the world, a unit along the axis each."""
        camera = self.record.camera
        return world_ways(camera, self.record.resolution_px[::-1])

    def pixels_of(self, points: Numbers) -> Numbers:
        """Return where points (N, 3) of the world are in the picture, (N, 2); NaN behind it."""
        camera, pose = self.record.camera, self.world_from_camera
        local = (points - pose[:3, 3]) @ pose[:3, :3]
        far = np.where(local[:, 2] < 0, -local[:, 2], np.nan)
        u = camera.cx_px + (camera.fx_px or np.nan) * local[:, 0] / far
        v = camera.cy_px - (camera.fy_px or np.nan) * local[:, 1] / far
        return np.stack([u, v], axis=-1)

    @property
    def knows_visibility(self) -> bool:
        """It is known of everything how much of it is seen."""
        return all(
            each.visible_fraction is not None
            for each in self.objects.values()
            if not each.is_surface
        )

    @cached_property
    def world_from_camera(self) -> Numbers:
        """(4, 4)."""
        return np.array(self.record.camera.world_from_camera)

    @property
    def right(self) -> Numbers:
        """(3,), the picture's right, in the world."""
        return self.world_from_camera[:3, 0]

    @cached_property
    def away(self) -> Numbers:
        """(3,), away from the camera, level; of one that looks straight down the picture's up."""
        ahead = -self.world_from_camera[:3, 2]
        if np.hypot(ahead[0], ahead[1]) < STEEP:
            ahead = self.world_from_camera[:3, 1]
        level = np.array([ahead[0], ahead[1], 0.0])
        return np.asarray(level / np.linalg.norm(level))


def measure(record: ViewRecord, arrays: Arrays, naming: Naming) -> MeasuredView:
    """Measure what an index pass shows, with the depth and albedo passes where they are there.

    Args:
        record: The view; of it are taken the camera, and what objects are called.
        arrays: Its passes; `index` is among them.
        naming: How much of a thing must be seen for a sentence to name it.
    """
    index = arrays["index"]
    points = world_points(arrays.get("depth"), record.camera)
    world_from_camera = np.array(record.camera.world_from_camera)
    found = {}
    for place, label in enumerate(record.objects):
        pixels = np.isin(index, label.indices)
        if not pixels.any():
            continue
        found[place] = Measured(
            place=place,
            label=label,
            box=box_of(label, world_from_camera),
            pixels=pixels,
            points=None if points is None else finite(points[pixels]),
            shares=colour_of(label, pixels, arrays.get("albedo")),
            visible_fraction=visible_fraction(place, label, pixels, arrays.get("amodal")),
        )
    depth = None if points is None else arrays["depth"].reshape(index.shape)
    return MeasuredView(record, found, depth, "albedo" in arrays, naming)


def visible_fraction(
    place: int, label: ObjectLabel, pixels: Mask, runs: NDArray[Any] | None
) -> float | None:
    """Return the share of an object that is seen, of its silhouette or else as recorded.

    Args:
        place: Of the object.
        label: What is recorded of it.
        pixels: (H, W), which show it.
        runs: Of all silhouettes, where there is such a pass.
    """
    if runs is None or label.amodal_area_px is None:
        return label.visible_fraction
    whole = int(runs["length"][runs["object"] == place].sum())
    return min(1.0, np.count_nonzero(pixels) / whole) if whole else label.visible_fraction


def world_points(depth: NDArray[Any] | None, camera: CameraRecord) -> Numbers | None:
    """Return the points (H, W, 3) of the world at the pixels' centres; of a pinhole alone."""
    if depth is None or camera.fx_px is None:
        return None
    eye = np.array(camera.world_from_camera)[:3, 3]
    height, width = depth.shape[:2]
    ways = world_ways(camera, (height, width))
    with np.errstate(invalid="ignore"):
        return np.asarray(eye + ways * depth.reshape(height, width, 1).astype(np.float64))


def world_ways(camera: CameraRecord, shape: tuple[int, int]) -> Numbers:
    """Return the ways (H, W, 3) of the pixels' centres in the world, a unit along the axis each.

    u = cx + fx x / d, v = cy - fy y / d, at a depth d along the axis.
    """
    v, u = np.indices(shape) + 0.5
    x = (u - camera.cx_px) / (camera.fx_px or np.nan)
    y = (camera.cy_px - v) / (camera.fy_px or np.nan)
    turn = np.array(camera.world_from_camera)[:3, :3]
    return np.asarray(np.stack([x, y, -np.ones(shape)], axis=-1) @ turn.T)


def finite(points: Numbers) -> Numbers | None:
    """Return the points (N, 3) that are anywhere; None where none is."""
    kept = points[np.isfinite(points).all(axis=-1)]
    return kept if len(kept) else None


def colour_of(label: ObjectLabel, pixels: Mask, albedo: NDArray[Any] | None) -> Shares | None:
    """Return which share of an object's pixels (H, W) has which colour; None where none tells."""
    if albedo is None or COLOURLESS & {*materials_of(label)}:
        return None
    within = core(pixels)
    if np.count_nonzero(within) < FEW_PIXELS:
        return None
    colours = albedo[within]
    return shares_of_terms(colours[:: -(-len(colours) // MOST_PIXELS)])


def materials_of(label: ObjectLabel) -> tuple[str, ...]:
    """Return the materials that a record says an object has."""
    return label.attributes.materials if label.attributes else ()


def core(pixels: Mask) -> Mask:
    """Return the pixels that are true with all 8 around them: albedo is a mean over a pixel."""
    wide = np.pad(pixels, 1, constant_values=False)
    rows = wide[:, :-2] & wide[:, 1:-1] & wide[:, 2:]
    return rows[:-2] & rows[1:-1] & rows[2:]
