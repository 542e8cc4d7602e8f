"""A view is there once, as its newest attempt left it, whoever reads and wherever it is told of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import farm.dataset
from farm import expand
from farm.api.datasets.files import job_records
from farm.api.datasets.listing import list_files
from farm.api.datasets.views import view_lines
from farm.dataset.export.splits import open_splits
from farm.dataset.preview.preview import page_of
from farm.dataset.records.current import standing_lines, standing_views
from farm.dataset.records.read import parse_record
from farm.dataset.records.resume import find_finished
from farm.dataset.stats.gather import gather_stats
from farm.dataset.verify.verify import verify
from farm.spec.job import Job
from farm.spec.recipes.sod import SodGrid
from farm.spec.record import ViewRecord
from farm.spec.task import RenderTask, dataset_key, records_key, view_id
from farm.spec.view import View
from farm.storage import FolderStorage
from tests.builders import a_job, a_record

png_encode = pytest.importorskip("imagecodecs").png_encode


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path)


@pytest.fixture
def job() -> Job:
    """Four tasks of three views in one dataset."""
    made = a_job(recipe=SodGrid(yaw=6, pitch=2), views_per_task=3, dataset_name="vases")
    return made.model_copy(update={"prefix": "datasets/job"})


def tasks_of(job: Job) -> list[RenderTask]:
    place = "datasets/job/vases"
    return [each.model_copy(update={"dataset": place}) for each in expand.expand(job)]


def put_view(storage: FolderStorage, task: RenderTask, view: View, attempt: int = 1) -> ViewRecord:
    """Put the files of a view; other attempts have other bytes."""
    shade = (37 * view.seed + 11 * attempt) % 200
    rgb = np.full((64, 64, 3), shade, np.uint8)
    rgb[::2, view.seed % 50] += 50
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48] = 255
    record = a_record(
        view,
        files={"rgb": png_encode(rgb), "mask": png_encode(mask)},
        view_id=view_id(task, view),
        task_id=task.task_id,
        attempt=attempt,
        model=task.assets[0],
        hdr=task.assets[1],
    )
    for name, data in (("rgb", png_encode(rgb)), ("mask", png_encode(mask))):
        storage.put(dataset_key(task.dataset, record.files[name].path), data)
    return record


def put_records(storage: FolderStorage, key: str, *records: ViewRecord) -> None:
    storage.put(key, b"".join(each.model_dump_json().encode() + b"\n" for each in records))


@pytest.fixture
def ended(storage: FolderStorage, job: Job) -> list[ViewRecord]:
    """A job that is over: one task has failed after it kept two of its views, one of them anew.

    Its records lie in `views.jsonl`, and two of them again beside it.
    """
    first, *_between, failed = tasks_of(job)
    whole = [put_view(storage, first, view) for view in first.views]
    old = [put_view(storage, failed, view) for view in failed.views[:2]]
    new = put_view(storage, failed, failed.views[1], attempt=2)
    put_records(storage, "datasets/job/vases/views.jsonl", *whole, *old)
    put_records(storage, records_key(failed), *old)
    put_records(storage, records_key(failed, 2), old[0], new)
    return [*whole, old[0], new]


def test_what_a_job_with_failed_tasks_has_kept_is_listed_once(storage, job, ended):
    files, cursor = [], None
    while True:
        page = list_files(storage, job, cursor=cursor, limit=1)
        files += page.items
        cursor = page.next
        if cursor is None:
            break

    listed = {file.path: file.sha256 for file in files}
    assert len(listed) == len(files)
    wanted = {f"vases/{file.path}": file.sha256 for each in ended for file in each.files.values()}
    assert {path: listed.get(path) for path in wanted} == wanted
    assert listed.keys() - wanted.keys() == {"vases/views.jsonl"}
    assert list_files(storage, job, cursor=None, limit=1000).items == tuple(files)


def test_every_reader_has_each_view_once_and_the_newest(storage, job, ended):
    place = storage.root / "datasets/job/vases"

    data = farm.dataset.open(place)
    sent = [json.loads(line) for line in view_lines(storage, job)]
    stats = gather_stats(data, workers=1)
    report = verify(data, workers=1)

    assert [view.record for view in data] == ended
    assert [ViewRecord.model_validate(line["record"]) for line in sent] == ended
    shown = {record.view_id: record.attempt for record in job_records(storage, job)}
    assert shown == {record.view_id: record.attempt for record in ended}
    assert len(list(job_records(storage, job))) == len(ended)
    assert (stats.views, report.views, page_of(data, limit=99)[1]) == (5, 5, 5)
    assert len(open_splits(str(place))["train"]) == 5, "what is exported"
    assert report.wrong == 0


def test_what_is_finished_is_counted_once(storage, job, ended):
    here = job.model_copy(update={"prefix": "datasets/job"})

    found = find_finished(here, storage, print)

    assert (found.views, found.tasks) == (5, [0])
    assert {at: len(lines) for at, lines in found.partial.items()} == {1: 0, 2: 0, 3: 2}
    assert parse_record(found.partial[3][1]).attempt == 2


@pytest.mark.parametrize("seed", range(8))
def test_page_by_page_and_as_a_whole_the_same_views_stand(storage, job, seed):
    """Attempts that ran, died, and were folded in any order."""
    rng = np.random.default_rng(seed)
    dataset = "datasets/job/vases"
    folded: list[ViewRecord] = []
    for task in tasks_of(job):
        records = [
            a_record(view, view_id=view_id(task, view), task_id=task.task_id, attempt=attempt)
            for attempt in range(1, int(rng.integers(1, 4)) + 1)
            for view in task.views
        ]
        told = [each for each in records if rng.random() < 0.7]
        if rng.random() < 0.7:
            folded += {each.view_id: each for each in told}.values()
        for attempt in {each.attempt for each in told} if rng.random() < 0.6 else ():
            ours = [each for each in told if each.attempt == attempt]
            put_records(storage, records_key(task, attempt), *ours)
    put_records(storage, f"{dataset}/views.jsonl", *folded)

    whole = [parse_record(line) for line in standing_lines(storage, dataset, print)]
    pages = list(standing_views(storage, dataset, print))

    by_view = {view.record.view_id: view.record for view in pages}
    assert len(by_view) == len(pages)
    assert by_view == {record.view_id: record for record in whole}
    for at, view in enumerate(pages):
        rest = standing_views(storage, dataset, print, source=view.source, place=view.place)
        assert list(rest) == pages[at:]


def test_a_list_that_was_folded_twice_by_hand_reads_once(storage, job, ended):
    """Such as by `cat old/views.jsonl new/views.jsonl`: the later line counts."""
    place = storage.root / "datasets/job/vases"
    for path in sorted((place / ".records").rglob("*.jsonl")):
        path.unlink()
    put_records(storage, "datasets/job/vases/views.jsonl", *ended[:4], *ended[3:], ended[0])

    data = farm.dataset.open(place)

    assert [view.record for view in data] == ended
    assert [data[at].record for at in range(len(data))] == ended
    report = verify(data, workers=1)
    (names,) = [check.found for check in report.checks if check.check == "names"]
    assert names == 2
