"""Files inside tar files: what is put into a shard is read by its key, from any storage."""

import io
import tarfile

import pytest

from farm.errors import StorageError
from farm.storage import hash_of, open_storage
from farm.storage.shards import Shard, file_of, member_of, name_of, sample_key

FILES = {
    "vase.rgb.png": b"picture" * 300,
    "vase.mask.png": b"",
    "vase.json": b"{}",
    f"{'long' * 40}.depth.exr": b"x" * 512,
    "größe.rgb.png": b"y" * 513,
}


@pytest.fixture
def storage(place):
    return open_storage(place)


@pytest.fixture
def keys(storage):
    """Where each of the files is, in a shard of a dataset."""
    shard = Shard("shards/vase-0000-1-0.tar")
    keys = {name: f"d/{shard.add(name, data)}" for name, data in FILES.items()}
    storage.put("d/shards/vase-0000-1-0.tar", shard.finish())
    return keys


def test_files_are_read_by_their_keys(storage, keys):
    for name, data in FILES.items():
        key = keys[name]
        assert storage.get(key) == data
        assert storage.size(key) == len(data)
        assert b"".join(storage.read(key)) == data
        assert b"".join(storage.read(key, start=3, length=5)) == data[3:8]
        assert len(hash_of(storage, key)) == 64
        assert storage.local_path(key) is None


def test_a_shard_is_a_plain_tar_file(storage, keys):
    data = storage.get("d/shards/vase-0000-1-0.tar")
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        found = {member.name: tar.extractfile(member).read() for member in tar}
        offsets = {member.name: member.offset_data for member in tar}
    assert found == FILES
    assert {name: member_of(key).offset for name, key in keys.items()} == offsets


def test_what_a_shard_does_not_have_is_none(storage, keys):
    there = member_of(keys["vase.rgb.png"])
    for key in (
        f"{there.shard}/{there.offset}/vase.mask.png",
        f"{there.shard}/{there.offset + 1}/vase.rgb.png",
        f"{there.shard}/0/vase.rgb.png",
        f"{there.shard}/99999999/vase.rgb.png",
        f"d/shards/other.tar/{there.offset}/vase.rgb.png",
    ):
        assert storage.get(key) is None, key
        assert storage.size(key) is None, key
        with pytest.raises(StorageError, match="vase"):
            list(storage.read(key))


def test_a_shard_that_was_cut_off_has_no_such_file(storage, keys):
    shard = "d/shards/vase-0000-1-0.tar"
    storage.put(shard, storage.get(shard)[:1024])
    assert storage.get(keys["vase.rgb.png"]) is None


def test_what_is_in_a_shard_goes_with_it_alone(storage, keys):
    storage.delete(keys["vase.json"])
    assert storage.get(keys["vase.json"]) == b"{}"
    assert list(storage.keys("d")) == ["d/shards/vase-0000-1-0.tar"]


def test_other_keys_are_files_by_themselves(storage):
    for key in ("a.tar", "a.tar/b.png", "a.tar/12/b/c.png", "12/b.png"):
        assert member_of(key) is None
        assert file_of(key) == name_of(key) == key
    storage.put("old.tar/b.png", b"1")  # a folder may be called so
    assert storage.get("old.tar/b.png") == b"1"
    assert file_of("s/a.tar/512/b.png") == "s/a.tar"
    assert name_of("s/a.tar/512/b.png") == "b.png"


def test_a_key_in_a_shard_ends_at_its_first_dot():
    assert sample_key("view 1.5 %") == "view 1%2E5 %25"
