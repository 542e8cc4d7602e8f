"""The records of one task."""

from __future__ import annotations

from farm.dataset.records.read import newest, read_records
from farm.spec.record import ViewRecord, read_record
from farm.spec.task import dataset_key, records_key, view_id
from farm.storage import FolderStorage
from tests.builders import a_record, a_task
from worker.render.writers.record_book import RecordBook


def record_of(task, place: int, **changes: object) -> ViewRecord:
    view = task.views[place]
    return a_record(view, view_id=view_id(task, view), **changes)


def put_files(storage, task, record) -> None:
    for name, data in (("rgb", b"picture"), ("mask", b"mask")):
        storage.put(dataset_key(task.dataset, record.files[name].path), data)


def test_records_stand_in_the_order_of_the_views(tmp_path):
    storage, task = FolderStorage(tmp_path), a_task(views=3)
    book = RecordBook(task, storage)

    for place in (2, 0, 1):
        book.add(record_of(task, place))

    lines = storage.get(records_key(task)).splitlines()
    views = [ViewRecord.model_validate_json(line).view for line in lines]
    assert views == list(task.views)


def test_a_view_is_finished_when_its_files_are_there_in_full_size(tmp_path):
    storage, task = FolderStorage(tmp_path), a_task(views=1)
    record = record_of(task, 0)
    RecordBook(task, storage).add(record)

    assert not RecordBook(task, storage).has(task.views[0])
    put_files(storage, task, record)
    assert RecordBook(task, storage).has(task.views[0])
    storage.put(dataset_key(task.dataset, record.files["mask"].path), b"ma")
    assert not RecordBook(task, storage).has(task.views[0])


def test_records_of_other_settings_are_dropped(tmp_path):
    storage, task = FolderStorage(tmp_path), a_task(views=2)
    RecordBook(task, storage).add(record_of(task, 0))
    sharper = task.model_copy(update={"render": task.render.model_copy(update={"samples": 8})})

    book = RecordBook(sharper, storage)

    assert not book.has(sharper.views[0])
    book.add(record_of(sharper, 1))
    assert len(storage.get(records_key(task)).splitlines()) == 1


def test_what_another_attempt_recorded_meanwhile_is_kept(tmp_path):
    storage, task = FolderStorage(tmp_path), a_task(views=2)
    ours, theirs = RecordBook(task, storage), RecordBook(task, storage)

    theirs.add(record_of(task, 0, attempt=2))
    ours.add(record_of(task, 1, attempt=1))

    lines = storage.get(records_key(task)).splitlines()
    assert [ViewRecord.model_validate_json(line).attempt for line in lines] == [2, 1]


def test_attempts_have_files_of_their_own_and_read_those_of_others(tmp_path):
    """A late one that knows less never takes away what another has recorded."""
    task, storage = a_task(views=2), FolderStorage(tmp_path)
    late, newer = RecordBook(task, storage, 1), RecordBook(task, storage, 2)
    newer.add(record_of(task, 0))
    newer.add(record_of(task, 1))
    late.add(record_of(task, 0))

    assert len(storage.get(records_key(task, 2)).splitlines()) == 2
    assert len(newest(read_records(storage, task.dataset, print))) == 2


def test_what_it_wrote_itself_is_not_read_again(tmp_path, monkeypatch):
    """A long task would read all of its records again after each view."""
    storage, task = FolderStorage(tmp_path), a_task(views=4)
    book, read = RecordBook(task, storage), []
    monkeypatch.setattr(
        "worker.render.writers.record_book.read_record",
        lambda line: read.append(line) or read_record(line),
    )

    for place in range(4):
        book.add(record_of(task, place))

    assert read == []
    assert len(storage.get(records_key(task)).splitlines()) == 4
