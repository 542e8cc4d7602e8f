"""What the recipe does in Blender."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from farm.spec.label import IndexLabel
from farm.spec.passes import PassName
from farm.spec.task import RenderTask
from viewfarm_toy.spec import View
from worker.blender.file_scene import FileScene, Placed
from worker.blender.session import BlenderSession
from worker.labels.objects import Thing
from worker.labels.tables import index_table, material_table
from worker.recipes import Shot, Stage


@dataclass(frozen=True, eq=False)
class ToyStage(Stage):
    """A scene that plays."""

    session: BlenderSession
    opened: FileScene
    baked: dict[str, dict[str, float]]
    """Frame -> how high each cube stands."""
    affinity: str
    """Key of the scene, by which workers that have it open are preferred."""

    @property
    def indices(self) -> tuple[IndexLabel, ...]:
        return index_table(self.opened.objects, category="cube")

    @property
    def materials(self) -> tuple[IndexLabel, ...]:
        return material_table(self.opened.materials)

    @property
    def label_passes(self) -> tuple[PassName, ...]:
        return ("index",)

    def arrange(self, view: View) -> Shot:
        self.opened.show_frame(view.frame)
        camera = self.session.look_through(view.camera)
        things = tuple(map(thing_of, self.opened.placed()))
        values = {"baked": self.baked[f"{view.frame:.0f}"], "affinity": self.affinity}
        return Shot(camera=camera, gain=1.0, true_strength=True, things=things, values=values)


def thing_of(placed: Placed) -> Thing:
    return Thing(
        name=placed.name,
        category="cube",
        indices=(placed.index,),
        world_from_object=placed.world_from_object,
        size=placed.size,
        outline=placed.outline,
        asset=0,
    )


def prepare(task: RenderTask, session: BlenderSession) -> ToyStage:
    baked = json.loads(Path(task.needs.path, "heights.json").read_text())
    return ToyStage(session, session.open_scene(task.assets[0]), baked, task.affinity)


def make(task: RenderTask, session: BlenderSession, folder: Path) -> None:
    """Note how high the cubes stand in each frame."""
    opened, baked = session.open_scene(task.assets[0]), {}
    for frame in range(1, task.setup.frames + 1):
        opened.show_frame(frame)
        baked[frame] = {each.name: each.world_from_object[2][3] for each in opened.placed()}
    (folder / "heights.json").write_text(json.dumps(baked))
