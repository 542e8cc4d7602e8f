"""The files of a job's datasets, page by page, as their records tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import ValidationError

from farm import expand
from farm.api.jobs import bad_cursor
from farm.api.problems import ApiProblem
from farm.dataset.attribution import ATTRIBUTION_FILE
from farm.dataset.collect import DATASET_FILE
from farm.dataset.finish import PREVIEW_FILE
from farm.dataset.records import VIEWS_FILE, newest, read_file, read_lines, record_keys
from farm.spec.job import Job
from farm.spec.record import ViewRecord
from farm.spec.task import dataset_key
from farm.spec.wire import DatasetFile, Page
from farm.storage import Storage, hash_of

CURSOR = re.compile(r"([0-9]{1,12})\.([0-9]{1,15})\.([0-9]{1,6})\.(.{0,400})")
BESIDE = "-"
"""Stands for what lies beside the records, where a cursor names a record file."""


class Place(NamedTuple):
    """Where in a source a file is told of."""

    offset: int
    """Of a line in `views.jsonl`, bytes; elsewhere a count."""
    nth: int
    """File of the view."""


def list_files(storage: Storage, job: Job, *, cursor: str | None, limit: int) -> Page[DatasetFile]:
    """Return a page of the files of a job's datasets.

    Raises:
        ApiProblem: The cursor is none of ours, or the dataset was folded since it was made.
    """
    found = CURSOR.fullmatch(cursor or "0.0.0.")
    if found is None:
        raise bad_cursor()
    number, place, source = int(found[1]), Place(int(found[2]), int(found[3])), found[4]
    items: list[DatasetFile] = []
    for at, dataset in enumerate(expand.datasets(job)):
        if at < number:
            continue
        for name in sources(storage, job, dataset, start=source):
            for here, file in files(storage, job, dataset, name, start=place):
                if len(items) == limit:
                    after = f"{at}.{here.offset}.{here.nth}.{name}"
                    return Page[DatasetFile](items=tuple(items), next=after)
                items.append(file)
            place = Place(0, 0)
        source = ""
    return Page[DatasetFile](items=tuple(items))


def sources(storage: Storage, job: Job, dataset: str, *, start: str) -> list[str]:
    """Return what tells of the files of a dataset, from `start` on.

    Raises:
        ApiProblem: There is no `start` any more.
    """
    keys = [key.removeprefix(f"{job.prefix}/") for key in record_keys(storage, dataset)]
    names = [*keys, BESIDE]
    if start and start not in names:
        raise ApiProblem(
            409, "the dataset was folded since this list began", "list the files from the start"
        )
    return names[names.index(start) if start else 0 :]


def files(
    storage: Storage, job: Job, dataset: str, name: str, *, start: Place
) -> Iterator[tuple[Place, DatasetFile]]:
    """Yield the files that one source tells of, from `start` on."""
    inner = inner_path(job, dataset)
    if name == BESIDE:
        yield from plain_files(storage, dataset, inner, start=start)
        return
    for offset, record in records(storage, f"{job.prefix}/{name}", start.offset):
        shown = (*record.files.values(), *record.previews.values())
        for nth, file in enumerate(shown):
            if (offset, nth) >= start:
                yield (
                    Place(offset, nth),
                    DatasetFile(
                        path=f"{inner}{file.path}", size_bytes=file.size_bytes, sha256=file.sha256
                    ),
                )


def records(storage: Storage, key: str, start: int) -> Iterator[tuple[int, ViewRecord]]:
    """Yield the records under a key from `start` on, each with what to start from next time."""
    if not key.endswith(f"/{VIEWS_FILE}"):  # small; one that was tried again may tell a view twice
        told = newest(read_file(storage, key, report=ignore)).values()
        yield from ((at, one.record) for at, one in enumerate(told) if at >= start)
        return
    for offset, line in read_lines(storage, key, start=start):
        if not line:
            continue
        try:
            yield offset, ViewRecord.model_validate_json(line)
        except ValidationError:
            continue


def plain_files(
    storage: Storage, dataset: str, inner: str, *, start: Place
) -> Iterator[tuple[Place, DatasetFile]]:
    """Yield what stands in a dataset beside the files of its views."""
    names = (ATTRIBUTION_FILE, DATASET_FILE, PREVIEW_FILE, VIEWS_FILE)
    for at, name in list(enumerate(names))[start.offset :]:
        key = dataset_key(dataset, name)
        size_bytes = storage.size(key)
        if size_bytes is not None:
            sha256 = hash_of(storage, key)
            path = f"{inner}{name}"
            yield Place(at, 0), DatasetFile(path=path, size_bytes=size_bytes, sha256=sha256)


def inner_path(job: Job, dataset: str) -> str:
    """Return where a dataset lies within those of its job; "" or such as `chair_studio/`."""
    inner = dataset.removeprefix(job.prefix).strip("/")
    return f"{inner}/" if inner else ""


def ignore(sentence: str) -> None:
    """Take a remark and say nothing."""
