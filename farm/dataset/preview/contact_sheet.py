"""The contact sheet of a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from farm.dataset.preview.selection import choose_views
from farm.dataset.records.assets import AssetKey, counted_roles
from farm.errors import SetupError, SpecError
from farm.spec.counted import counted
from farm.spec.record import ViewRecord
from farm.storage import Storage

LIMIT = 24
"""Views on a sheet, unless told otherwise."""


def contact_sheet(
    storage: Storage,
    dataset: str,
    records: Iterable[ViewRecord],
    *,
    title: str = "dataset",
    limit: int = LIMIT,
) -> bytes:
    """Return a JPEG of up to `limit` views that show every asset evenly.

    `records`, each of another view, are read once and not kept.

    Raises:
        SpecError: There is no view to show.
        SetupError: Pillow or imagecodecs is not installed.
    """
    tally = CaptionCounter()
    views = choose_views(tally.count(records), limit=limit)
    return sheet_of_views(storage, dataset, views, title=title, subtitle=str(tally))


def sheet_of_views(
    storage: Storage, dataset: str, views: Sequence[ViewRecord], *, title: str, subtitle: str
) -> bytes:
    """Return a JPEG of these views.

    Raises:
        SpecError: There is no view to show.
        SetupError: Pillow or imagecodecs is not installed.
    """
    try:
        from farm.dataset.preview.sheet import draw_sheet
    except ImportError as error:
        raise SetupError("a preview needs Pillow: pip install 'viewfarm[dataset]'") from error
    if not views:
        raise SpecError(f"{title} has no views yet: there is nothing to preview")
    return draw_sheet(storage, dataset, views, title=title, subtitle=subtitle)


class CaptionCounter:
    """What the subtitle says of all views, counted while they pass by."""

    def __init__(self) -> None:
        self._views = 0
        self._assets: dict[str, set[str]] = {}
        """By role."""
        self._resolutions_px: set[tuple[int, int]] = set()

    def count(self, records: Iterable[ViewRecord]) -> Iterator[ViewRecord]:
        """Pass `records` on, counting."""
        for record in records:
            self.add(((asset.role, asset.sha256) for asset in record.assets), record.resolution_px)
            yield record

    def add(self, assets: Iterable[AssetKey], resolution_px: tuple[int, int]) -> None:
        """Count one view."""
        self._views += 1
        for role, sha256 in assets:
            self._assets.setdefault(role, set()).add(sha256)
        self._resolutions_px.add(resolution_px)

    def __str__(self) -> str:
        parts = [
            counted(self._views, "view"),
            *counted_roles((role, len(found)) for role, found in self._assets.items()),
            *(f"{width} x {height} px" for width, height in sorted(self._resolutions_px)),
        ]
        return "  ·  ".join(parts)
