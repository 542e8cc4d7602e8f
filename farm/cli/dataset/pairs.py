"""What `farm dataset pairs` writes and says."""

from __future__ import annotations

from pathlib import Path

from farm.cli.dataset.places import opened
from farm.cli.dataset.preview import put
from farm.dataset.pairs import as_json, as_pair_file, neighbours_of
from farm.dataset.reader import DatasetView
from farm.errors import SpecError
from farm.spec.counted import counted
from farm.spec.task import dataset_key

NAME = "pair.txt"


def write_pairs(place: str, *, count: int, out: Path | None, every: bool) -> list[str]:
    """Write the pairs of each dataset of a place; say what was written, and where."""
    if out is not None and out.suffix not in (".txt", ".json"):
        raise SpecError(f"--out {out}: pairs are .txt, as MVSNet has them, or .json")
    data = opened(place, every=every)
    if out is not None and len(data.prefixes) > 1:
        raise SpecError(
            f"--out {out}: {place} holds {len(data.prefixes)} datasets, each with pairs of its "
            "own: give one of them, or leave --out out"
        )
    if not len(data):
        raise SpecError(f"{place}: has no views yet: there are no pairs")
    views: dict[str, list[DatasetView]] = {}
    for view in data:
        views.setdefault(view.key[: -len(view.name)].rstrip("/"), []).append(view)
    said = []
    for prefix, each in views.items():
        key = dataset_key(prefix, NAME)
        path = out or data.storage.local_path(key) or Path(key)
        said.append(written(each, path, count=count, place=str(path.parent)))
    return said


def written(views: list[DatasetView], path: Path, *, count: int, place: str) -> str:
    """Write the pairs of one dataset, and say so."""
    found = neighbours_of((view.record for view in views), count)
    most, least = max(map(len, found)), min(map(len, found))
    if not most:
        raise SpecError(
            f"{place}: no two views show the same things under the same environment, so there are "
            "no pairs: render more views of each model"
        )
    text = as_json(found, [view.name for view in views])
    told = put((text if path.suffix == ".json" else as_pair_file(found)).encode(), path)
    few = f"; some have {least} alone" if least < min(count, most) else ""
    return f"{told}, up to {counted(most, 'neighbour')} of {counted(len(views), 'view')}{few}"
