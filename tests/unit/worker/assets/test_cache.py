import hashlib
import multiprocessing
import os

import pytest

from farm.errors import AssetError, StorageError
from farm.library import Library, blob_key
from farm.spec.asset import Asset, AssetFile
from farm.storage import is_bucket, open_storage
from worker.assets.cache import AssetCache


def located(cache, asset):
    """Where the only asset of a task is."""
    return cache.hold([asset])[0]


PLENTY = 1 << 30


class Shelf:
    """A library with things in it."""

    def __init__(self, place, folder):
        self.library = Library(open_storage(place))
        self.upload = folder / "upload"

    def keep(self, data):
        sha256 = hashlib.sha256(data).hexdigest()
        self.upload.write_bytes(data)
        self.library.add(sha256, self.upload)
        return sha256

    def asset(self, name="vase.blend", data=b"vase", *, kind="model", **needs):
        files = {path.replace("__", "/"): content for path, content in needs.items()}
        return Asset(
            kind=kind, id="vase", name=name, path=name, sha256=self.keep(data),
            size_bytes=len(data), in_library=True,
            dependencies=tuple(
                AssetFile(path=path, sha256=self.keep(content), size_bytes=len(content))
                for path, content in files.items()
            ),
        )  # fmt: skip


@pytest.fixture
def shelf(place, tmp_path):
    return Shelf(place, tmp_path)


@pytest.fixture
def bucket(s3_place, tmp_path):
    return Shelf(s3_place, tmp_path)


@pytest.fixture
def cache(shelf, tmp_path):
    return AssetCache(shelf.library, tmp_path / "cache", PLENTY)


def fetches(monkeypatch):
    """Count what is fetched from now on."""
    done, real = [], Library.fetch

    def fetch(self, sha256, target):
        done.append(sha256)
        real(self, sha256, target)

    monkeypatch.setattr(Library, "fetch", fetch)
    return done


def contents(cache):
    return {kept.content for kept in cache.kept() if (cache.folder / kept.content).exists()}


def test_an_asset_of_the_library_is_put_together_with_what_it_needs(shelf, cache):
    asset = shelf.asset(**{"textures/wood.png": b"wood", "../../shared/a b.png": b"ab"})

    path = located(cache, asset)

    assert path.name == "vase.blend"
    assert path.read_bytes() == b"vase"
    assert (path.parent / "textures/wood.png").read_bytes() == b"wood"
    assert (path.parent / "../../shared/a b.png").read_bytes() == b"ab"
    assert path.is_relative_to(cache.folder / asset.content)
    assert (path.parent / "../..").resolve() == cache.folder / asset.content


def test_a_folder_is_linked_to_and_a_bucket_fetched_from(shelf, cache):
    path = located(cache, shelf.asset())

    assert path.is_symlink() != is_bucket(shelf.library.storage.place)


def test_an_asset_is_fetched_once(bucket, tmp_path, monkeypatch):
    asset = bucket.asset(wood=b"wood")
    done = fetches(monkeypatch)

    for _ in range(2):
        cache = AssetCache(bucket.library, tmp_path / "cache", PLENTY)
        located(cache, asset)
        located(cache, asset)

    assert len(done) == 2


def test_an_asset_elsewhere_is_taken_where_it_is(cache, tmp_path):
    (tmp_path / "vase.blend").write_bytes(b"vase")
    asset = Asset(kind="model", id="v", name="v", path=str(tmp_path / "vase.blend"), sha256="x",
                  size_bytes=4)  # fmt: skip

    assert located(cache, asset) == tmp_path / "vase.blend"
    with pytest.raises(AssetError, match=r"gone\.blend: cannot be read: .* on this machine"):
        located(cache, asset.model_copy(update={"path": "/none/gone.blend"}))


def test_what_the_library_lacks_is_the_assets_fault_and_leaves_nothing(shelf, cache):
    asset = shelf.asset(wood=b"wood")
    shelf.library.remove(asset.dependencies[0].sha256)

    with pytest.raises(AssetError, match=r"wood: its file .* is not in the library"):
        located(cache, asset)

    assert not contents(cache)
    assert sum(kept.size_bytes for kept in cache.kept()) == 0


