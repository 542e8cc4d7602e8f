"""What the recipe does in Blender."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from farm.spec.task import RenderTask
from viewfarm_toy.spec import View
from worker.blender.session import BlenderSession
from worker.recipes import Shot
from worker.recipes.scene import SceneStage


@dataclass(frozen=True, eq=False)
class ToyStage(SceneStage):
    """A scene that plays, and what was baked of it."""

    heights: dict[str, dict[str, float]] = field(default_factory=dict)
    """Frame -> how high each cube stands."""
    affinity: str = ""

    def arrange(self, view: View) -> Shot:
        values = {"baked": self.heights[f"{view.frame:.0f}"], "affinity": self.affinity}
        return replace(super().arrange(view), values=values)


def prepare(task: RenderTask, session: BlenderSession) -> ToyStage:
    heights = json.loads(Path(task.needs.path, "heights.json").read_text())
    scene = session.open_scene(task.assets[0])
    return ToyStage(session, scene, "cube", heights=heights, affinity=task.affinity)


def make(task: RenderTask, session: BlenderSession, folder: Path) -> None:
    """Note how high the cubes stand in each frame."""
    scene, heights = session.open_scene(task.assets[0]), {}
    for frame in range(1, task.setup.frames + 1):
        scene.show_frame(frame)
        heights[frame] = {each.name: each.world_from_object[2][3] for each in scene.placed()}
    (folder / "heights.json").write_text(json.dumps(heights))
