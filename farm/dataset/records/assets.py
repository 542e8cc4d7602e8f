"""The assets of a dataset, and how often each is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Self

from farm.spec.asset import Asset, AssetKind, Credit
from farm.spec.base import Spec
from farm.spec.counted import counted
from farm.spec.recipes import word_of

AssetKey = tuple[str, str]
"""Role and SHA-256."""


class AssetSummary(Spec):
    """An asset of a dataset and how much of it there is."""

    kind: AssetKind
    role: str
    id: str
    name: str
    sha256: str
    credit: Credit
    views: int


class AssetCounter:
    """Counts views by asset and role."""

    def __init__(self) -> None:
        self._assets: dict[AssetKey, Asset] = {}
        self._views: Counter[AssetKey] = Counter()

    def add(self, assets: Iterable[Asset]) -> None:
        """Count one view of these assets; one that it shows several times counts once."""
        found = {key_of(asset): asset for asset in assets}
        self._assets |= found
        self._views.update(found.keys())

    def merge(self, other: Self) -> None:
        """Add what another one has counted of later views."""
        self._assets |= other._assets
        self._views.update(other._views)

    def summaries(self) -> tuple[AssetSummary, ...]:
        """Return all assets, in the order of the roles' first views, then by name."""
        roles = list(dict.fromkeys(role for role, _ in self._assets))
        ordered = sorted(
            self._assets.items(),
            key=lambda item: (roles.index(item[0][0]), item[1].name, item[1].sha256),
        )
        return tuple(
            AssetSummary(
                kind=asset.kind,
                role=asset.role,
                id=asset.id,
                name=asset.name,
                sha256=asset.sha256,
                credit=asset.credit,
                views=self._views[key],
            )
            for key, asset in ordered
        )


def key_of(asset: Asset) -> AssetKey:
    """Return what tells one asset of a dataset from another."""
    return asset.role, asset.sha256


def counted_roles(roles: Iterable[tuple[str, int]]) -> list[str]:
    """Return how many assets of each role there are, in words: `3 models`, `1 HDRI`."""
    return [counted(count, word_of(role)) for role, count in roles]