def test_damaged_bytes_are_not_used(bucket, tmp_path):
    asset = bucket.asset()
    bucket.library.storage.put(blob_key(asset.sha256), b"other")
    cache = AssetCache(bucket.library, tmp_path / "cache", PLENTY)

    with pytest.raises(StorageError, match="arrived damaged"):
        located(cache, asset)

    assert not contents(cache)


def test_files_that_went_are_brought_again(shelf, cache, tmp_path):
    asset = shelf.asset()
    path = located(cache, asset)
    path.unlink()

    assert located(cache, asset).read_bytes() == b"vase"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "a\0b", "x" * 300, "../" * 17 + "x", ".", "a/../..", "vase.blend/x"]
)
def test_no_file_leaves_its_assets_folder(shelf, cache, tmp_path, path):
    asset = shelf.asset(**{path: b"evil"})

    with pytest.raises(AssetError, match=r"vase\.blend: needs "):
        located(cache, asset)

    assert not list(tmp_path.glob("cache/*/*"))


@pytest.mark.parametrize("name", ["../vase.blend", "/vase.blend", "..", ""])
def test_no_asset_is_called_by_a_path(shelf, cache, name):
    with pytest.raises(AssetError, match="its file name is a path"):
        located(cache, shelf.asset(name))


@pytest.mark.parametrize("sha256", ["../../x", "", "0" * 63])
def test_no_hash_is_a_path(shelf, cache, sha256):
    with pytest.raises(AssetError, match="the hash given for it is not a SHA-256"):
        located(cache, shelf.asset().model_copy(update={"sha256": sha256}))


def test_two_files_at_one_place_are_refused(shelf, cache):
    with pytest.raises(AssetError, match="twice, with different bytes"):
        located(cache, shelf.asset(**{"a": b"1", "./b/../a": b"2"}))


def test_the_least_recently_used_make_room(bucket, tmp_path):
    cache = AssetCache(bucket.library, tmp_path / "cache", 250)
    assets = [bucket.asset(data=bytes([number]) * 100) for number in range(3)]
    for age, asset in enumerate(assets[:2]):
        located(cache, asset)
        os.utime(cache.folder / f"{asset.content}.lock", (age, age))

    located(cache, assets[2])

    assert contents(cache) == {assets[1].content, assets[2].content}
    assert sum(kept.size_bytes for kept in cache.kept()) == 200


def test_what_is_in_use_is_not_evicted_even_by_another_worker(bucket, tmp_path, caplog):
    mine, theirs = (AssetCache(bucket.library, tmp_path / "cache", 150) for _ in range(2))
    vase = bucket.asset(data=b"m" * 100)
    sky = bucket.asset("sky.exr", data=b"h" * 100, kind="hdr")
    model, hdr = mine.hold([vase, sky])

    located(theirs, bucket.asset(data=b"o" * 100))

    assert model.exists()
    assert hdr.exists()
    assert "over FARM_CACHE_BYTES=150" in caplog.text
    theirs.hold([])
    mine.hold([sky, bucket.asset(data=b"n" * 50)])
    assert hdr.exists()
    assert not model.exists()


def test_linked_files_take_no_room(place, shelf, tmp_path):
    if is_bucket(place):
        return
    cache = AssetCache(shelf.library, tmp_path / "cache", 0)

    located(cache, shelf.asset())

    assert [kept.size_bytes for kept in cache.kept()] == [0]


def test_what_a_dead_worker_left_half_fetched_is_done_again(bucket, tmp_path):
    asset = bucket.asset()
    cache = AssetCache(bucket.library, tmp_path / "cache", PLENTY)
    half = cache.folder / f"{asset.content}.partial"
    half.mkdir(parents=True)
    (half / "vase.blend").write_bytes(b"va")

    assert located(cache, asset).read_bytes() == b"vase"
    assert not half.exists()


def test_a_cache_that_cannot_be_written_names_the_remedy(shelf, tmp_path):
    (tmp_path / "cache").write_bytes(b"a file")

    with pytest.raises(StorageError, match="set FARM_CACHE to a folder with room"):
        located(AssetCache(shelf.library, tmp_path / "cache", PLENTY), shelf.asset())


def use_often(place, folder, assets, limit, failures):
    """Locate assets in turn, as one worker of several does."""
    cache = AssetCache(Library(open_storage(place)), folder, limit)
    for turn in range(30):
        asset = assets[(turn * 7 + os.getpid()) % len(assets)]
        path = located(cache, asset)
        needed = (path.parent / "wood").read_bytes()
        if hashlib.sha256(path.read_bytes()).hexdigest() != asset.sha256 or needed != b"wood":
            failures.put(asset.name)


