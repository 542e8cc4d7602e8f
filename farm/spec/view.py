"""One picture to take."""

from __future__ import annotations

from typing import Self

from pydantic import ConfigDict, Field

from farm.spec.asset import Asset
from farm.spec.base import Spec
from farm.spec.camera import AnyCamera
from farm.spec.left_out import is_none
from farm.spec.moment import Moment
from farm.spec.passes import PassName, pass_path, preview_path
from farm.spec.render import ImageFormat


class Light(Spec):
    """How the HDR environment stands and shines."""

    rotation_deg: float = 0.0
    """Turn of the environment about +Z (Blender's `Mapping.Rotation.z`)."""
    strength: float = 1.0
    """Factor on the environment's radiance."""


class View(Spec):
    """One picture to take; every number is final. A recipe's own views have more fields."""

    model_config = ConfigDict(allow_inf_nan=False)  # JSON has no other numbers

    kind: str
    """Name of the recipe."""
    index: int
    """Place in the dataset's order."""
    name: str
    """What the view is called, in its dataset: the stem of its files."""
    camera: AnyCamera
    seed: int
    """Cycles' sampling seed, 0..2^31-1."""
    frame: float | None = None
    """Moment of the scene's animation, in its frames, 1.5 is half-way from 1 to 2; None where
    nothing moves."""
    moment: Moment | None = Field(default=None, exclude_if=is_none)
    """Its place among the frames of a sequence; None of a picture on its own."""

    @property
    def caption(self) -> str:
        """What a person reads under the picture."""
        return self.name

    @property
    def pose(self) -> str | None:
        """Name that it shares with views which show the same, but for the light; None of others."""
        return None

    @property
    def siblings(self) -> tuple[str, ...]:
        """Names of the other views of its pose."""
        return ()

    def with_siblings(self, siblings: tuple[str, ...]) -> Self:
        """Return the same view where its siblings have other names."""
        return self

    def made_of(self, assets: tuple[Asset, ...]) -> tuple[Asset, ...]:
        """Return those of its task's assets that it takes."""
        return assets

    @property
    def facets(self) -> dict[str, str]:
        """What statistics count views by: `{"framing": "tight"}`."""
        return {}

    def path_of(self, of: PassName, *, picture_format: ImageFormat) -> str:
        """Return where the file of a pass lies in the dataset; recipes may have own folders."""
        return pass_path(of, self.name, picture_format=picture_format)

    def preview_path_of(self, of: PassName) -> str:
        """Return where the 8-bit picture of a label lies in the dataset."""
        return preview_path(of, self.name)


class OtherView(View):
    """A view of a recipe that is not known here; what only that recipe knows is kept as it is."""

    model_config = ConfigDict(extra="allow")
