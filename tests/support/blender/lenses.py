"""Views of a file's own scene through any camera, as a worker makes them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from farm.dataset.images import decode_pass
from farm.spec.asset import Asset
from farm.spec.camera import FileCamera, PoseCamera
from farm.spec.label import ObjectLabel
from farm.spec.passes import PassName, pass_path
from farm.spec.record import CameraRecord
from tests.builders import a_task
from tests.support.blender import still_life
from tests.support.blender.shots import read_once, some_render
from worker.blender.session import BlenderSession
from worker.recipes import Shot
from worker.recipes.scene import SceneStage
from worker.render.writers.view_files import ViewFileMaker

LABELS: tuple[PassName, ...] = (
    "mask", "depth", "distance", "normal", "normal_world", "position", "index",
)  # fmt: skip


class Taken(NamedTuple):
    """What came of a view."""

    camera: CameraRecord
    arrays: dict[PassName, np.ndarray]
    objects: tuple[ObjectLabel, ...]

    def __getitem__(self, name):
        return self.arrays[name]


def take(
    blender: BlenderSession,
    scene: Asset,
    camera: PoseCamera | FileCamera,
    *,
    passes: tuple[PassName, ...] = LABELS,
    frame: float = still_life.FRAME,
    things: tuple[str, ...] | None = None,
    **settings: object,
) -> Taken:
    """Render a view and read its files back."""
    task = a_task(render=some_render(**settings)).model_copy(
        update={"passes": passes, "allow_empty_masks": True}
    )
    opened = blender.open_scene(scene)
    blender.configure(task.render, (*passes, "index"))
    opened.show_frame(frame)
    record = blender.look_through(camera)
    stage = SceneStage(blender, opened, "thing")
    shown = tuple(each for each in stage.things() if things is None or each.name in things)
    shot = Shot(camera=record, gain=1.0, true_strength=True, things=shown)
    passes_there = read_once(blender.render(seed=3))
    if blender.wants_centres:
        passes_there = read_once(blender.render_centres(seed=3)).over(passes_there)
    made = ViewFileMaker(task)(passes_there, shot)
    return Taken(record, {n: decoded(data, n) for n, data in made.files.items()}, made.objects)


def decoded(data: bytes, name: PassName) -> np.ndarray:
    return decode_pass(data, pass_path(name, "view", picture_format="png"), name)
