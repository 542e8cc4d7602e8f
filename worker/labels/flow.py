"""Flow between the frames of a sequence: what Cycles leaves out, and where it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from farm.projection import points_at, project, reach_of
from farm.spec.passes import PassName
from farm.spec.record import CameraRecord, OrthographicRecord
from worker.bounds import transformed
from worker.points.carrying import by_number
from worker.points.followed import in_camera
from worker.points.forms import Form

Floats = NDArray[np.float32]
Side = Literal["forward", "backward"]
PASSES: dict[Side, tuple[PassName, PassName]] = {
    "forward": ("flow_forward", "flow_forward_valid"),
    "backward": ("flow_backward", "flow_backward_valid"),
}
"""The flow to each side, and where it is valid."""
OTHER: dict[Side, Side] = {"forward": "backward", "backward": "forward"}
AGREES_PX = 0.5
"""How far a point that went to the other frame and back may be from where it started."""
AGREES_SHARE = 0.3
"""The same, as a share of the way from a point to the centre of the pixel that shows it: what is
larger in one frame than in the other takes fewer or more pixels there."""

KNOWN_PX = 0.1
"""How far from where its object takes it a point may flow to be known to go there."""
REACH_SHARE = 0.01
"""Share of the way to a point by which it may be nearer or farther than all pixels around the place
where it is, beside as much as they differ among each other: surfaces bend."""

Shape = tuple[int, ...]
"""What makes a mesh: as long as it is the same, its points can be followed."""


@dataclass(frozen=True, eq=False)
class FlowFrame:
    """What flow needs to know of one frame."""

    flow: Mapping[Side, Floats]
    """(H, W, 2), pixels, x right, y down, as Cycles has it: through a lens that stands still."""
    index: NDArray[np.uint16]
    """(H, W), 0 where there is nothing."""
    camera: CameraRecord
    shapes: Mapping[int, Shape] = field(default_factory=dict)
    """Index -> what its mesh is made of; what is not there now is not among them."""
    reach: Floats | None = None
    """(H, W), how far off what is seen is, as Cycles' depth has it."""
    forms: Mapping[int, Form] = field(default_factory=dict)
    """Index -> where its points are."""


def with_lens(flow: Floats, here: CameraRecord, there: CameraRecord) -> Floats:
    """Return a flow (H, W, 2) with the move of the picture that Cycles leaves out.

    It knows of an animated focal length, but not of an animated shift of the lens, nor of an
    animated scale of an orthographic camera.
    """
    middle = np.array([here.cx_px, here.cy_px])
    shift = np.array([there.cx_px, there.cy_px]) - middle
    zoom = zoom_of(here, there)
    if not shift.any() and zoom == 1.0:
        return flow
    landed = centres(flow.shape[0], flow.shape[1]) + flow
    return np.asarray(flow + shift + (zoom - 1.0) * (landed - middle), dtype=np.float32)


def zoom_of(here: CameraRecord, there: CameraRecord) -> float:
    """Return by how much an orthographic camera magnifies more."""
    if isinstance(here.lens, OrthographicRecord) and isinstance(there.lens, OrthographicRecord):
        return there.lens.px_per_unit / here.lens.px_per_unit
    return 1.0


def flow_to(here: FlowFrame, there: FlowFrame | None, side: Side) -> Floats:
    """Return the flow (H, W, 2) of a frame to its neighbour; where there is none, Cycles' own.

    What has no surface flows as Cycles has it: as the camera turns.
    """
    if there is None:
        return here.flow[side]
    moved = with_lens(here.flow[side], here.camera, there.camera)
    return np.where(here.index[..., None] > 0, moved, here.flow[side])


