"""A look at an asset's first bytes, before Blender is trusted with it."""

from __future__ import annotations

from pathlib import Path

from farm.library.formats import check_file
from farm.spec.asset import Asset


def check_asset(asset: Asset) -> None:
    """Make sure that an asset is what its name says.

    Raises:
        AssetError: It is missing, empty, too large or something else.
    """
    check_file(Path(asset.path), asset.kind)
