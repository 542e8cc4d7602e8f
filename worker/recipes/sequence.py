"""The `sequence` recipe in Blender: an animated scene, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from farm.spec.asset import Asset
from farm.spec.camera import IDENTITY, FileCamera, PathCamera, PoseCamera
from farm.spec.passes import CARRIED
from farm.spec.randomise import Drawn
from farm.spec.recipes.sequence import FINEST, TIME_DEPENDENT, Setup, Tracks, View
from farm.spec.record import CameraRecord
from farm.spec.shutter import Shutter
from farm.spec.task import RenderTask
from farm.spec.view import View as BaseView
from worker.points.followed import Anchors, joined
from worker.recipes import Shot
from worker.recipes.paths.lay import lay_paths, read_path, write_paths
from worker.recipes.paths.poses import pose_at
from worker.recipes.scene import SceneStage

if TYPE_CHECKING:  # which imports Blender
    from worker.blender.file_scene import FileScene
    from worker.blender.session import BlenderSession
    from worker.blender.time_dependent import TimeDependent
    from worker.blender.tracks import Follower

FINEST_MOMENT = 64 * FINEST
"""Largest denominator that a moment can have, in frames of the file."""


@dataclass(frozen=True, eq=False)
class SequenceStage(SceneStage):
    """A scene that plays; its time runs as the sequence's does, so that flow leads to neighbours.

    Cycles' motion is always that of one frame of the scene's own time. Blender's time stretching
    makes that as long as it is from one frame of the sequence to the next.
    """

    path: tuple[PoseCamera, ...] = ()
    """Of a camera of ours: where it is at each frame of the sequence."""

    spacing: Fraction = Fraction(1)
    """Frames of the file from one frame of the sequence to the next."""
    anchors: Anchors | None = None
    """Points that are followed."""

    open_shutter: Shutter | None = None
    """How long the shutter is open around each frame."""

    hdr: Asset | None = None
    """What lights the scene in place of its world."""

    time_dependent: TimeDependent | None = None
    """What of the scene may be otherwise in another frame."""

    @property
    def notes(self) -> dict[str, tuple[str, ...]]:
        notes = self.session.environment.notes if self.hdr is not None else ()
        return {self.hdr.name: notes} if self.hdr is not None and notes else {}

    @property
    def is_sequence(self) -> bool:
        return True

    def neighbours(self, view: BaseView) -> tuple[View | None, View | None]:
        assert isinstance(view, View)
        place, last = view.moment.place, view.moment.of - 1
        return (
            self.moved(view, -1) if place > 0 and not view.cut_before else None,
            self.moved(view, 1) if place < last and not view.cut_after else None,
        )

    def moved(self, view: View, by: int) -> View:
        """Return a neighbouring frame, seen by the same camera."""
        old = view.moment
        moment = old.model_copy(update={"place": old.place + by})
        exact = Fraction(view.frame).limit_denominator(FINEST_MOMENT)
        frame = float(exact + by * self.spacing)
        return view.model_copy(update={"frame": frame, "moment": moment})

    @property
    def shutter(self) -> Shutter | None:
        return self.open_shutter

    def beside(self, view: BaseView, offset: float) -> SubFrame:
        assert isinstance(view, View)
        exact = Fraction(view.frame).limit_denominator(FINEST_MOMENT)
        frame = float(exact + Fraction(offset) * self.spacing)
        return SubFrame.model_validate({**dict(view), "frame": frame, "offset": offset})

    def arrange(self, view: BaseView) -> Shot:
        assert isinstance(view, View)
        drawn = view.drawn or Drawn()
        self.session.dressing.light(self.session.scene, drawn.lamps, IDENTITY, factor=1.0)
        if isinstance(view, SubFrame):
            self.opened.show_frame(view.frame)
            seen = self.session.look_through(self.camera_of(view))
            return Shot(camera=seen, gain=1.0, true_strength=True, exposure=drawn.exposure_gain)
        shot = super().arrange(view)
        values = dict(shot.values)
        if self.time_dependent is not None:
            values[TIME_DEPENDENT] = dict(self.time_dependent.states())
        if self.open_shutter is not None:
            values["shutter"] = self.open_shutter.model_dump(mode="json")
        return replace(shot, exposure=drawn.exposure_gain, values=values)

    def camera_of(self, view: BaseView) -> FileCamera | PoseCamera:
        if isinstance(view.camera, PathCamera):
            assert view.moment is not None
            beside = view.offset if isinstance(view, SubFrame) else 0.0
            return pose_at(self.path, view.moment.place + beside)
        return super().camera_of(view)

    def track(self, camera: CameraRecord) -> Follower | None:
        keep = not CARRIED.isdisjoint(self.session.passes)
        if self.anchors is None and not keep:
            return None
        return self.session.points.follower(camera, self.anchors, keep=keep)

    def choose_points(self, view: View, wanted: Tracks) -> Anchors:
        """Return points of what the sequence of a frame shows, the same for all of its frames."""
        parts: list[Anchors] = []
        for left, start in zip(range(len(wanted.starts), 0, -1), wanted.starts, strict=True):
            moment = view.moment.model_copy(update={"place": start.place})
            there = view.model_copy(
                update={"frame": start.frame, "camera": start.camera, "moment": moment}
            )
            self.opened.show_frame(start.frame)
            camera = self.session.look_through(self.camera_of(there))
            share = -(-(wanted.count - sum(map(len, parts))) // left)
            chance = np.random.default_rng([wanted.seed, start.place])
            parts.append(self.session.points.choose(camera, share, chance))
        return joined(parts)

    def motion_of(self, view: BaseView) -> tuple[PoseCamera, PoseCamera] | None:
        if not isinstance(view.camera, PathCamera):
            return None
        assert view.moment is not None
        place, last = view.moment.place, len(self.path) - 1
        return self.path[max(place - 1, 0)], self.path[min(place + 1, last)]


class SubFrame(View):
    """A moment beside a frame, while its shutter is open."""

    offset: float
    """Frames of the sequence from the frame."""


def prepare(task: RenderTask, session: BlenderSession) -> SequenceStage:
    """Open the scene."""
    setup = task.setup
    assert isinstance(setup, Setup)
    opened = open_scene(task, session)
    spacing = Fraction(setup.numerator, setup.denominator)
    session.stretch_time(opened, spacing)
    hdr = next(iter(task.of("hdrs")), None) if setup.lights != "file" else None
    session.light_scene(opened, setup.lights, hdr)
    path: tuple[PoseCamera, ...] = ()
    if setup.path is not None:
        assert task.needs is not None
        path = read_path(Path(task.needs.path), setup)
    stage = SequenceStage(
        session,
        opened,
        path=path,
        spacing=spacing,
        hdr=hdr,
        open_shutter=setup.shutter,
        time_dependent=session.time_dependent(opened),
    )
    if setup.tracks is None:
        return stage
    first = task.views[0]
    assert isinstance(first, View)
    key = (setup, task.needs and task.needs.product, task.render.resolution_px)
    wanted = setup.tracks
    anchors = session.points.keep(key, lambda: stage.choose_points(first, wanted))
    return replace(stage, anchors=anchors)


def make(task: RenderTask, session: BlenderSession, folder: Path) -> None:
    """Bake the simulations of a scene, and work out the paths of its camera."""
    setup = task.setup
    assert isinstance(setup, Setup)
    opened = open_scene(task, session)
    if setup.bake is not None:
        session.bake(opened, *setup.bake)
        session.save_baked(task.assets[0], folder)
    if setup.path is not None:
        opened.stretch_time(Fraction(1))  # whatever was rendered of it before
        with session.surroundings(opened) as scene:
            write_paths(folder, lay_paths(task, scene))


def open_scene(task: RenderTask, session: BlenderSession) -> FileScene:
    """Open the scene of a task, or what was baked of it."""
    setup = task.setup
    assert isinstance(setup, Setup)
    baked = task.needs if setup.bake is not None else None
    opened = session.open_scene(task.assets[0], baked, fps=setup.fps)
    if baked is None:  # else only one was kept
        opened.play(setup.clip)
    return opened