def test_many_workers_share_a_cache_that_is_too_small(s3_place, tmp_path):
    shelf = Shelf(s3_place, tmp_path)
    assets = [
        shelf.asset(f"{number}.blend", bytes([number]) * 1000, wood=b"wood") for number in range(6)
    ]
    spawn = multiprocessing.get_context("spawn")
    failures = spawn.Queue()
    workers = [
        spawn.Process(target=use_often, args=(s3_place, tmp_path / "c", assets, 3500, failures))
        for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert failures.empty()
    cache = AssetCache(shelf.library, tmp_path / "c", 3500)
    assert sum(kept.size_bytes for kept in cache.kept()) <= 3500
    on_disk = sum(path.stat().st_size for path in cache.folder.glob("*/*"))
    assert on_disk <= 3500


def note_of(data: bytes, calls: list[bytes] | None = None):
    """Return what fills a folder with one file, and keeps count."""

    def make(folder, make_room):
        if calls is not None:
            calls.append(data)
        make_room(len(data))
        (folder / "note").write_bytes(data)

    return make


def test_what_is_made_of_an_asset_is_made_once_per_machine(cache, shelf):
    calls = []
    other = AssetCache(shelf.library, cache.folder, PLENTY)

    folder = cache.made("key", note_of(b"light", calls))

    assert (folder / "note").read_bytes() == b"light"
    assert other.made("key", note_of(b"light", calls)) == folder
    assert cache.made("key", note_of(b"light", calls)) == folder
    assert len(calls) == 1
    assert [(kept.content, kept.size_bytes) for kept in cache.kept()] == [("key", 5)]


def test_what_was_made_half_by_a_dead_worker_is_made_again(cache):
    half = cache.folder / "key.partial"
    half.mkdir(parents=True)
    (half / "note").write_bytes(b"li")
    (half / "rest").write_bytes(b"x")

    folder = cache.made("key", note_of(b"light"))

    assert [path.read_bytes() for path in folder.iterdir()] == [b"light"]
    assert not half.exists()


def test_what_cannot_be_made_leaves_nothing(cache):
    def fail(folder, make_room):
        note_of(b"light")(folder, make_room)
        raise AssetError("sky.exr", "none of its pixels is a number")

    with pytest.raises(AssetError, match="none of its pixels"):
        cache.made("key", fail)

    assert contents(cache) == set()
    assert sum(kept.size_bytes for kept in cache.kept()) == 0
    assert not list(cache.folder.glob("*/*"))


def test_a_disk_that_fills_up_while_something_is_made_is_told(cache):
    def fill_up(folder, make_room):
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left on device; set FARM_CACHE"):
        cache.made("key", fill_up)


def test_what_is_made_makes_room_for_the_next_but_stays_while_it_is_used(bucket, tmp_path):
    mine, theirs = (AssetCache(bucket.library, tmp_path / "cache", 150) for _ in range(2))
    used = mine.made("used", note_of(b"u" * 100))

    theirs.made("first", note_of(b"f" * 40))
    theirs.made("second", note_of(b"s" * 50))

    assert (used / "note").exists()
    assert contents(mine) == {"used", "second"}
    located(theirs, bucket.asset(data=b"n" * 60))
    assert contents(theirs) >= {"used", "second"}
    theirs.let_go("second")
    mine.made("other", note_of(b"o" * 90))
    assert not (used / "note").exists()


def make_often(place, folder, failures):
    """Make things in turn, as one worker of several does."""
    cache = AssetCache(Library(open_storage(place)), folder, 2500)
    for turn in range(30):
        name = f"thing{(turn * 7 + os.getpid()) % 6}"
        made = cache.made(name, note_of(name.encode() * 100)) / "note"
        if made.read_bytes() != name.encode() * 100:
            failures.put(name)


def test_many_workers_make_things_in_one_cache(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    failures = spawn.Queue()
    place = str(tmp_path / "farm")
    workers = [
        spawn.Process(target=make_often, args=(place, tmp_path / "c", failures)) for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert failures.empty()
    assert sum(path.stat().st_size for path in (tmp_path / "c").glob("*/*")) <= 2500
