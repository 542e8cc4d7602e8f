from __future__ import annotations

import pytest

from farm.overview.datasets import LastLook, Look, datasets_words
from farm.storage import FolderStorage
from tests.builders import a_record, a_view


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


def keep(storage, dataset, *, views=3):
    """Store a dataset with its pictures."""
    lines = []
    for number in range(views):
        record = a_record(a_view(number))
        lines.append(record.model_dump_json())
        for file in record.files.values():
            storage.put(f"{dataset}/{file.path}", bytes(file.size_bytes))
    storage.put(f"{dataset}/views.jsonl", "\n".join([*lines, ""]).encode())


def told(storage, **bounds):
    found = Look(storage, **bounds).all()
    return found, [(one.dataset, one.kind, one.sentence) for one in found.troubles]


def test_sound_datasets_are_counted(storage):
    for job in ("0", "1"):
        keep(storage, f"datasets/{job}/chairs")

    found, troubles = told(storage)

    assert (found.total, found.looked_at, troubles) == (2, 2, [])
    assert datasets_words(found) == "2 datasets: none is nested or damaged"


def test_a_farm_without_datasets_is_well(storage):
    assert datasets_words(told(storage)[0]) == "none"


def test_a_dataset_within_another_one_is_told(storage):
    keep(storage, "datasets/0/chairs")
    keep(storage, "datasets/0/chairs/old")
    keep(storage, "datasets/0/chairs2")

    found, troubles = told(storage)

    assert troubles == [
        (
            "datasets/0/chairs/old",
            "nested",
            "lies within datasets/0/chairs, whose readers would not see it",
        )
    ]
    assert datasets_words(found) == "3 datasets: 1 nested"


def test_records_that_cannot_be_read_are_told(storage):
    keep(storage, "datasets/0/chairs")
    views = storage.get("datasets/0/chairs/views.jsonl")
    storage.put("datasets/0/chairs/views.jsonl", views + b"{\n" + views[:50] + b"\n")

    _, troubles = told(storage)

    assert troubles == [("datasets/0/chairs", "damaged", "2 records cannot be read")]


@pytest.mark.parametrize("harm", ["gone", "cut"])
def test_files_that_are_gone_or_cut_are_told(storage, harm):
    keep(storage, "datasets/0/chairs")
    path = a_record(a_view(1)).files["rgb"].path
    if harm == "gone":
        storage.delete(f"datasets/0/chairs/{path}")
    else:
        storage.put(f"datasets/0/chairs/{path}", b"")

    found, troubles = told(storage)

    sentence = f"1 file of its views missing or cut, such as {path}"
    assert troubles == [("datasets/0/chairs", "damaged", sentence)]
    assert datasets_words(found) == "1 dataset: 1 damaged"


def test_a_look_has_bounds_and_says_so(storage):
    keep(storage, "datasets/0/chairs")
    keep(storage, "datasets/1/chairs")
    size = storage.size("datasets/0/chairs/views.jsonl")
    for number in range(3):
        storage.delete(f"datasets/0/chairs/{a_record(a_view(number)).files['rgb'].path}")

    found, troubles = told(storage, records_bytes=size, files=2)

    assert (found.total, found.looked_at) == (2, 1)
    assert troubles[0][2].startswith("1 file of its views"), "of one view's files it was asked"
    assert datasets_words(found) == "2 datasets: 1 damaged; 1 not looked into"


def test_a_look_is_kept_for_a_while(storage):
    now = [0.0]
    look = LastLook(storage, clock=lambda: now[0])
    assert look().total == 0
    keep(storage, "datasets/0/chairs")

    assert look().total == 0
    now[0] = 601.0
    assert look().total == 1


def test_a_look_ends_in_time_and_says_so(storage):
    for job in range(5):
        keep(storage, f"datasets/{job}/chairs")
    steps = iter(range(100))

    found, troubles = told(storage, seconds=2.5, clock=lambda: float(next(steps)))

    assert (found.total, found.looked_at, found.whole, troubles) == (2, 0, False, [])
    assert datasets_words(found).endswith("2 not looked into; there was no time for the others")
