"""What is known of a file that views are made of: a model, an HDR environment, a scene."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal, NamedTuple

from pydantic import Field

from farm.spec.base import Spec, digest
from farm.spec.left_out import is_empty, is_none
from farm.spec.scene_facts import SceneFacts

AssetKind = Literal["model", "hdr", "scene", "script", "image"]

MODEL_SUFFIXES = (
    ".blend", ".glb", ".gltf", ".obj", ".ply", ".stl", ".fbx", ".usd", ".usda", ".usdc", ".usdz",
)  # fmt: skip
HDR_SUFFIXES = (".exr", ".hdr")
SCENE_SUFFIXES = (
    ".blend", ".glb", ".gltf", ".fbx", ".usd", ".usda", ".usdc", ".usdz",
)  # fmt: skip


class KindInfo(NamedTuple):
    """What people call a kind of asset, and which files are of it."""

    phrase: str
    """With its article, as in "is not a 3D model"."""
    title: str
    """Heading of a list of them."""
    suffixes: tuple[str, ...]


KINDS: dict[AssetKind, KindInfo] = {
    "model": KindInfo("a 3D model", "Models", MODEL_SUFFIXES),
    "hdr": KindInfo("an HDR environment", "HDR environments", HDR_SUFFIXES),
    "scene": KindInfo("a 3D scene", "Scenes", SCENE_SUFFIXES),
    "script": KindInfo("a Python script", "Scripts", (".py",)),
    "image": KindInfo("a picture", "Pictures", (".png", ".jpg", ".jpeg")),
}


MOST_UPS = 8
"""Most folders that a file which an asset needs may lie above the asset's own."""


class Credit(Spec):
    """Where an asset comes from and what its licence asks for; from its sidecar, if it has one."""

    name: str | None = None
    """Title of the asset at its source."""
    category: str | None = None
    """What kind of thing it is, such as `chair`."""
    tags: tuple[str, ...] = Field(default=(), exclude_if=is_empty)
    """Words for what it shows, as its source has them."""
    author: str | None = None
    licence: str | None = None
    """SPDX identifier or the source's own word, such as `CC0-1.0` or `cc_zero`."""
    source: str | None = None
    """Site or collection, such as `blenderkit`."""
    source_id: str | None = None
    """What the source calls the asset, for all of its versions."""
    version: str | None = None
    """What the source calls the version that was fetched."""
    url: str | None = None
    """Page of the asset."""
    fetched: str | None = None
    """When it was fetched, as ISO 8601 has it."""

    @property
    def without_tags(self) -> Credit:
        """The same for whom tags say nothing."""
        return self.model_copy(update={"tags": ()}) if self.tags else self


class AssetFile(Spec):
    """A file that an asset needs beside its own: a texture, a linked .blend."""

    path: str
    """Relative to the folder of the asset's own file, with `/`; may begin with `../`."""
    sha256: str
    size_bytes: int


class Asset(Spec):
    """A file that views are made of, known by the SHA-256 of its bytes."""

    kind: AssetKind
    role: str = ""
    """What the recipe takes it for, such as `models`: the field of the spec that names it."""
    id: str
    """Short name within a dataset, used in file names: the first 8 characters of the file's stem,
    or as many as it takes to tell the dataset's assets apart, without a `_`."""
    name: str
    """File name, as a person knows it."""
    path: str
    """Where workers find the file: an absolute path on storage that they share; of an asset in the
    library just its file name."""
    sha256: str
    size_bytes: int
    credit: Credit = Credit()
    dependencies: tuple[AssetFile, ...] = ()
    """Files that it needs, if they were traced."""
    scene: SceneFacts | None = Field(default=None, exclude_if=is_none)
    """Of a scene, what its recipe had to know to make tasks of it; a task does not carry it."""
    in_library: bool = False
    """The file and its dependencies are kept by hash in the library of the farm's storage."""

    @property
    def without_tags(self) -> Asset:
        """The same asset, as records have it: its tags are only for those who choose words."""
        return self.model_copy(update={"credit": self.credit.without_tags})

    @property
    def content(self) -> str:
        """Hash of all bytes that make the asset: its own and those of its dependencies."""
        if not self.dependencies:
            return self.sha256
        return digest(self.sha256, sorted((file.path, file.sha256) for file in self.dependencies))

    @property
    def title(self) -> str:
        """What people call it: its file name without the suffix."""
        return PurePath(self.name).stem
