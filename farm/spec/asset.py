"""What is known of a model or an HDR environment."""

from __future__ import annotations

from typing import Literal

from farm.spec.base import Spec

AssetKind = Literal["model", "hdr"]

MODEL_SUFFIXES = (
    ".blend", ".glb", ".gltf", ".obj", ".ply", ".stl", ".fbx", ".usd", ".usda", ".usdc", ".usdz",
)  # fmt: skip
HDR_SUFFIXES = (".exr", ".hdr")


class Credit(Spec):
    """Where an asset comes from and what its licence asks for; from its sidecar, if it has one."""

    name: str | None = None
    """Title of the asset at its source."""
    author: str | None = None
    licence: str | None = None
    """SPDX identifier or the source's own word, such as `CC0-1.0` or `cc_zero`."""
    source: str | None = None
    """Site or collection, such as `blenderkit`."""
    url: str | None = None
    """Page of the asset."""


class Asset(Spec):
    """A model or an HDR environment, known by the SHA-256 of its bytes."""

    kind: AssetKind
    id: str
    """Short name within a dataset, used in file names: the first 8 characters of the file's stem,
    or as many as it takes to tell the dataset's assets apart."""
    name: str
    """File name, as a person knows it."""
    path: str
    """Where workers find the file: an absolute path on storage that they share."""
    sha256: str
    size_bytes: int
    credit: Credit = Credit()
