"""Records are read whole, the newest counts, and what is on storage decides what is finished."""

from __future__ import annotations

import pytest

from farm.dataset.records.read import is_whole, newest, read_lines, read_records, seed_records
from farm.spec.record import FileRecord
from farm.spec.task import dataset_key, records_key
from farm.storage import FolderStorage
from tests.builders import a_record, a_task, a_view


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


@pytest.fixture
def sentences():
    return []


def test_records_come_from_the_dataset_and_from_its_running_tasks(storage, sentences):
    old, new = a_record(a_view(0)), a_record(a_view(1))
    write(storage, "vases/views.jsonl", old)
    write(storage, records_key(a_task()), new)

    read = [entry.record for entry in read_records(storage, "vases", sentences.append)]

    assert read == [old, new]
    assert sentences == []


def test_a_dataset_may_be_the_root_of_its_storage(storage, sentences):
    write(storage, records_key(a_task(dataset="")), a_record())

    assert len(list(read_records(storage, "", sentences.append))) == 1


def test_a_dataset_that_is_not_there_has_no_records(storage, sentences):
    assert list(read_records(storage, "vases", sentences.append)) == []


def test_a_line_that_a_dead_worker_cut_off_is_reported_and_skipped(storage, sentences):
    whole = line(a_record())
    storage.put("vases/.records/t.jsonl", whole + b"\n" + whole[:100])

    read = list(read_records(storage, "vases", sentences.append))

    assert [entry.line for entry in read] == [whole]
    (sentence,) = sentences
    assert f"{storage.place}/vases/.records/t.jsonl: line 2 is not a record: " in sentence


def test_the_last_record_of_a_view_counts(storage, sentences):
    first, second = a_record(attempt=1), a_record(attempt=2)
    write(storage, "vases/views.jsonl", first, second)

    views = newest(read_records(storage, "vases", sentences.append))

    assert [entry.record for entry in views.values()] == [second]


def test_a_view_whose_file_another_has_overwritten_is_gone(storage, sentences):
    first, second = a_record(view_id="at 64 px"), a_record(view_id="at 128 px")
    write(storage, "vases/views.jsonl", first, second)

    views = newest(read_records(storage, "vases", sentences.append))

    assert list(views) == ["at 128 px"]


def test_a_view_in_two_formats_is_two_views(storage, sentences):
    write(
        storage,
        "vases/views.jsonl",
        a_record(view_id="png"),
        a_record(view_id="jxl", suffix="jxl"),
    )

    assert list(newest(read_records(storage, "vases", sentences.append))) == ["png", "jxl"]


def test_a_view_is_whole_when_all_its_files_have_their_size(storage):
    shown = {"depth": FileRecord(path="previews/depth.png", sha256="x", size_bytes=3)}
    records = [a_record(a_view(index), previews=shown) for index in range(4)]
    for record in records:
        put_files(storage, "vases", record)
    storage.delete(dataset_key("vases", records[1].files["mask"].path))
    storage.put(dataset_key("vases", records[2].files["rgb"].path), b"cut")

    def whole(previews):
        return [is_whole(storage, "vases", each, previews=previews) for each in records]

    assert whole(previews=False) == [True, False, False, True]
    assert whole(previews=True) == [False] * 4
    storage.put("vases/previews/depth.png", b"abc")
    assert whole(previews=True) == [True, False, False, True]


def test_seeded_records_are_read_again(storage, sentences):
    task, record = a_task(), a_record()

    seed_records(storage, task, [line(record)])

    read = [entry.record for entry in read_records(storage, "vases", sentences.append)]
    assert read == [record]


def test_seeding_nothing_forgets_what_the_task_had(storage, sentences):
    task = a_task()
    seed_records(storage, task, [line(a_record())])

    seed_records(storage, task, [])

    assert storage.get(records_key(task)) is None


def line(record):
    return record.model_dump_json().encode()


def write(storage, key, *records):
    storage.put(key, b"".join(line(record) + b"\n" for record in records))


def put_files(storage, dataset, record):
    for file in record.files.values():
        storage.put(dataset_key(dataset, file.path), b"x" * file.size_bytes)


def test_a_file_can_be_read_from_any_of_its_lines(tmp_path, monkeypatch):
    storage = FolderStorage(tmp_path)
    storage.put("x.jsonl", b"one\n\ntwo \nthree")
    monkeypatch.setattr("farm.storage.folder.CHUNK_BYTES", 2)

    lines = list(read_lines(storage, "x.jsonl"))

    assert lines == [(0, b"one"), (4, b""), (5, b"two"), (10, b"three")]
    assert list(read_lines(storage, "x.jsonl", start=5)) == lines[2:]
    assert list(read_lines(storage, "x.jsonl", start=99)) == []
    assert list(read_lines(storage, "none.jsonl")) == []
