"""What a spec may say, and what tasks and views hold."""

from typing import ClassVar, Literal

from farm.spec.camera import PoseCamera
from farm.spec.recipes import base
from farm.spec.view import View as BaseView


class RecipeSpec(base.Recipe):
    """Scenes as they stand at frame 1."""

    roles: ClassVar = (base.AssetRole("scenes", "scene", "scene"),)
    kind: Literal["posed"] = "posed"
    poses: tuple[PoseCamera, ...]
    """Where each scene is seen from."""


class Setup(base.Setup):
    """Nothing but the scene is shared."""

    kind: Literal["posed"] = "posed"


class View(BaseView):
    """A scene from one pose."""

    kind: Literal["posed"] = "posed"
    camera: PoseCamera
    frame: float = 1.0
