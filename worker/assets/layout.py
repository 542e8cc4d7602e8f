"""How the files of an asset lie to each other, without any of them leaving its folder."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import PurePosixPath

from farm.errors import AssetError
from farm.library import files_of
from farm.spec.asset import Asset, AssetFile
from farm.spec.base import SHA256_PATTERN

FILLER = "up"
"""Name of the folders in which an asset stands so deep that its `../` stay within its root."""
MAX_UP = 16
MAX_PATH_BYTES = 1024
MAX_NAME_BYTES = 200

Layout = dict[PurePosixPath, AssetFile]


def layout(asset: Asset) -> tuple[PurePosixPath, Layout]:
    """Return where an asset's own file and all its files go, below a folder of their own.

    Raises:
        AssetError: A path is absolute, climbs too high, or is in the way of another.
    """
    if asset.name in ("", ".", "..") or "/" in asset.name:
        raise AssetError(asset.name, "its file name is a path; submit it by its plain name")
    needed = files_of(asset)
    ups = max(PurePosixPath(posixpath.normpath(file.path)).parts.count("..") for file in needed)
    if ups > MAX_UP:
        raise AssetError(asset.name, f"needs a file {ups} folders above its own; move it nearer")
    base = "/".join([FILLER] * ups)
    files: Layout = {}
    for file in needed:
        path = PurePosixPath(posixpath.normpath(posixpath.join(base, file.path)))
        check_file(asset, path, file)
        if files.setdefault(path, file).sha256 != file.sha256:
            raise AssetError(asset.name, f"needs {file.path!r} twice, with different bytes")
    for path, file in files.items():
        if any(parent in files for parent in path.parents):
            raise AssetError(asset.name, f"needs {file.path!r} inside another file")
    return PurePosixPath(base) / asset.name, files


def check_file(asset: Asset, path: PurePosixPath, file: AssetFile) -> None:
    """Make sure that a file of an asset can be kept at `path`.

    Raises:
        AssetError: It leads out of the asset's folder, no file system holds it, or it has no hash.
    """
    if not is_plain(path):
        raise AssetError(
            asset.name, f"needs {file.path!r}, which a folder of the cache cannot hold"
        )
    if not re.fullmatch(SHA256_PATTERN, file.sha256):
        raise AssetError(
            asset.name, f"needs {file.path!r}, but the hash given for it is not a SHA-256"
        )


def is_plain(path: PurePosixPath) -> bool:
    """Say whether a path stays below where it starts and a file system can hold it."""
    return (
        bool(path.parts)
        and not path.is_absolute()
        and ".." not in path.parts
        and "\0" not in str(path)
        and len(os.fsencode(path)) <= MAX_PATH_BYTES
        and all(len(os.fsencode(part)) <= MAX_NAME_BYTES for part in path.parts)
    )
