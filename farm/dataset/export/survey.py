"""What a whole dataset holds, found in one pass over its records before anything is exported."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from farm.dataset.export.geometry.meshes import Origin, origin_of
from farm.dataset.export.timeline import ObjectKey, Timeline
from farm.dataset.reader import Dataset, DatasetError, DatasetView
from farm.dataset.records.assets import AssetCounter, AssetSummary
from farm.dataset.split_lists import PLAIN_NAME
from farm.expand import gets_passes_later
from farm.spec.label import ObjectLabel, Point3
from farm.spec.passes import PASS_NAMES, PassName
from farm.spec.record import CameraModel, ViewRecord

ClassWord = Literal["category", "model"]
UNKNOWN = "object"
"""The category of what has none."""
UNLICENSED = "unknown"
"""The licence of what has none."""
MM_PER_M = 1000.0
SPLIT_ORDER = ("train", "val", "test")


@dataclass
class Survey:
    """What the views of an export have in common, and what they differ in."""

    splits: Mapping[str, Dataset]
    """By name; a dataset without splits is all `train`."""
    labels: dict[str, str]
    """Dataset's folder -> what its views' names begin with."""
    counts: Counter[str] = field(default_factory=Counter)
    """Views by split."""
    classes: tuple[str, ...] = ()
    """Sorted; a class's number is its place."""
    keypoints: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of those that objects of a class have, sorted."""
    passes: Counter[PassName] = field(default_factory=Counter)
    """Views that have it."""
    sizes_px: set[tuple[int, int]] = field(default_factory=set)
    cameras: dict[CameraModel, str] = field(default_factory=dict)
    """How they project, and the first view of each."""
    things: dict[ObjectKey, Point3] = field(default_factory=dict)
    """Sides of the box of each object, millimetres, in the order in which they are first seen."""
    origins: dict[ObjectKey, Origin] = field(default_factory=dict)
    """Where each object comes from."""
    assets: tuple[AssetSummary, ...] = ()
    licence_sets: tuple[tuple[str, ...], ...] = ()
    """Of the assets of a view, sorted: each set that occurs once."""
    sentences: int = 0
    """Sentences about the views."""
    timeline: Timeline = field(default_factory=Timeline)
    """The sequences that views are frames of."""
    recipes: set[str] = field(default_factory=set)
    """Recipes that views were rendered by."""

    @property
    def views(self) -> int:
        return self.counts.total()

    def common_passes(self) -> tuple[PassName, ...]:
        """Return the passes that all views have."""
        return tuple(name for name in PASS_NAMES if self.passes[name] == self.views)

    def remedy(self, *words: str) -> str:
        """Return what gives all views passes that some lack, by the words of `--passes`."""
        all_of_them = dict.fromkeys([*self.common_passes(), *words])
        again = f"render again with --passes {','.join(all_of_them)}"
        return (
            f"{later(*words)}, or {again}" if all(map(gets_passes_later, self.recipes)) else again
        )

    def stem(self, view: DatasetView) -> str:
        """Return a view's name without a folder, unlike all others of the export.

        Raises:
            DatasetError: It is no name for a file.
        """
        if not PLAIN_NAME.fullmatch(view.name):
            raise DatasetError(f"{view.name!r}: is not a name that a view's files can have")
        label = self.labels[folder_of(view)]
        return f"{label}__{view.name}" if label else view.name

    def licences(self) -> tuple[str, ...]:
        """Return the licences of all assets, sorted."""
        return tuple(sorted({asset.credit.licence or UNLICENSED for asset in self.assets}))


def later(*words: str) -> str:
    """Say which command adds passes to views that are there."""
    return f"`farm add-passes DATASET {','.join(words)}` adds {'them' if len(words) > 1 else 'it'}"


def look(splits: Mapping[str, Dataset], word: ClassWord) -> Survey:
    """Read all records once.

    Args:
        splits: The views of each split.
        word: What an object's class is.

    Raises:
        DatasetError: A view has a name that no file can have.
    """
    folders = {prefix for dataset in splits.values() for prefix in dataset.prefixes}
    survey = Survey(splits=in_order(splits), labels=short_labels(sorted(folders)))
    assets, licence_sets = AssetCounter(), set[tuple[str, ...]]()
    classes: set[str] = set()
    for split, dataset in survey.splits.items():
        for view in dataset:
            record = view.record
            survey.stem(view)  # complains before anything is written
            folder = folder_of(view)
            reel = survey.timeline.add(split, view, folder=folder, label=survey.labels[folder])
            survey.counts[split] += 1
            survey.recipes.add(record.view.kind)
            survey.passes.update(record.files.keys())
            survey.sizes_px.add(record.resolution_px)
            survey.sentences += len(record.expressions)
            survey.cameras.setdefault(record.camera.model, view.key)
            classes.update(class_names(record, word))
            for thing, label in things(record):
                if reel is not None:
                    reel.areas[thing] += label.area_px
                name = class_name(record, label, word)
                add_names(survey.keypoints, name, {point.name for point in label.keypoints})
                scale = record.metres_per_unit * MM_PER_M
                if thing not in survey.things:
                    x, y, z = (round(side * scale, 6) for side in label.size)
                    survey.things[thing] = (x, y, z)
                    survey.origins[thing] = origin_of(record, label, scale)
            assets.add(record.assets)
            licence_sets.add(licences_of(record))
    survey.classes = tuple(sorted(classes))
    survey.assets = assets.summaries()
    survey.licence_sets = tuple(sorted(licence_sets))
    return survey


def add_names(known: dict[str, tuple[str, ...]], name: str, more: set[str]) -> None:
    """Add to the names that are known under `name`."""
    if not more <= set(known.get(name, ())):
        known[name] = tuple(sorted(more.union(known.get(name, ()))))


def in_order(splits: Mapping[str, Dataset]) -> dict[str, Dataset]:
    """Return splits in the order that people expect."""
    known = [name for name in SPLIT_ORDER if name in splits]
    return {name: splits[name] for name in (*known, *sorted(set(splits) - set(known)))}


def things(record: ViewRecord) -> Iterator[tuple[ObjectKey, ObjectLabel]]:
    """Yield the objects of a view."""
    for label in record.objects:
        asset = record.asset_of(label)
        yield ObjectKey(asset=asset.name, sha256=asset.sha256, name=label.name), label


def is_arrangement(record: ViewRecord) -> bool:
    """Say whether a view shows several models that stand together."""
    return len({label.asset for label in record.objects}) > 1


def licences_of(record: ViewRecord) -> tuple[str, ...]:
    """Return the licences of all that a view is made of, sorted."""
    return tuple(sorted({asset.credit.licence or UNLICENSED for asset in record.assets}))


def class_names(record: ViewRecord, word: ClassWord) -> list[str]:
    """Return the class of each object of a view; where there are none, its first asset's."""
    if not record.objects:
        return [class_name(record, None, word)]
    return [class_name(record, label, word) for label in record.objects]


