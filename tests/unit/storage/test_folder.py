"""What holds of a folder alone."""

import pytest

from farm.errors import StorageError
from farm.storage import PARTIAL_PREFIX, FolderStorage


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path / "root")


def test_deleting_the_last_file_of_a_folder_removes_the_folder(storage):
    storage.put("a/.records/t.jsonl", b"x")
    storage.put("a/other", b"x")

    storage.delete("a/.records/t.jsonl")

    assert not (storage.root / "a" / ".records").exists()
    assert storage.get("a/other") == b"x"


def test_partial_files_are_not_left_behind(storage, tmp_path):
    storage.put("a/b.png", b"one")
    with pytest.raises(StorageError):
        storage.put_file("a/c.png", tmp_path / "gone")

    assert not list((storage.root / "a").glob(f"{PARTIAL_PREFIX}*"))


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing(storage):
    storage.put("a", b"a file where a folder should be")

    with pytest.raises(StorageError, match="cannot be written"):
        storage.put("a/b.png", b"one")

    assert list(storage.root.rglob("*")) == [storage.root / "a"]


def test_a_linked_folder_is_not_walked(storage, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret").write_bytes(b"x")
    storage.put("a/b", b"x")
    (storage.root / "a" / "link").symlink_to(tmp_path / "elsewhere")

    assert list(storage.keys("")) == ["a/b"]


def test_a_sweep_takes_what_a_writer_that_was_killed_has_left(tmp_path):
    storage = FolderStorage(tmp_path)
    storage.put("a/b/c.png", b"one")
    half = tmp_path / "a" / "b" / f"{PARTIAL_PREFIX}0123-d.png"
    half.write_bytes(b"ha")

    assert (storage.sweep("a"), storage.sweep("a")) == (1, 0)
    assert not half.exists()
