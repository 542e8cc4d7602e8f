"""A dataset that is still rendered opens as it stands; other processes read it, too."""

from __future__ import annotations

import gc
import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest

import farm.dataset
from farm.dataset.reader import Dataset
from farm.dataset.records.current import fill
from farm.dataset.records.newest import Fold
from farm.dataset.records.snapshot import Snapshot, records_at_hand
from farm.spec.task import dataset_key
from farm.storage import FolderStorage, Storage, open_storage
from tests.builders import a_record, a_view

png_encode = pytest.importorskip("imagecodecs").png_encode


def a_line(storage: Storage, index: int, *, dataset: str = "", **changes: object) -> str:
    """Put the files of a view; return its record."""
    mask = png_encode(np.full((4, 4), index, dtype=np.uint8))
    record = a_record(a_view(index), files={"mask": mask}, **changes)
    storage.put(dataset_key(dataset, record.files["mask"].path), mask)
    return record.model_dump_json() + "\n"


def put(storage: Storage, key: str, *lines: str) -> None:
    storage.put(key, "".join(lines).encode())


@pytest.fixture
def storage(place: str) -> Storage:
    return open_storage(place)


def test_a_dataset_that_is_being_rendered_opens_with_what_is_there(storage: Storage):
    put(storage, ".records/b.jsonl", a_line(storage, 2), a_line(storage, 1), '{"view_id": "cut')
    put(storage, ".records/a.jsonl", a_line(storage, 0), a_line(storage, 3))

    data = farm.dataset.open(storage.place)

    assert [view.record.view.index for view in data] == [0, 1, 2, 3]
    assert [int(data[at]["mask"][0, 0]) for at in range(4)] == [0, 1, 2, 3]


def test_what_was_opened_stays_when_the_run_ends(storage: Storage):
    lines = [a_line(storage, index) for index in range(3)]
    put(storage, ".records/a.jsonl", lines[2], lines[0])
    data = farm.dataset.open(storage.place)

    put(storage, "views.jsonl", *lines)
    storage.delete(".records/a.jsonl")

    assert [data[at].name for at in range(len(data))] == ["view_000", "view_002"]
    assert len(farm.dataset.open(storage.place)) == 3


def test_newer_records_go_over_those_that_were_folded(storage: Storage):
    put(storage, "d/views.jsonl", a_line(storage, 0, dataset="d"), a_line(storage, 1, dataset="d"))
    put(storage, "d/.records/a.jsonl", a_line(storage, 1, dataset="d", samples=7))
    put(storage, "e/views.jsonl", a_line(storage, 5, dataset="e"))
    put(storage, "f/.records/a.jsonl", a_line(storage, 6, dataset="f"))

    data = farm.dataset.open(storage.place)

    assert [view.key for view in data] == ["d/view_000", "d/view_001", "e/view_005", "f/view_006"]
    assert [view.record.samples for view in data] == [1, 7, 1, 1]
    assert data[3]["mask"][0, 0] == 6


class Folding:
    """A folder whose run ends while its records are read."""

    def __init__(self, inner: FolderStorage, lines: list[str]) -> None:
        self.inner, self.lines = inner, lines

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def read(self, key: str, **part: int) -> object:
        if key == ".records/a.jsonl" and self.lines:
            put(self.inner, "views.jsonl", *self.lines)
            self.inner.delete(key)
            self.lines = []
        return self.inner.read(key, **part)


def test_a_run_that_ends_while_records_are_read_loses_none(tmp_path: Path):
    storage = FolderStorage(tmp_path)
    lines = [a_line(storage, index) for index in range(3)]
    put(storage, ".records/a.jsonl", *lines)
    folding = Folding(storage, lines)
    with Fold() as fold:
        assert not fill(fold, Folding(storage, lines), "", print)
    storage.delete("views.jsonl")
    put(storage, ".records/a.jsonl", *lines)

    assert len(Dataset(folding, [""])) == 3


def test_a_folder_at_rest_is_not_copied_and_a_copy_goes_with_its_dataset(tmp_path: Path):
    storage = FolderStorage(tmp_path)
    put(storage, "views.jsonl", a_line(storage, 0))
    assert records_at_hand(storage, [""]) == [storage]

    put(storage, ".records/a.jsonl", a_line(storage, 1))
    (copy,) = records_at_hand(storage, [""])
    assert isinstance(copy, Snapshot)
    folder, sent = copy.root, pickle.loads(pickle.dumps(copy))
    del sent
    gc.collect()
    assert folder.is_dir()
    del copy
    gc.collect()
    assert not folder.exists()


@pytest.mark.parametrize("start", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_other_processes_read_what_was_opened(storage: Storage, start: str):
    put(storage, ".records/a.jsonl", *(a_line(storage, index) for index in range(3)))
    data = farm.dataset.open(storage.place)
    assert data[0]["mask"][0, 0] == 0, "connections are open before the fork"

    with multiprocessing.get_context(start).Pool(2) as pool:
        found = pool.map(Corner(data), range(3), chunksize=1)

    assert found == [0, 1, 2]
    assert data[2]["mask"][0, 0] == 2, "and the copy is still there"


class Corner:
    """Asks a dataset for one pixel."""

    def __init__(self, data: Dataset) -> None:
        self.data = data

    def __call__(self, at: int) -> int:
        return int(self.data[at]["mask"][0, 0])
