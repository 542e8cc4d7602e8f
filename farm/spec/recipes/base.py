"""What every recipe's spec, its tasks' setup and its assets have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, NamedTuple, Self

from pydantic import ConfigDict, JsonValue

from farm.spec.asset import Asset, AssetKind
from farm.spec.base import Spec
from farm.spec.passes import PassName
from farm.spec.render import ImageFormat
from farm.spec.shutter import Shutter


class AssetRole(NamedTuple):
    """What a recipe takes assets for."""

    name: str
    """The field of a spec, and the flag, that names such assets: `models`."""
    kind: AssetKind
    word: str
    """One of them, as people count them: `model`."""
    at_least: int = 1
    at_most: int | None = None
    tagged: bool = False
    """The recipe reads the tags of their sidecars."""


class Recipe(Spec):
    """The kind of dataset that a spec asks for; `kind` names the three files of a recipe."""

    model_config = ConfigDict(allow_inf_nan=False)  # JSON has no other numbers

    kind: str
    default_format: ClassVar[ImageFormat] = "png"
    """Taken where the spec names no format."""
    roles: ClassVar[tuple[AssetRole, ...]] = ()
    """In the order in which assets are listed, counted and hashed."""
    file_flags: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Fields whose flag may name a file that is not an asset, and the suffixes that tell it."""
    has_neighbours: ClassVar[bool] = False
    """Views are frames of sequences: flow leads from one to the next."""
    needs_facts: ClassVar[bool] = False
    """Tasks cannot be made before it is known what the files of scenes say of themselves."""
    names_show_assets: ClassVar[bool] = True
    """Files or folders of views are called after their assets."""
    silhouette_tells: ClassVar[bool] = True
    """Views that have one silhouette show the same: they are of one model. Of what has many things
    a mask tells little, and nothing where things are all around."""
    runs_code: ClassVar[bool] = False
    """Tasks run code that the user brings: whoever submits such a job needs the role `script`."""
    allow_empty_masks: bool = False
    """Keep views in which nothing of the model is to be seen, such as a sheet of paper from its
    edge; else they fail, each by its name."""

    @property
    def passes_with_it(self) -> tuple[PassName, ...]:
        """Passes that come along because the recipe asks for what is in them."""
        return ()

    @property
    def as_sample(self) -> dict[str, JsonValue]:
        """What to change of it so that it has one view, beside the usual numbers."""
        return {}

    @property
    def scene_fps(self) -> float | None:
        """Frames per second of scenes whose files state none; None: the usual 24."""
        return None

    def with_files(self, read: Callable[[str], str]) -> Self:
        """Return the same with what is in the files that it names, instead of their names.

        Args:
            read: Returns the text of a file.

        Raises:
            SpecError: A file does not hold what it is named for.
        """
        del read  # of most recipes all files are assets
        return self

    @property
    def has_ground(self) -> bool:
        """A shadow falls on a plane that is not seen itself."""
        return False

    @property
    def exposure(self) -> Shutter | None:
        """The open shutter of each view; None where views are of one moment."""
        return None


class Setup(Spec):
    """What all views of a task share beside its assets; only the recipe looks inside."""

    model_config = ConfigDict(allow_inf_nan=False)

    kind: str

    @property
    def pictures_per_view(self) -> int:
        """How many pictures are rendered for one view."""
        return 1


def of_role(assets: Iterable[Asset], role: str) -> tuple[Asset, ...]:
    """Return the assets that are taken for `role`."""
    return tuple(asset for asset in assets if asset.role == role)
