import pytest

from farm.errors import StorageError
from farm.storage import PARTIAL_PREFIX, FolderStorage


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path / "root")


def test_what_is_put_can_be_got(storage):
    storage.put("a/b.png", b"one")
    storage.put("a/b.png", b"two")

    assert storage.get("a/b.png") == b"two"
    assert storage.size("a/b.png") == 3
    assert list(storage.keys("")) == ["a/b.png"]


def test_what_is_not_there_is_none(storage):
    assert storage.get("a") is None
    assert storage.size("a") is None
    storage.delete("a")
    assert list(storage.keys("none")) == []


def test_deleting_the_last_file_of_a_folder_removes_the_folder(storage):
    storage.put("a/.records/t.jsonl", b"x")
    storage.put("a/other", b"x")

    storage.delete("a/.records/t.jsonl")

    assert not (storage.root / "a" / ".records").exists()
    assert storage.get("a/other") == b"x"


def test_partial_files_are_not_listed_and_not_left_behind(storage):
    storage.put("a/b.png", b"one")
    (storage.root / "a" / f"{PARTIAL_PREFIX}x").write_bytes(b"half")

    assert list(storage.keys("a")) == ["a/b.png"]


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing(storage):
    storage.put("a", b"a file where a folder should be")

    with pytest.raises(StorageError, match="cannot be written"):
        storage.put("a/b.png", b"one")

    assert list(storage.root.rglob("*")) == [storage.root / "a"]


@pytest.mark.parametrize("key", ["../up", "a/../../up", "/etc/passwd"])
def test_no_key_leads_out_of_the_root(storage, key):
    with pytest.raises(StorageError, match="leads out of"):
        storage.put(key, b"x")
