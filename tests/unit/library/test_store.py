import hashlib
import time

import pytest

from farm.errors import AssetError, SpecError, StorageError
from farm.library import Library, blob_key, files_of
from farm.spec.asset import AssetFile
from farm.storage import open_storage
from tests.builders import an_asset

NONE = "0" * 64


def sha256_of(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def library(place):
    return Library(open_storage(place))


@pytest.fixture
def keep(library, tmp_path):
    def keep(data):
        (tmp_path / "upload").write_bytes(data)
        library.add(sha256_of(data), tmp_path / "upload")
        return sha256_of(data)

    return keep


def test_what_was_added_is_here_and_can_be_fetched(library, keep, tmp_path):
    sha256 = keep(b"vase")

    library.fetch(sha256, tmp_path / "vase.blend")

    assert library.has(sha256)
    assert (tmp_path / "vase.blend").read_bytes() == b"vase"


def test_adding_twice_is_adding_once(library, keep):
    sha256 = keep(b"vase")
    keep(b"vase")

    assert [blob.sha256 for blob in library.blobs()] == [sha256]


def test_a_file_with_another_hash_is_refused_and_not_kept(library, tmp_path):
    (tmp_path / "upload").write_bytes(b"other")

    with pytest.raises(SpecError, match="send it again"):
        library.add(sha256_of(b"vase"), tmp_path / "upload")

    assert not list(library.blobs())


def test_what_is_missing_is_told_once_and_in_order(library, keep):
    here = keep(b"vase")

    assert library.missing(["f" * 64, here, NONE, "f" * 64]) == ["f" * 64, NONE]


def test_fetching_what_is_not_here_is_the_assets_fault(library, tmp_path):
    with pytest.raises(AssetError, match="is not in the library; submit the job again"):
        library.fetch(NONE, tmp_path / "vase.blend")

    assert not (tmp_path / "vase.blend").exists()


def test_a_damaged_file_is_not_used(library, keep, tmp_path):
    sha256 = keep(b"vase")
    library.storage.put(blob_key(sha256), b"vas")
    here = tmp_path / "here"
    here.mkdir()

    with pytest.raises(StorageError, match="arrived damaged"):
        library.fetch(sha256, here / "vase.blend")

    assert not list(here.iterdir())


def test_files_are_listed_by_hash_and_can_be_gone_on_with(library, keep):
    hashes = sorted(keep(bytes([number])) for number in range(5))
    library.storage.put("assets/upload/part", b"x")

    assert [blob.sha256 for blob in library.blobs()] == hashes
    assert [blob.sha256 for blob in library.blobs(after=hashes[2])] == hashes[3:]
    assert {blob.size_bytes for blob in library.blobs()} == {1}


def test_only_what_is_old_and_not_in_use_is_unused(library, keep):
    used, unused = keep(b"1"), keep(b"2")

    assert [blob.sha256 for blob in library.unused([used], older_than_s=-5)] == [unused]
    assert not list(library.unused([used], older_than_s=3600))


def test_what_is_removed_is_gone(library, keep):
    sha256 = keep(b"vase")

    library.remove(sha256)
    library.remove(sha256)

    assert not library.has(sha256)


def test_a_file_came_when_it_was_added(library, keep):
    keep(b"vase")

    (blob,) = library.blobs()

    assert abs(blob.modified_s - time.time()) < 60


@pytest.mark.parametrize("name", ["", "../x", "A" * 64, "0" * 64 + "\n", "0" * 63])
def test_only_a_hash_is_a_hash(library, name):
    with pytest.raises(SpecError, match="is not a SHA-256"):
        library.has(name)


def test_an_asset_is_its_file_and_what_that_needs():
    wood = AssetFile(path="../textures/wood.png", sha256=NONE, size_bytes=4)
    asset = an_asset("vase.blend").model_copy(update={"dependencies": (wood,)})

    files = files_of(asset)

    assert [(file.path, file.sha256) for file in files] == [
        ("vase.blend", asset.sha256),
        ("../textures/wood.png", NONE),
    ]
