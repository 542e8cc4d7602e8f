"""Files inside shards: what is put into one is read by its key, from any storage."""

import io
import tarfile

import pyarrow.parquet as pq
import pytest

from farm.errors import StorageError
from farm.storage import hash_of, open_storage
from farm.storage.shards import file_of, key_in, member_of, name_of, sample_key
from tests.builders import a_record, a_view
from tests.support.shards import SUFFIXES, pack_views
from worker.render.writers.packs import new_shard

VIEWS = {
    "vase": {"rgb": b"picture" * 300, "mask": b"", "depth": b"x" * 512},
    "long" * 40: {"rgb": b"picture" * 300, "mask": b"m", "depth": b"x" * 513},
    "größe 1.5": {"rgb": b"picture" * 300, "mask": b"m", "depth": b"y" * (3 << 20)},
}
FILES = {
    f"{sample_key(view)}.{name}.png": data
    for view, files in VIEWS.items()
    for name, data in files.items()
}


@pytest.fixture
def storage(place):
    return open_storage(place)


@pytest.fixture(params=SUFFIXES.values())
def shard(request):
    """Its key."""
    return f"d/shards/vase-0000-1-0.{request.param}"


@pytest.fixture
def keys(storage, shard):
    """Where each of the files is, in a shard of a dataset."""
    records = [
        a_record(a_view(at, name=name), files=files)
        for at, (name, files) in enumerate(VIEWS.items())
    ]
    before = {
        file.path: VIEWS[record.view.name][name]
        for record in records
        for name, file in record.files.items()
    }
    packed = pack_views(new_shard(shard.removeprefix("d/")), records, before.__getitem__)
    storage.put(shard, packed.data)
    found = [file.path for record in packed.records for file in record.files.values()]
    return {member_of(path).name: f"d/{path}" for path in found}


def test_files_are_read_by_their_keys(storage, keys):
    assert keys.keys() == FILES.keys()
    for name, data in FILES.items():
        key = keys[name]
        assert storage.get(key) == data
        assert storage.size(key) == len(data)
        assert b"".join(storage.read(key)) == data
        assert b"".join(storage.read(key, start=3, length=5)) == data[3:8]
        assert len(hash_of(storage, key)) == 64
        assert storage.local_path(key) is None


@pytest.mark.parametrize("shard", ["d/shards/vase.tar"])
def test_a_shard_is_a_plain_tar_file(storage, keys, shard):
    with tarfile.open(fileobj=io.BytesIO(storage.get(shard))) as tar:
        found = {member.name: tar.extractfile(member).read() for member in tar}
        offsets = {member.name: member.offset_data for member in tar}
    assert {name: found[name] for name in FILES} == FILES
    assert found.keys() - FILES.keys() == {f"{sample_key(view)}.json" for view in VIEWS}
    assert {name: member_of(key).offset for name, key in keys.items()} == {
        name: offsets[name] for name in FILES
    }


@pytest.mark.parametrize("shard", ["d/shards/vase.parquet"])
@pytest.mark.usefixtures("keys")
def test_a_shard_is_a_plain_parquet_file(storage, shard):
    table = pq.read_table(io.BytesIO(storage.get(shard)))
    assert table["view"].to_pylist() == list(VIEWS)
    for name in ("rgb", "mask", "depth"):
        assert [each["bytes"] for each in table[name].to_pylist()] == [
            files[name] for files in VIEWS.values()
        ]


def test_what_a_shard_does_not_have_is_none(storage, keys):
    there = member_of(keys["vase.rgb.png"])
    gone = [
        key_in(there.shard, 0, there.name),
        key_in(there.shard, 99999999, there.name),
        key_in(there.shard.replace("vase", "other"), there.offset, there.name),
    ]
    wrong = [key_in(there.shard, there.offset + 1, there.name)]
    if there.shard.endswith(".tar"):  # the other kind has no names at files
        wrong += [key_in(there.shard, there.offset, "vase.mask.png")]
    for key in gone + wrong:
        assert storage.get(key) is None, key
        assert storage.size(key) != len(FILES["vase.rgb.png"]), key
        assert storage.size(key) is None or key not in gone, key
        with pytest.raises(StorageError, match="vase"):
            list(storage.read(key))


def test_a_shard_that_was_cut_off_has_no_such_file(storage, keys, shard):
    storage.put(shard, storage.get(shard)[:1024])
    assert storage.get(keys["vase.rgb.png"]) is None


def test_what_is_in_a_shard_goes_with_it_alone(storage, keys, shard):
    storage.delete(keys["vase.depth.png"])
    assert storage.get(keys["vase.depth.png"]) == FILES["vase.depth.png"]
    assert list(storage.keys("d")) == [shard]


def test_other_keys_are_files_by_themselves(storage):
    plain = "a.tar", "a.tar/b.png", "a.tar/12/b/c.png", "12/b.png", "a.parquet/b", "aparquet/1/b"
    for key in plain:
        assert member_of(key) is None
        assert file_of(key) == name_of(key) == key
    storage.put("old.tar/b.png", b"1")  # a folder may be called so
    assert storage.get("old.tar/b.png") == b"1"
    assert file_of("s/a.tar/512/b.png") == "s/a.tar"
    assert file_of("s/a.parquet/8/b.png") == "s/a.parquet"
    assert name_of("s/a.tar/512/b.png") == "b.png"


def test_a_key_in_a_shard_ends_at_its_first_dot():
    assert sample_key("view 1.5 %") == "view 1%2E5 %25"
