"""Facts about the objects in a view, besides its pixels."""

from __future__ import annotations

from pydantic import Field

from farm.spec.base import Spec
from farm.spec.camera import Matrix4
from farm.spec.left_out import is_empty, is_none
from farm.spec.words import AssetWords

Point2 = tuple[float, float]
Point3 = tuple[float, float, float]


class Keypoint(Spec):
    """A point that the model names."""

    name: str
    px: Point2 | None
    """Where it falls in the picture (u right, v down, from the outer corner of the top-left
    pixel), inside or not; None where it is behind the camera."""
    depth: float
    """Along the camera's axis, in units of the view's world."""
    visible: bool | None = None
    """In the picture and not hidden; None where that is not known: it takes a depth pass."""


class Attributes(Spec):
    """What was measured of a thing; what could not be measured is not said."""

    colour: str | None = None
    """One of the basic terms, see `farm.spec.expression.ColourTerm`."""
    materials: tuple[str, ...] = ()
    """Such as `metal`, `shiny`, `glass`, `see-through`."""
    pose: str | None = None
    """`upright` or `lying`."""


class Occluder(Spec):
    """Another thing that hides a part of a thing."""

    object: int
    """Its place in the record's `objects`."""
    area_px: float
    """Pixels of the hidden part that show it."""


class ObjectLabel(Spec):
    """A thing in the scene."""

    name: str
    asset: int | None = None
    """Place in the record's `assets` of the one that it is of."""
    category: str
    """What kind of thing it is: the category of the asset's credit, else `object`."""
    indices: tuple[int, ...]
    """The values of the index pass that belong to it."""
    box_px: tuple[float, float, float, float] | None
    """Tight box of its mask, of pixels covered by a tenth or more: left, top, right, bottom; right
    and bottom are exclusive, so the width is right - left. None where nothing of it is seen."""
    area_px: float
    """Sum of its mask, pixels."""
    visible_fraction: float | None
    """Of its silhouette in the picture, the part that nothing else hides, 0..1; None where only a
    render of it alone would tell, and nobody asks for that."""
    truncation: float
    """Of its silhouette, the part that is outside the picture, 0..1, by the hull of its projected
    outermost points."""
    camera_from_object: Matrix4
    """Pose: Blender's and OpenGL's camera, which looks along -Z. A rotation and a shift, no scale;
    the object's frame has its origin at the middle of its box."""
    size: Point3
    """Sides of its box along the axes of its own frame, in units of the view's world."""
    world_from_file: Matrix4 | None = None
    """The coordinates of the asset's file to those of the view's world."""
    corners_px: tuple[Point2 | None, ...]
    """The 8 corners of that box in the picture, inside or not: x changes slowest, z quickest,
    minus before plus; None where one is behind the camera."""
    keypoints: tuple[Keypoint, ...] = ()
    words: AssetWords | None = Field(default=None, exclude_if=is_none)
    """What it is called, where sentences speak of it."""
    attributes: Attributes | None = Field(default=None, exclude_if=is_none)
    """What was measured of it, where sentences speak of it."""
    on: tuple[int, ...] = Field(default=(), exclude_if=is_empty)
    """Places in the record's `objects` of what it rests on."""
    inside: tuple[int, ...] = Field(default=(), exclude_if=is_empty)
    """Of what it lies in."""
    touches: tuple[int, ...] = Field(default=(), exclude_if=is_empty)
    """Of all that it touches."""
    amodal_area_px: float | None = Field(default=None, exclude_if=is_none)
    """Pixels of its silhouette in the picture, were nothing else there; None where that is not
    known."""
    amodal_box_px: tuple[float, float, float, float] | None = Field(
        default=None, exclude_if=is_none
    )
    """Tight box of that."""
    occluders: tuple[Occluder, ...] = Field(default=(), exclude_if=is_empty)
    """What hides parts of it, from the largest part on."""


class IndexLabel(Spec):
    """One value of the index or material pass."""

    index: int
    """From 1; 0 is the background."""
    name: str
    """As the model's file has it."""
    category: str | None = None
    colour: tuple[int, int, int]
    """In previews, sRGB."""
