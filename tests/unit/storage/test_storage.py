"""What holds of every storage."""

import time
from pathlib import Path

import pytest

from farm.errors import SetupError, StorageError
from farm.storage import CHUNK_BYTES, PARTIAL_PREFIX, is_bucket, open_storage


@pytest.fixture
def storage(place):
    return open_storage(place)


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
    storage.delete_tree("a")
    assert list(storage.keys("none")) == []


def test_nothing_is_kept_as_nothing(storage):
    storage.put("empty", b"")

    assert storage.get("empty") == b""
    assert b"".join(storage.read("empty")) == b""
    assert storage.size("empty") == 0


def test_a_folder_is_not_a_file(storage):
    storage.put("a/b", b"x")

    assert storage.size("a/b/c") is None


def test_a_file_is_put_whole_and_read_in_pieces(storage, tmp_path):
    data = bytes(range(256)) * (3 * CHUNK_BYTES // 256) + b"end"
    (tmp_path / "big").write_bytes(data)

    storage.put_file("jobs/x/big", tmp_path / "big")
    pieces = list(storage.read("jobs/x/big"))

    assert b"".join(pieces) == data
    assert max(map(len, pieces)) < 16 * CHUNK_BYTES
    assert (tmp_path / "big").read_bytes() == data


@pytest.mark.parametrize(
    ("start", "length", "part"),
    [(0, 2, b"01"), (3, None, b"3456789"), (8, 100, b"89"), (10, None, b""), (12, 1, b""),
     (4, 0, b"")],
)  # fmt: skip
def test_a_part_can_be_read(storage, start, length, part):
    storage.put("digits", b"0123456789")

    assert b"".join(storage.read("digits", start=start, length=length)) == part


def test_reading_what_is_not_there_says_so(storage):
    with pytest.raises(StorageError, match="cannot be read"):
        next(storage.read("none"))


def test_a_file_that_is_gone_cannot_be_put(storage, tmp_path):
    with pytest.raises(StorageError, match="a: cannot be written"):
        storage.put_file("a", tmp_path / "gone")

    assert list(storage.keys("")) == []


def test_what_is_linked_stays_when_the_other_goes(storage):
    storage.put("a/one", b"old")
    storage.link("b/two", "a/one")
    storage.put("a/one", b"new")

    assert storage.get("b/two") == b"old"
    storage.delete("a/one")
    assert storage.get("b/two") == b"old"
    with pytest.raises(StorageError, match="c: cannot be written"):
        storage.link("c", "none")


def test_listings_are_sorted_and_can_be_gone_on_with(storage):
    keys = ["a-b/x", "a.b", "a/b", "a/c/d", "ab", "ä"]
    for key in reversed(keys):
        storage.put(f"top/{key}", b"x")
    storage.put("top2/other", b"x")

    listed = [key.removeprefix("top/") for key in storage.keys("top")]

    assert listed == keys
    for place, key in enumerate(listed):
        rest = [found.removeprefix("top/") for found in storage.keys("top", after=f"top/{key}")]
        assert rest == listed[place + 1 :]
    assert list(storage.keys("top", after="top/ö")) == []
    assert list(storage.keys("top", after="a")) == [f"top/{key}" for key in listed]


def test_entries_tell_size_and_age(storage):
    before = time.time() - 5
    storage.put("a/b", b"123")

    (entry,) = storage.entries("a")

    assert (entry.key, entry.size_bytes) == ("a/b", 3)
    assert before < entry.modified_s < time.time() + 5


def test_deleting_takes_what_is_named_and_no_more(storage):
    for key in ("a/b", "a/c/d", "ab", "b"):
        storage.put(key, b"x")

    storage.delete("b")
    storage.delete_tree("a")

    assert list(storage.keys("")) == ["ab"]


def test_a_whole_storage_is_not_deleted(storage):
    storage.put("a", b"x")

    for prefix in ("", ".", "a/.."):
        with pytest.raises(StorageError, match="whole storage"):
            storage.delete_tree(prefix)

    assert list(storage.keys("")) == ["a"]


def test_partial_files_are_not_listed(storage):
    storage.put("a/b.png", b"one")
    storage.put(f"a/{PARTIAL_PREFIX}x", b"half")

    assert list(storage.keys("a")) == ["a/b.png"]


def test_a_sweep_takes_no_whole_file(storage):
    storage.put("a/b.png", b"one")
    storage.sweep("a")
    storage.sweep("nowhere")

    assert list(storage.keys("")) == ["a/b.png"]


@pytest.mark.parametrize("key", ["../up", "a/../../up", "/etc/passwd", "..", "a\0b"])
def test_no_key_leads_out_of_the_storage(storage, key):
    for verb in (
        lambda: storage.put(key, b"x"),
        lambda: storage.get(key),
        lambda: list(storage.read(key)),
        lambda: storage.link(key, "a"),
        lambda: storage.link("a", key),
        lambda: storage.delete(key),
        lambda: storage.delete_tree(key),
        lambda: list(storage.keys(key)),
        lambda: storage.local_path(key),
    ):
        with pytest.raises(StorageError, match="leads out of"):
            verb()


def test_only_a_folder_has_files_of_its_own(storage):
    storage.put("a/b", b"x")

    path = storage.local_path("a/b")

    assert path is None if is_bucket(storage.place) else path.read_bytes() == b"x"


def test_a_storage_opens_where_another_was(storage):
    storage.put("a", b"x")

    assert open_storage(storage.place).get("a") == b"x"


@pytest.mark.parametrize(
    ("name", "sentence"), [("", "has no name"), ("ftp://a/b", "ftp:// is not a storage"),
                           ("farm:chairs", "fetch it first, with farm download chairs"),
                           ("s3://", "names no bucket")]
)  # fmt: skip
def test_a_place_without_meaning_is_refused(name, sentence):
    if is_bucket(name):
        pytest.importorskip("s3fs")
    with pytest.raises(SetupError, match=sentence):
        open_storage(name)


def test_a_bucket_that_cannot_be_reached_is_named(s3_place, monkeypatch):
    monkeypatch.setenv("FARM_S3_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # nobody comes: there is nothing to wait for
    storage = open_storage(s3_place)

    with pytest.raises(StorageError, match=r"s3://farm/.*/a: cannot be written: .*127\.0\.0\.1"):
        storage.put("a", b"x")


def test_a_bucket_that_is_not_there_is_named(s3_place):
    storage = open_storage(s3_place.replace("s3://farm", "s3://other"))

    with pytest.raises(StorageError, match=r"s3://other/.*: cannot be written"):
        storage.put("a", b"x")
    with pytest.raises(StorageError, match=r"s3://other/.*: cannot be read"):
        list(storage.keys(""))


def test_relative_folders_and_home_are_understood(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))

    assert open_storage("~/here").place == str(Path(tmp_path / "here").resolve())


def test_what_is_no_file_has_no_size(storage):
    storage.put("a/b", b"1")

    assert storage.size("a") is None
    assert storage.size("a/b/c") is None
    assert storage.size("x" * 300) is None