def is_valid(
    here: FlowFrame, there: FlowFrame | None, side: Side, flow: Floats
) -> NDArray[np.bool_]:
    """Return where (H, W) the neighbouring frame shows the same point of a surface.

    A pixel's point is there if one of the four pixels around the place to which it flows shows the
    same thing, and flows back to where the point came from: what hides it would flow elsewhere.
    Where it is known how far off the point is there, that pixel must be as far off.
    """
    if there is None:
        return np.zeros(here.index.shape, bool)
    height, width = here.index.shape
    start = centres(height, width)
    landed = start + flow
    back = flow_to(there, here, OTHER[side])
    agrees = Agreement(here, there, landed)
    corner = np.floor(landed - 0.5).astype(np.int64)
    found = np.zeros(here.index.shape, bool)
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        x, y = corner[..., 0] + right, corner[..., 1] + down
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
        pixel = np.stack([x + 0.5, y + 0.5], axis=-1)
        away = pixel - landed
        error = np.linalg.norm(pixel + back[y, x] - start - away, axis=-1)
        bound = AGREES_PX + AGREES_SHARE * np.linalg.norm(away, axis=-1)
        same = inside & (there.index[y, x] == here.index) & (error < bound)
        found |= same & agrees(x, y)
    inside_picture = ((landed >= 0) & (landed < [width, height])).all(axis=-1)
    return found & inside_picture & (here.index > 0) & is_followed(here, there)


class Agreement:
    """Whether pixels of a neighbouring frame are as far off as the points that flow to them.

    How far off a point is there is known of what keeps its form: it goes where its object goes.
    Only if the point falls to where it flows that is taken for true, since copies of an object go
    their own ways.
    """

    def __init__(self, here: FlowFrame, there: FlowFrame, landed: NDArray[np.float64]) -> None:
        self._reach = reach_there(here, there, landed)
        if self._reach is not None:
            assert there.reach is not None
            self._nearest, self._farthest = spans(there.reach, there.index)

    def __call__(self, x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say for which pixels those at (x, y), each (H, W), of the other frame do."""
        if self._reach is None:
            return np.ones(x.shape, bool)
        near, far = self._nearest[y, x], self._farthest[y, x]
        with np.errstate(invalid="ignore"):  # infinite minus infinite, where there is nothing
            slack = REACH_SHARE * np.abs(self._reach) + (far - near)
            beside = (self._reach < near - slack) | (self._reach > far + slack)
        return ~beside  # NaN, where it is not known, is never beside


def reach_there(
    here: FlowFrame, there: FlowFrame, landed: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return how far off (H, W) the points of pixels are in a neighbouring frame, NaN if unknown.

    None where nothing is known of any.
    """
    if here.reach is None or there.reach is None or not here.forms:
        return None
    pose = np.array(here.camera.world_from_camera)
    own = points_at(here.reach, here.camera).reshape(-1, 3)
    far = np.full(len(own), np.nan)
    for index, pixels in by_number(here.index.reshape(-1)):
        form, other = here.forms.get(index), there.forms.get(index)
        matrix = form.carries(other) if form is not None and other is not None else None
        if matrix is not None:
            pixels = pixels[np.isfinite(own[pixels]).all(axis=1)]
            moved = in_camera(transformed(own[pixels], matrix @ pose), there.camera)
            px = project(moved, there.camera)
            arrived = np.linalg.norm(px - landed.reshape(-1, 2)[pixels], axis=1) < KNOWN_PX
            far[pixels[arrived]] = reach_of(moved[arrived], there.camera)
    return far.reshape(here.index.shape)


def spans(reach: Floats, index: NDArray[np.uint16]) -> tuple[Floats, Floats]:
    """Return the nearest and the farthest (H, W) that the thing of each pixel shows there and in
    the pixels around it."""
    height, width = reach.shape
    wide, things = np.pad(reach, 1, mode="edge"), np.pad(index, 1, mode="edge")
    nearest, farthest = reach.copy(), reach.copy()
    for down, right in np.ndindex(3, 3):
        around = slice(down, down + height), slice(right, right + width)
        same = things[around] == index
        np.minimum(nearest, wide[around], out=nearest, where=same)
        np.maximum(farthest, wide[around], out=farthest, where=same)
    return nearest, farthest


def is_followed(here: FlowFrame, there: FlowFrame) -> NDArray[np.bool_]:
    """Return where (H, W) a thing has the same points in both frames."""
    changed = [
        index for index, shape in here.shapes.items() if there.shapes.get(index, shape) != shape
    ]
    gone = [index for index in here.shapes if there.shapes and index not in there.shapes]
    return ~np.isin(here.index, [*changed, *gone])


def centres(height: int, width: int) -> NDArray[np.float64]:
    """Return the centres (H, W, 2) of pixels, from the outer corner of the top-left one."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([x, y], axis=-1)
