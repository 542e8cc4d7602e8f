"""What a spec may say, and what tasks and views hold."""

from typing import ClassVar, Literal

from pydantic import Field

from farm.spec.camera import FileCamera
from farm.spec.passes import PassName, pass_path
from farm.spec.recipes import base
from farm.spec.render import ImageFormat
from farm.spec.view import View as BaseView


class RecipeSpec(base.Recipe):
    """Frames of animated scenes."""

    roles: ClassVar = (base.AssetRole("scenes", "scene", "scene"),)
    kind: Literal["toy"] = "toy"
    frames: int = Field(default=2, ge=1)
    """Frames of each camera, from 1 on."""
    cameras: tuple[str, ...] = ("left", "right")
    """Names of cameras in the scenes' files."""


class Setup(base.Setup):
    """All views of a task are of one scene, of which some frames are baked."""

    kind: Literal["toy"] = "toy"
    frames: int


class View(BaseView):
    """One frame of one camera."""

    kind: Literal["toy"] = "toy"
    camera: FileCamera
    frame: float
    scene: str

    @property
    def caption(self) -> str:
        return f"{self.camera.name}, frame {self.frame:g}"

    @property
    def facets(self) -> dict[str, str]:
        return {"camera": self.camera.name}

    def path_of(self, of: PassName, *, picture_format: ImageFormat) -> str:
        inner = pass_path(of, f"frame_{self.frame:04.0f}", picture_format=picture_format)
        return f"{self.scene}/{self.camera.name}/{inner}"