def class_name(record: ViewRecord, label: ObjectLabel | None, word: ClassWord) -> str:
    """Return the class of an object."""
    if word == "category":
        return category_of(label) if label else record.asset_of(None).credit.category or UNKNOWN
    of_asset = [each for each in record.objects if label and each.asset == label.asset]
    if label is None or len(of_asset) == 1:
        return record.asset_of(label).title
    return label.name


def category_of(label: ObjectLabel) -> str:
    """Return what kind of thing an object is: where its source says nothing, by its noun."""
    if label.category == UNKNOWN and label.words is not None:
        return label.words.noun
    return label.category


def folder_of(view: DatasetView) -> str:
    """Return the dataset of a view, as `Dataset.prefixes` has it."""
    return view.key.removesuffix(view.name).rstrip("/")


def short_labels(folders: Iterable[str]) -> dict[str, str]:
    """Return what the names of each dataset's views begin with, such that no two are the same.

    No label holds `__` or ends with `_`, so what joins it to a view's name is its first `__`.
    """
    labels: dict[str, str] = {}
    wanted = list(folders)
    if len(wanted) == 1:
        return {wanted[0]: ""}
    for folder in wanted:
        plain = re.sub(r"_{2,}", "_", re.sub(r"[/\\]+", "-", folder)).strip("_") or "dataset"
        label, number = plain, 2
        while label in labels.values():
            label, number = f"{plain}-{number}", number + 1
        labels[folder] = label
    return labels
