import hashlib
import os

import pytest

from farm.errors import SpecError
from farm.library import hashes
from farm.library.hashes import HashCache


@pytest.fixture
def old_file(tmp_path):
    path = tmp_path / "sky.exr"
    path.write_bytes(b"light")
    os.utime(path, (1_000_000, 1_000_000))
    return path


class Watcher:
    def __init__(self):
        self.read = []

    def __call__(self, path, done, size):
        self.read.append((path.name, done, size))


def test_a_file_is_hashed_once(tmp_path, old_file):
    expected = hashlib.sha256(b"light").hexdigest()
    for reads in ([("sky.exr", 5, 5)], []):
        watcher = Watcher()
        cache = HashCache(tmp_path / "cache/hashes.sqlite", watch=watcher)

        assert cache(old_file) == expected
        assert watcher.read == reads
        cache.close()


def test_a_file_that_changed_is_hashed_again(tmp_path, old_file):
    cache = HashCache(tmp_path / "hashes.sqlite")
    cache(old_file)
    old_file.write_bytes(b"night")
    os.utime(old_file, (1_000_001, 1_000_001))

    assert cache(old_file) == hashlib.sha256(b"night").hexdigest()
    cache.close()


def test_a_file_that_was_just_written_is_not_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr(hashes, "SETTLED_S", 600.0)  # however slow this is, it has just been
    path, cache = tmp_path / "new.exr", HashCache(tmp_path / "hashes.sqlite")
    path.write_bytes(b"first")
    times = path.stat()
    cache(path)
    path.write_bytes(b"other")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert cache(path) == hashlib.sha256(b"other").hexdigest()
    cache.close()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, old_file):
    (tmp_path / "hashes.sqlite").write_text("not a database, but long enough to be looked at" * 50)
    (tmp_path / "folder").write_text("a file")

    for place in (tmp_path / "hashes.sqlite", tmp_path / "folder/hashes.sqlite", None):
        cache = HashCache(place)
        assert cache(old_file) == hashlib.sha256(b"light").hexdigest()
        cache.close()


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"gone\.exr: cannot be read"):
        HashCache()(tmp_path / "gone.exr")
