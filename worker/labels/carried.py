"""Passes of points that their meshes carry to the neighbouring frames of a sequence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.errors import RenderError
from farm.projection import project, reach_of
from farm.spec.passes import CARRIED, PASSES, PassName
from farm.spec.record import CameraRecord
from worker.labels.flow import Side
from worker.labels.tracks import is_behind
from worker.points.carrying import Footing, footing
from worker.points.first_hits import Numbers
from worker.points.followed import Flags, in_camera
from worker.points.surfaces import Eye, Scenery
from worker.points.tracking import Tracking


@dataclass(frozen=True, eq=False)
class CarriedFrame:
    """What carrying needs to know of one frame."""

    reach: NDArray[np.float32]
    """(H, W), how far off what is seen is, as Cycles' depth has it."""
    index: NDArray[np.uint16]
    """(H, W), 0 where there is nothing."""
    camera: CameraRecord
    scenery: Scenery

    @property
    def eye(self) -> Eye:
        """What sees it."""
        height, width = self.reach.shape
        return Eye(self.camera, (width, height))

    @cached_property
    def footing(self) -> Footing:
        """The points of meshes that it shows."""
        return footing(self.reach, self.index, self.eye, self.scenery)

    @cached_property
    def world(self) -> Numbers:
        """(K, 3), where these points are."""
        return self.footing.carried(self.scenery, self.scenery)


@dataclass(frozen=True, eq=False)
class Step:
    """The points (K,) that a frame shows, carried to a neighbouring frame."""

    here: CarriedFrame
    there: CarriedFrame

    @cached_property
    def world(self) -> Numbers:
        """(K, 3), where they are there; NaN where that is not known."""
        return self.here.footing.carried(self.here.scenery, self.there.scenery)

    @cached_property
    def local(self) -> Numbers:
        """(K, 3), the same in the frame of the camera there."""
        return in_camera(self.world, self.there.camera)

    @cached_property
    def px(self) -> Numbers:
        """(K, 2), where they fall there, in the picture or beside; NaN behind the camera."""
        return project(self.local, self.there.camera)

    @cached_property
    def inside(self) -> Flags:
        """(K,): they fall into the picture there."""
        return np.asarray(((self.px >= 0) & (self.px < self.there.eye.size)).all(axis=1))

    def moved_in_world(self) -> Numbers:
        """Return by how much (K, 3) they move in the world."""
        return self.world - self.here.world

    def moved(self) -> Numbers:
        """Return by how much (K, 3) they move as the two cameras have it, each in its own frame."""
        return self.local - in_camera(self.here.world, self.here.camera)

    def hidden(self) -> Flags:
        """Return which (K,) are inside the picture there, and not to be seen."""
        there, seen = self.there, self.inside.copy()
        local = self.local[seen]
        is_open = there.scenery.is_open(local, there.eye)
        behind = is_behind(self.px[seen], reach_of(local, there.camera), there.reach)
        seen[seen] = is_open & ~behind
        return np.asarray(self.inside & ~seen)

    def outside(self) -> Flags:
        """Return which (K,) are known to fall beside the picture there, or behind the camera."""
        return np.asarray(np.isfinite(self.world).all(axis=1) & ~self.inside)


def carried_frame(
    reach: NDArray[np.float32],
    index: NDArray[np.uint16],
    camera: CameraRecord,
    tracking: Tracking | None,
) -> CarriedFrame:
    """Return what carrying needs to know of a frame.

    Raises:
        RenderError: Its recipe keeps no surfaces, or the renderer did not show them.
    """
    if tracking is None or tracking.scenery is None:
        raise RenderError("scene flow, occlusion: the renderer has not shown its meshes")
    return CarriedFrame(reach, index, camera, tracking.scenery)


def carried_passes(
    wanted: Iterable[PassName], here: CarriedFrame, there: CarriedFrame | None, side: Side
) -> dict[PassName, NDArray[Any]]:
    """Return the passes of a frame that lead to its neighbour on one side.

    Nothing is known where there is none.
    """
    step = Step(here, there) if there is not None else None
    names = [name for name in wanted if name in CARRIED and side in name.split("_")]
    return {
        name: moves(name, here, step) if PASSES[name].kind == "floats" else why(name, here, step)
        for name in names
    }


def moves(name: PassName, here: CarriedFrame, step: Step | None) -> NDArray[np.float32]:
    """Return a scene flow (H, W, 3), NaN where it is not known."""
    found = np.full((here.reach.size, 3), np.nan, np.float32)
    if step is not None:
        in_world = name.endswith("_world")
        found[here.footing.pixels] = step.moved_in_world() if in_world else step.moved()
    return found.reshape(*here.reach.shape, 3)


def why(name: PassName, here: CarriedFrame, step: Step | None) -> NDArray[np.uint8]:
    """Return where (H, W) the neighbour does not show a point, for one reason: 255, or 0."""
    found = np.zeros(here.reach.size, np.uint8)
    if step is not None:
        unseen = step.hidden() if name.startswith("occlusion_") else step.outside()
        found[here.footing.pixels[unseen]] = 255
    return found.reshape(here.reach.shape)
