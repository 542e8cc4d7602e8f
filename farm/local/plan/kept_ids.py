"""Ids of assets in datasets that an earlier version began: they stay as they are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from farm.dataset.records.assets import AssetSummary
from farm.dataset.records.collect import DATASET_FILE, DatasetSummary
from farm.dataset.records.read import RECORDS_FOLDER
from farm.library.ids import ID_LENGTH, safe_stem
from farm.spec.asset import Asset
from farm.spec.record import read_record

Known = dict[tuple[str, str], str]
"""(role, SHA-256) -> id."""


def with_kept_ids(assets: Sequence[Asset], folder: Path) -> tuple[Asset, ...]:
    """Return assets with the ids that datasets in a folder know them by.

    Ids held a `_` once, and were cut in the middle of words. File names are made of ids, so a
    dataset that was begun with such ones continues with them; the views in it are found again
    under any name.
    """
    if not any(had_another_id(asset) for asset in assets):
        return tuple(assets)
    known = ids_in(folder)
    return tuple(
        asset.model_copy(update={"id": known.get((asset.role, asset.sha256), asset.id)})
        for asset in assets
    )


def had_another_id(asset: Asset) -> bool:
    """Say whether earlier versions may have named an asset otherwise."""
    stem = safe_stem(asset.title)
    return stem[: max(ID_LENGTH, len(asset.id))] != asset.id


def ids_in(folder: Path) -> Known:
    """Return the ids that the datasets in a folder have for their assets; the first one counts."""
    known: Known = {}
    with suppress(OSError):  # nothing was begun there
        for dataset in (folder, *sorted(each for each in folder.iterdir() if each.is_dir())):
            for asset in assets_of(dataset):
                known.setdefault((asset.role, asset.sha256), asset.id)
    return known


def assets_of(dataset: Path) -> Iterator[Asset | AssetSummary]:
    """Yield what a dataset tells of its assets: in its summary, and in records of its tasks."""
    with suppress(OSError, ValidationError):
        summary = (dataset / DATASET_FILE).read_bytes()
        yield from DatasetSummary.model_validate_json(summary).assets
    for file in sorted((dataset / RECORDS_FOLDER).glob("*.jsonl")):
        with suppress(OSError, ValidationError), file.open("rb") as lines:
            yield from read_record(lines.readline()).assets
