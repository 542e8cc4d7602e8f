"""Views that two attempts have written."""

from __future__ import annotations

import pytest

from farm.dataset.records.conflicts import settle_conflicts
from farm.dataset.records.read import newest, read_records
from farm.spec.record import ViewRecord
from farm.spec.task import dataset_key, records_key, view_id
from farm.storage import FolderStorage
from tests.builders import a_record, a_task

TASK = a_task(views=2)


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


def attempt(storage, number: int, *, recorded: bool = True, passes=("rgb", "mask")) -> None:
    """Leave what an attempt leaves that wrote these passes of each view, and then its records."""
    lines = []
    for view in TASK.views:
        files = {name: f"{name} of {number}".encode() for name in ("rgb", "mask")}
        record = a_record(view, files=files, view_id=view_id(TASK, view), attempt=number)
        for name in passes:
            storage.put(dataset_key(TASK.dataset, record.files[name].path), files[name])
        lines.append(record.model_dump_json().encode() + b"\n")
    if recorded:
        storage.put(records_key(TASK, number), b"".join(lines))


def standing(storage) -> list[ViewRecord]:
    found = newest(read_records(storage, TASK.dataset, print))
    return [entry.record for entry in found.values()]


def settle(storage) -> set[str]:
    return settle_conflicts(storage, TASK.dataset, print)


def test_the_newest_attempt_stands_where_its_files_are_there(storage):
    attempt(storage, 1)
    attempt(storage, 2)

    assert settle(storage) == set()
    assert [record.attempt for record in standing(storage)] == [2, 2]


def test_an_older_attempt_stands_where_it_wrote_last(storage):
    attempt(storage, 2)
    attempt(storage, 1)

    assert settle(storage) == set()
    assert [record.attempt for record in standing(storage)] == [1, 1]


def test_a_view_of_two_attempts_is_removed_and_its_task_is_named(storage):
    attempt(storage, 2)
    attempt(storage, 1, recorded=False, passes=("mask",))

    assert settle(storage) == {TASK.task_id}
    assert standing(storage) == []
    assert not list(storage.keys(f"{TASK.dataset}/images"))
    assert settle(storage) == set()


def test_a_task_with_one_attempt_is_not_read(storage):
    attempt(storage, 1)
    attempt(storage, 1, recorded=False, passes=("mask",))
    storage.put(f"{TASK.dataset}/images/{TASK.views[0].name}.png", b"another")

    assert settle(storage) == set()
    assert len(standing(storage)) == 2
