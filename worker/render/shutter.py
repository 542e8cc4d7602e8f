"""What is seen while the shutter of a frame is open: several pictures, of which none is kept."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from farm.spec.camera import Matrix4
from farm.spec.passes import PassName
from farm.spec.shutter import Shutter
from farm.spec.view import View
from worker.images.multilayer import Passes, read_once
from worker.labels.events import EventSensor
from worker.labels.rim import within_rim
from worker.recipes import Shot, Stage, brighter
from worker.render.rendered import Exposure, Linear, Rendered

if TYPE_CHECKING:  # which imports Blender
    from worker.blender.session import BlenderSession


def expose(rendered: Rendered, shutter: Shutter, stage: Stage, session: BlenderSession) -> Exposure:
    """Render the sub-frames of a frame that was rendered, one after the other, and add them up.

    All have the frame's own seed: what stands still has the same noise in each of them, so that its
    blur is its sharp picture, and no event is made of noise.
    """
    film = Film(shutter, session.passes)
    for place, offset in enumerate(shutter.offsets):
        if offset == 0.0:
            passes, shot, own = rendered.look(), rendered.shot, True
        else:
            passes, shot = subframe(rendered.view, offset, stage, session)
            shot = brighter(shot, rendered.stops)
            own = False
        film.add(place, time_of(rendered.view, offset), linear(passes, shot))
        film.poses.append((time_of(rendered.view, offset), shot.camera.world_from_camera))
        film.sample_s += 0.0 if own else passes.sample_s
    return film.developed()


def subframe(
    view: View, offset: float, stage: Stage, session: BlenderSession
) -> tuple[Passes, Shot]:
    """Render the picture of a moment beside a frame."""
    shot = stage.arrange(stage.beside(view, offset))
    return read_once(session.render_picture(seed=view.seed)), shot


def linear(passes: Passes, shot: Shot) -> Linear:
    """Return the scene-linear picture of what was rendered."""
    return within_rim(passes, shot.camera).picture(gain=shot.gain * shot.exposure)


def time_of(view: View, offset: float) -> float:
    """Return when a sub-frame is, in seconds from the first frame of the sequence."""
    assert view.moment is not None, "only frames of sequences have sub-frames"
    return view.moment.time_s + offset / view.moment.fps


class Film:
    """Sub-frames in the order of time, added up as they come."""

    def __init__(self, shutter: Shutter, wanted: Collection[PassName]) -> None:
        self._shutter = shutter
        self._wanted = wanted
        self._mean: NDArray[np.float64] | None = None
        self._rows: Linear | None = None
        self._last: Linear | None = None
        self._sensor = EventSensor(shutter.event_threshold)
        self._is_number = True
        self.poses: list[tuple[float, Matrix4]] = []
        self.sample_s = 0.0

    def add(self, place: int, time_s: float, picture: Linear) -> None:
        """Take the next sub-frame."""
        self._is_number = self._is_number and not np.isnan(picture).any()
        if "blur" in self._wanted:
            self._blur(place, picture)
        if "rolling_shutter" in self._wanted:
            self._roll(place, picture)
        if "events" in self._wanted:
            self._sensor.see(picture, time_s)

    def developed(self) -> Exposure:
        """Return what all sub-frames made."""
        pictures: dict[PassName, Linear] = {}
        rows: dict[PassName, NDArray[Any]] = {}
        if self._mean is not None:
            pictures["blur"] = self._mean.astype(np.float32)
        if self._rows is not None:
            pictures["rolling_shutter"] = self._rows
        if "events" in self._wanted:
            rows["events"] = self._sensor.events()
        return Exposure(
            pictures=pictures,
            rows=rows,
            poses=tuple(self.poses),
            sample_s=self.sample_s,
            is_number=self._is_number,
        )

    def _blur(self, place: int, picture: Linear) -> None:
        """Add a picture to the mean."""
        if self._mean is None:
            self._mean = np.zeros(picture.shape)
        self._mean += self._shutter.weights[place] * picture.astype(np.float64)

    def _roll(self, place: int, picture: Linear) -> None:
        """Take the rows that are read between the picture before and this one.

        The first row is read as the shutter opens, the last as it closes.
        """
        if self._rows is None or self._last is None:
            self._rows = np.empty_like(picture)
        else:
            moments = moments_of_rows(picture.shape[0], self._shutter.subframes)
            here = (np.ceil(moments).clip(1) == place).nonzero()[0]
            share = (moments[here] - (place - 1))[:, None, None]
            self._rows[here] = between(self._last[here], picture[here], share)
        self._last = picture


def moments_of_rows(height: int, subframes: int) -> NDArray[np.float64]:
    """Return when each row is read, in sub-frames from the first."""
    return np.linspace(0.0, subframes - 1, height)


def between(before: Linear, after: Linear, share: NDArray[np.float64]) -> Linear:
    """Return pictures between two; what is alike in both stays the same number."""
    mixed = before.astype(np.float64) * (1.0 - share) + after.astype(np.float64) * share
    return mixed.astype(np.float32)
