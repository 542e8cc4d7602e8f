"""Records of older releases, rewritten as this one writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, NamedTuple

from pydantic import ValidationError

from farm.dataset.reader import Dataset
from farm.dataset.records.collect import DATASET_FILE, DatasetSummary
from farm.dataset.records.current import check_at_rest
from farm.dataset.records.read import VIEWS_FILE, read_lines
from farm.dataset.temp_files import scratch
from farm.errors import SpecError
from farm.spec.base import first_reason
from farm.spec.record import read_record
from farm.spec.task import dataset_key
from farm.storage import Storage


class Upgrade(NamedTuple):
    """What an upgrade did."""

    views: int
    rewritten: int
    """Of these, the records that an older release had written."""


def upgrade(data: Dataset, *, progress: Callable[[int], None] = lambda _views: None) -> Upgrade:
    """Write the records and summaries of all datasets of a place in this release's form.

    Pictures are not touched. Each file is replaced whole, so the same command again resumes where
    it was stopped.

    Args:
        data: All of a place.
        progress: Called with the number of views that were read since it was called.

    Raises:
        SpecError: A dataset is being rendered, or a line of it is not a record.
        StorageError: The place cannot be written.
    """
    check_at_rest(data.storage, data.prefixes, "upgrade it")
    views = rewritten = 0
    for prefix in data.prefixes:
        with scratch(), NamedTemporaryFile(prefix="farm-views-") as file:
            read, changed = write_records(data.storage, prefix, file, progress)
            file.flush()
            if changed:
                data.storage.put_file(dataset_key(prefix, VIEWS_FILE), Path(file.name))
        upgrade_summary(data.storage, prefix)
        views, rewritten = views + read, rewritten + changed
    return Upgrade(views, rewritten)


def write_records(
    storage: Storage, prefix: str, file: IO[bytes], progress: Callable[[int], None]
) -> tuple[int, int]:
    """Write the records of a dataset to `file`; return how many, and how many have changed."""
    key = dataset_key(prefix, VIEWS_FILE)
    views = changed = 0
    for number, (_start, line) in enumerate(read_lines(storage, key), start=1):
        if not line:
            continue
        try:
            new = read_record(line).model_dump_json().encode()
        except ValidationError as error:
            raise SpecError(
                f"{storage.place}/{key}: line {number} is not a record ({first_reason(error)}); "
                "farm dataset verify explains how to mend it"
            ) from None
        file.write(new + b"\n")
        views, changed = views + 1, changed + (new != line)
        progress(1)
    return views, changed


def upgrade_summary(storage: Storage, prefix: str) -> None:
    """Write a `dataset.json` in this release's form; one that is damaged is left as it is."""
    key = dataset_key(prefix, DATASET_FILE)
    data = storage.get(key)
    if data is None:
        return
    try:
        new = DatasetSummary.model_validate_json(data).model_dump_json(indent=2).encode() + b"\n"
    except ValidationError:
        return
    if new != data:
        storage.put(key, new)
