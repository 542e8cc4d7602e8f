"""The files of a job's datasets, page by page, as recorded."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import NamedTuple

from farm import expand
from farm.api.jobs import bad_cursor
from farm.api.problems import ApiProblem
from farm.dataset.finish import PREVIEW_FILE
from farm.dataset.records.attribution import ATTRIBUTION_FILE
from farm.dataset.records.card import CARD
from farm.dataset.records.collect import DATASET_FILE, DatasetSummary
from farm.dataset.records.current import standing_views
from farm.dataset.records.read import VIEWS_FILE, attempts
from farm.dataset.records.sequences import names_of_files
from farm.spec.job import Job
from farm.spec.record import ViewRecord
from farm.spec.task import dataset_key
from farm.spec.trace import TRACES_FOLDER
from farm.spec.wire import DatasetFile, Page
from farm.storage import Storage, hash_of
from farm.storage.shards import member_of

log = logging.getLogger(__name__)

CURSOR = re.compile(r"([0-9]{1,12})\.([0-9]{1,15})\.([0-9]{1,6})\.(.{0,400})")
BESIDE = "-"
"""Stands for the files beside those of views, where a cursor names a record file."""


class ListingPlace(NamedTuple):
    """Where in a source a file is recorded."""

    offset: int
    """In `views.jsonl`, the byte where the line begins; elsewhere a count."""
    nth: int
    """File of the view."""


def list_files(storage: Storage, job: Job, *, cursor: str | None, limit: int) -> Page[DatasetFile]:
    """Return a page of the files of a job's datasets.

    Raises:
        ApiProblem: This server did not issue the cursor, or the dataset was folded since.
    """
    found = CURSOR.fullmatch(cursor or "0.0.0.")
    if found is None:
        raise bad_cursor()
    number, place, source = int(found[1]), ListingPlace(int(found[2]), int(found[3])), found[4]
    items: list[DatasetFile] = []
    for at, dataset in enumerate(expand.datasets(job)):
        if at < number:
            continue
        for name, here, file in files(
            storage, job, dataset, source=source or VIEWS_FILE, start=place
        ):
            if len(items) == limit:
                after = f"{at}.{here.offset}.{here.nth}.{name}"
                return Page[DatasetFile](items=tuple(items), next=after)
            items.append(file)
        source, place = "", ListingPlace(0, 0)
    return Page[DatasetFile](items=tuple(items))


def files(
    storage: Storage, job: Job, dataset: str, *, source: str, start: ListingPlace
) -> Iterator[tuple[str, ListingPlace, DatasetFile]]:
    """Yield the files of a dataset, from `start` in a source on: each once, and who tells of it.

    Raises:
        ApiProblem: The source does not exist any more.
    """
    inner = inner_path(job, dataset)
    if source != BESIDE:
        if source != VIEWS_FILE and source not in attempts(storage, dataset):
            raise ApiProblem(
                409,
                "the records of the dataset were merged since this list began",
                "list the files from the start",
            )
        views = standing_views(storage, dataset, log.warning, source=source, place=start.offset)
        before = ""
        for view in views:
            for nth, file in enumerate(files_of(view.record)):
                here = ListingPlace(view.place, nth)
                again, before = file.path == before, file.path  # a shard of several views
                if not again and (view.source != source or here >= start):
                    told = {"path": f"{inner}{file.path}", "dataset": inner.rstrip("/")}
                    yield view.source, here, file.model_copy(update=told)
        start = ListingPlace(0, 0)
    for here, file in plain_files(storage, dataset, inner, start=start):
        yield BESIDE, here, file


def files_of(record: ViewRecord) -> Iterator[DatasetFile]:
    """Yield the files of a view; of files in a shard, the shard, with each of its views."""
    alone = (file for file in record.all_files if member_of(file.path) is None)
    for file in (*((record.shard,) if record.shard else ()), *alone):
        yield DatasetFile(path=file.path, size_bytes=file.size_bytes, sha256=file.sha256)


def plain_files(
    storage: Storage, dataset: str, inner: str, *, start: ListingPlace
) -> Iterator[tuple[ListingPlace, DatasetFile]]:
    """Yield the files of a dataset other than those of its views."""
    names: tuple[str, ...] = (ATTRIBUTION_FILE, DATASET_FILE, CARD, PREVIEW_FILE, VIEWS_FILE)
    names += tuple(names_of_files(sequences_of(storage, dataset)))
    names += tuple(sorted(traces(storage, dataset)))
    for at, name in list(enumerate(names))[start.offset :]:
        key = dataset_key(dataset, name)
        size_bytes = storage.size(key)
        if size_bytes is not None:
            sha256 = hash_of(storage, key)
            yield (
                ListingPlace(at, 0),
                DatasetFile(
                    path=f"{inner}{name}",
                    size_bytes=size_bytes,
                    sha256=sha256,
                    dataset=inner.rstrip("/"),
                ),
            )


def traces(storage: Storage, dataset: str) -> Iterator[str]:
    """Yield the traces of a dataset, by their paths in it."""
    for key in storage.keys(dataset_key(dataset, TRACES_FOLDER)):
        yield key.removeprefix(f"{dataset}/")


def sequences_of(storage: Storage, dataset: str) -> tuple[str, ...]:
    """Return the folders of a dataset's sequences, as its summary has them."""
    data = storage.get(dataset_key(dataset, DATASET_FILE))
    return DatasetSummary.model_validate_json(data).sequences if data else ()


def inner_path(job: Job, dataset: str) -> str:
    """Return where a dataset lies within those of its job; "" or such as `chair_studio/`."""
    inner = dataset.removeprefix(job.prefix).strip("/")
    return f"{inner}/" if inner else ""
