"""Passes taken out of a dataset: out of its records first, then their files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from farm.dataset.reader import Dataset
from farm.dataset.records.collect import DATASET_FILE, copied, facts_again, summarise
from farm.dataset.records.current import check_at_rest
from farm.dataset.records.read import VIEWS_FILE, parse_record, read_lines
from farm.dataset.temp_files import scratch
from farm.errors import SpecError
from farm.spec.passes import PassName
from farm.spec.record import ViewRecord
from farm.spec.render import ImageFormat
from farm.spec.task import dataset_key
from farm.storage import Storage
from farm.storage.shards import member_of


class Dropped(NamedTuple):
    """What was taken out of a dataset."""

    views: int
    """Views that had some of it."""
    files: int
    size_bytes: int


def drop_passes(
    data: Dataset,
    names: AbstractSet[PassName],
    *,
    progress: Callable[[int], None] = lambda _views: None,
) -> Dropped:
    """Take passes out of all datasets of a place: out of their records, then their files.

    The same command again removes files that were left where it was stopped.

    Args:
        data: All of a place.
        names: The passes.
        progress: Called with the number of views that were read since it was called.

    Raises:
        SpecError: A dataset is being rendered, or a view would be left without any pass.
        StorageError: The place cannot be written.
    """
    check_at_rest(data.storage, data.prefixes, "drop passes")
    check_some_stay(data, names)
    views, sizes = 0, list[int]()
    for prefix in data.prefixes:
        gone: list[str] = []
        changed, all_views = rewrite(data, prefix, names, gone, progress)
        if changed < all_views:
            gone += leftovers(data.storage, prefix, names)
        sizes += deleted(data.storage, (dataset_key(prefix, path) for path in gone))
        views += changed
    return Dropped(views, len(sizes), sum(sizes))


def check_some_stay(data: Dataset, names: AbstractSet[PassName]) -> None:
    """Hold that each view keeps a pass.

    Raises:
        SpecError: One would not.
    """
    for view in data:
        for held in filter(None, map(member_of, paths_of(view.record, names))):
            raise SpecError(
                f"{view.key}: its files are in {held.shard}, from which none is taken "
                "out, unlike of what was added later; farm dataset merge gives each a place of its "
                "own, in a new dataset"
            )
        if view.record.files.keys() <= names:
            raise SpecError(
                f"{view.key}: has {', '.join(view.record.files)} alone, and would be left without "
                "any pass; to remove a whole dataset, delete its folder"
            )


def rewrite(
    data: Dataset,
    prefix: str,
    names: AbstractSet[PassName],
    gone: list[str],
    progress: Callable[[int], None],
) -> tuple[int, int]:
    """Write the records of a dataset without some passes.

    Args:
        data: All of a place.
        prefix: The dataset.
        names: The passes.
        gone: Takes the paths of the files that no record names any more.
        progress: Called with the number of views that were read since it was called.

    Returns:
        How many views had some of these passes, and how many there are.
    """
    changed = 0

    def lines() -> Iterator[bytes]:
        nonlocal changed
        for _place, line in read_lines(data.storage, dataset_key(prefix, VIEWS_FILE)):
            progress(1)
            record = parse_record(line)
            if names.isdisjoint(record.files):
                yield line
                continue
            changed += 1
            gone.extend(paths_of(record, names))
            yield without(record, names).model_dump_json().encode()

    key = dataset_key(prefix, DATASET_FILE)
    facts = facts_again(data.summaries.get(prefix), name=prefix or data.storage.place)
    with scratch(), NamedTemporaryFile(prefix="farm-views-") as file:
        summary = summarise(facts, copied(lines(), file))
        file.flush()
        if changed:
            data.storage.put_file(dataset_key(prefix, VIEWS_FILE), Path(file.name))
            data.storage.put(key, (summary.model_dump_json(indent=2) + "\n").encode())
    return changed, summary.views


def without(record: ViewRecord, names: AbstractSet[PassName]) -> ViewRecord:
    """Return the record of a view that has none of some passes."""
    fields: tuple[str, ...] = ("files", "previews", "added")
    changes: dict[str, object] = {
        field: {name: each for name, each in getattr(record, field).items() if name not in names}
        for field in fields
    }
    changes |= {"indices": ()} if "index" in names else {}
    changes |= {"materials": ()} if "material" in names else {}
    return record.model_copy(update=changes)


def paths_of(record: ViewRecord, names: AbstractSet[PassName]) -> Iterator[str]:
    """Yield where the files of some passes of a view lie."""
    for files in (record.files, record.previews):
        yield from (file.path for name, file in files.items() if name in names)


def leftovers(storage: Storage, prefix: str, names: AbstractSet[PassName]) -> Iterator[str]:
    """Yield the files that an earlier command took out of the records, and left."""
    for _place, line in read_lines(storage, dataset_key(prefix, VIEWS_FILE)):
        view = parse_record(line).view
        for name in names:
            formats: tuple[ImageFormat, ...] = ("png", "jxl")
            paths = {view.path_of(name, picture_format=each) for each in formats}
            yield from sorted({*paths, view.preview_path_of(name)})


def deleted(storage: Storage, keys: Iterable[str]) -> Iterator[int]:
    """Delete files, as far as they are there; yield the size of each."""
    for key in keys:
        size = storage.size(key)
        if size is not None:
            storage.delete(key)
            yield size
