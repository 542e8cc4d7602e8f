"""A scene of a file is all that is rendered."""

from farm.spec.task import RenderTask
from worker.blender.session import BlenderSession
from worker.recipes.scene import SceneStage


def prepare(task: RenderTask, session: BlenderSession) -> SceneStage:
    return SceneStage(session, session.open_scene(task.assets[0]))
