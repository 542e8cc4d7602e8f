"""What a spec may say, and what tasks and views hold."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from farm.spec.camera import FileCamera, PoseCamera
from farm.spec.passes import PassName, pass_path
from farm.spec.recipes.base import AssetRole, Recipe
from farm.spec.recipes.base import Setup as BaseSetup
from farm.spec.render import ImageFormat
from farm.spec.view import View as BaseView


class RecipeSpec(Recipe):
    """Frames of animated scenes."""

    roles: ClassVar[tuple[AssetRole, ...]] = (AssetRole("scenes", "scene", "scene"),)

    kind: Literal["toy"] = "toy"
    frames: int = Field(default=2, ge=1)
    """Frames of each camera, from 1 on."""
    cameras: tuple[str, ...] = ("left", "right")
    """Names of cameras in the scenes' files."""
    poses: tuple[PoseCamera, ...] = ()
    """Cameras that stand where matrices say, beside those."""

    @property
    def takes(self) -> dict[str, FileCamera | PoseCamera]:
        """Every camera by what it is called."""
        files = {name: FileCamera(name=name) for name in self.cameras}
        return files | {f"pose{number}": pose for number, pose in enumerate(self.poses)}


class Setup(BaseSetup):
    """All views of a task are of one camera."""

    kind: Literal["toy"] = "toy"
    frames: int
    """How many are baked."""


class View(BaseView):
    """One frame of one camera."""

    kind: Literal["toy"] = "toy"
    camera: FileCamera | PoseCamera
    take: str
    """What the camera is called."""
    frame: float
    scene: str

    @property
    def caption(self) -> str:
        return f"{self.take}, frame {self.frame:g}"

    @property
    def facets(self) -> dict[str, str]:
        return {"camera": self.take}

    def path_of(self, of: PassName, *, picture_format: ImageFormat) -> str:
        inner = pass_path(of, f"frame_{self.frame:04.0f}", picture_format=picture_format)
        return f"{self.scene}/{self.take}/{inner}"
