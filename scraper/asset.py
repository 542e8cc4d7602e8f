"""What a source says about an asset before it is fetched; also what a list file holds.

The names in JSON are BlenderKit's own, so that lists of older tools can be read.
"""

from __future__ import annotations

import math
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from farm.spec.asset import AssetKind

ID_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$"
"""Ids become file names, so they must be plain."""


def _number_or_none(value: Any) -> int | None:
    """Read what creators and sites write where a count should be."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if math.isfinite(number) and number >= 0 else None


def printable(text: str) -> str:
    """Return a stranger's words without what would steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text).strip()


Words = Annotated[str, AfterValidator(printable)]
Count = Annotated[int | None, BeforeValidator(_number_or_none)]


class Remote(BaseModel):
    """Base of what comes from outside: frozen, camelCase in JSON, and more may be there."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        coerce_numbers_to_str=True,
    )


class Include(Remote):
    """A file that must lie beside another one."""

    path: str
    """Relative to the main file, with `/`."""
    url: str
    size_bytes: Count = Field(default=None, alias="fileUploadSize")
    md5: str | None = None


class RemoteFile(Remote):
    """One variant of an asset."""

    file_type: str
    """`blend` (the original), `resolution_2K` and so on, `zip_file`."""
    download_url: str | None = None
    """Where its link, or the file itself, comes from."""
    uuid: str | None = None
    filename: str = ""
    size_bytes: Count = Field(default=None, alias="fileUploadSize")
    is_thumbnail: bool = False
    md5: str | None = None
    includes: tuple[Include, ...] = ()

    @property
    def suffix(self) -> str:
        """How the file's name ends; empty where the source tells no name."""
        return PurePosixPath(self.filename).suffix.lower()

    @property
    def total_bytes(self) -> int | None:
        """Size of the file and its includes, or None if it is not known."""
        sizes = [self.size_bytes, *(include.size_bytes for include in self.includes)]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None


class RemoteAsset(Remote):
    """A model or HDR environment at its source."""

    source: str = "blenderkit"
    asset_base_id: str = Field(pattern=ID_PATTERN)
    """What the source calls it, for all versions."""
    id: str | None = None
    """What the source calls this version."""
    version_number: Count = None
    name: Words
    asset_type: AssetKind
    author: Words | None = None
    license: Words | None = None
    page: str | None = None
    """Page for people."""
    category: Words | None = None
    tags: tuple[Words, ...] = ()
    face_count: Count = None
    true_hdr: bool | None = None
    is_free: bool = False
    can_download: bool = False
    files_size: Count = None
    """Sum of all variants, as the source has it; nothing here relies on it."""
    files: tuple[RemoteFile, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What all versions of this asset share."""
        return (self.source, self.asset_base_id)


def newest_of_each(assets: list[RemoteAsset]) -> list[RemoteAsset]:
    """Return each asset once, in order, in its newest version."""
    newest: dict[tuple[str, str], RemoteAsset] = {}
    for asset in assets:
        known = newest.setdefault(asset.key, asset)
        if (asset.version_number or 0) > (known.version_number or 0):
            newest[asset.key] = asset
    return list(newest.values())
