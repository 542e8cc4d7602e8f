"""The `sequence` recipe in Blender: an animated scene, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from farm.spec.camera import FileCamera, PathCamera, PoseCamera
from farm.spec.recipes.sequence import Setup
from farm.spec.task import RenderTask
from farm.spec.view import View as BaseView
from worker.recipes.scene import SceneStage

if TYPE_CHECKING:  # which imports Blender
    from worker.blender.session import BlenderSession


@dataclass(frozen=True, eq=False)
class SequenceStage(SceneStage):
    """A scene that plays; its time runs as the sequence's does, so that flow leads to neighbours.

    Cycles' motion is always that of one frame of the scene's own time. Blender's time stretching
    makes that as long as it is from one frame of the sequence to the next.
    """

    path: tuple[PoseCamera, ...] = ()
    """Of a camera of ours: where it is at each frame of the sequence."""

    def camera_of(self, view: BaseView) -> FileCamera | PoseCamera:
        if isinstance(view.camera, PathCamera):
            assert view.moment is not None
            return self.path[view.moment.place]
        return super().camera_of(view)


def prepare(task: RenderTask, session: BlenderSession) -> SequenceStage:
    """Open the scene."""
    setup = task.setup
    assert isinstance(setup, Setup)
    opened = session.open_scene(task.assets[0])
    opened.stretch_time(Fraction(setup.numerator, setup.denominator))
    return SequenceStage(session, opened)


def make(task: RenderTask, session: BlenderSession, folder: Path) -> None:
    """Bake the simulations of a scene, and work out the paths of its camera."""
    raise NotImplementedError
