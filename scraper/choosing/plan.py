"""What a download will fetch, what is there already, and what it leaves out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from scraper.asset import RemoteAsset, RemoteFile
from scraper.catalog import Catalog, CatalogEntry, fault, file_id
from scraper.choosing.filters import Filter
from scraper.choosing.variants import choose_file
from scraper.errors import ItemError

MB = 1_000_000


@dataclass(frozen=True)
class Limits:
    """How much may be fetched."""

    total_bytes: int | None = None
    file_bytes: int | None = None
    assets: int | None = None


@dataclass(frozen=True)
class Item:
    """One asset to fetch."""

    asset: RemoteAsset
    file: RemoteFile

    @property
    def size_bytes(self) -> int | None:
        """What its file and includes weigh, as the source says."""
        return self.file.total_bytes


@dataclass
class DownloadPlan:
    """A list of assets, sorted by what will be done about them."""

    items: list[Item] = field(default_factory=list)
    there: list[CatalogEntry] = field(default_factory=list)
    skipped: list[tuple[RemoteAsset, str]] = field(default_factory=list)
    """Assets that are not fetched because the user, or reason, says so."""
    missing: list[tuple[RemoteAsset, str]] = field(default_factory=list)
    """Assets that are wanted and cannot be had."""

    @property
    def size_bytes(self) -> int:
        """What the items weigh, as far as it is known."""
        return sum(item.size_bytes or 0 for item in self.items)

    def reasons(self) -> Counter[str]:
        """Count what is skipped by reason."""
        return Counter(reason for _, reason in self.skipped)


@dataclass(frozen=True)
class Planner:
    """Decides for each asset what to do about it."""

    catalog: Catalog
    """Where they go."""
    complete: Callable[[RemoteAsset], RemoteAsset]
    """Adds the files to an asset that comes without."""
    wanted: Filter = field(default_factory=Filter)
    resolution: str | None = None
    limits: Limits = field(default_factory=Limits)
    """Assets that do not fit are skipped; later, smaller ones may."""

    def plan(self, assets: Iterable[RemoteAsset]) -> DownloadPlan:
        """Sort `assets`, each of them there once, in their order."""
        plan = DownloadPlan()
        for asset in assets:
            if reason := self.wanted.refusal(asset, None):
                plan.skipped.append((asset, reason))
            elif self._is_full(plan):
                plan.skipped.append((asset, "over --limit"))
            else:
                try:
                    self._place(plan, self.complete(asset))
                except ItemError as error:
                    plan.missing.append((asset, str(error)))
        return plan

    def _is_full(self, plan: DownloadPlan) -> bool:
        limit = self.limits.assets
        return limit is not None and len(plan.items) + len(plan.there) >= limit

    def _place(self, plan: DownloadPlan, asset: RemoteAsset) -> None:
        file = choose_file(asset, self.resolution)
        if file is None:
            plan.missing.append((asset, "has no usable file"))
        elif reason := self.wanted.refusal(asset, file):
            plan.skipped.append((asset, reason))
        elif entry := there(asset, file, self.catalog):
            plan.there.append(entry)
        elif reason := self._excess(plan, file):
            plan.skipped.append((asset, reason))
        else:
            plan.items.append(Item(asset, file))

    def _excess(self, plan: DownloadPlan, file: RemoteFile) -> str | None:
        size, limits = file.total_bytes or 0, self.limits
        if limits.file_bytes is not None and size > limits.file_bytes:
            return "over --max-file-size"
        if limits.total_bytes is not None and plan.size_bytes + size > limits.total_bytes:
            return "over --max-size"
        return None


def there(asset: RemoteAsset, file: RemoteFile, catalog: Catalog) -> CatalogEntry | None:
    """Return the asset's entry if this very file is there and whole."""
    entry = catalog.find(asset)
    if entry is None:
        return catalog.adopt(asset, file)
    known = entry.provenance
    same_version = asset.id is None or known.version == asset.id
    same_file = known.file_type == file.file_type and (
        file_id(file) is None or known.file_id in (None, file_id(file))
    )
    return entry if same_version and same_file and fault(entry) is None else None
