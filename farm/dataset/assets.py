"""The models and HDRIs of a dataset, and how often each is seen."""

from __future__ import annotations

from collections import Counter

from farm.spec.asset import Asset, Credit
from farm.spec.base import Spec


class AssetSummary(Spec):
    """A model or HDRI of a dataset and how much of it there is."""

    id: str
    name: str
    sha256: str
    credit: Credit
    views: int


class AssetCounter:
    """Counts views by asset."""

    def __init__(self) -> None:
        self._assets: dict[str, Asset] = {}
        self._views: Counter[str] = Counter()

    def add(self, asset: Asset) -> None:
        """Count one view of `asset`."""
        self._assets[asset.sha256] = asset
        self._views[asset.sha256] += 1

    def summaries(self) -> tuple[AssetSummary, ...]:
        """Return all assets, by name."""
        return tuple(
            AssetSummary(
                id=asset.id,
                name=asset.name,
                sha256=asset.sha256,
                credit=asset.credit,
                views=self._views[asset.sha256],
            )
            for asset in sorted(self._assets.values(), key=lambda asset: (asset.name, asset.sha256))
        )
