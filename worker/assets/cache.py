"""Assets on this machine: where they are named, or once from the library into a bounded folder."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from farm.errors import AssetError, StorageError
from farm.library import Library
from farm.spec.asset import Asset, AssetFile
from farm.storage.file_lock import lock_file
from worker.assets.layout import layout

log = logging.getLogger(__name__)

FETCHED_AT_ONCE = 8

Make = Callable[[Path, Callable[[int], None]], None]
"""Fills a folder, after it has asked for room for so many bytes."""


class CachedAsset(NamedTuple):
    """An asset in the cache."""

    content: str
    size_bytes: int
    used_s: float


class AssetCache:
    """The assets of a worker, fetched once per machine; several workers may share the folder.

    `<content>/` holds an asset's files as they lie to each other, or what was made of one.
    `<content>.lock` says how large it is and when it was last used, and is locked by those who use
    it. The kernel drops the locks of a process that dies.
    """

    def __init__(
        self, library: Library, folder: Path, limit_bytes: int, *, holds_bytes: bool = False
    ) -> None:
        """Open a cache.

        Args:
            library: Where assets come from.
            folder: Where they are kept.
            limit_bytes: How much of it may be taken by what was fetched.
            holds_bytes: Link only to files of a library that could as well stand in the cache,
                since their file system is the same; others are fetched.
        """
        self.library = library
        self.folder = folder.absolute()
        self.limit_bytes = limit_bytes
        self.holds_bytes = holds_bytes
        self._in_use: dict[str, int] = {}
        """Content, or key of what was made, -> its lock."""
        self._made: str | None = None

    def hold(self, assets: Sequence[Asset]) -> list[Path]:
        """Return where the assets of a task are; they stay until those of the next one are held.

        Raises:
            AssetError: An asset, or a file that it needs, is not there, or it is not well-formed.
            StorageError: The library cannot be read, or the cache not written.
        """
        wanted = {asset.content for asset in assets}
        for content in self._in_use.keys() - wanted - {self._made}:
            self.let_go(content)
        return [self._locate(asset) for asset in assets]

    def _locate(self, asset: Asset) -> Path:
        if not asset.in_library:
            return own_path(asset)
        own, files = layout(asset)
        with self._written():
            self._hold(asset, files)
        return self._root(asset.content) / own

    def made(self, key: str, make: Make) -> Path:
        """Return a folder that `make` fills once per machine; it stays until the next is asked for.

        `make` is given the folder, and what makes room for a number of bytes. What it raises is
        raised, and nothing is kept.

        Raises:
            StorageError: The cache cannot be written.
        """
        root = self._root(key)
        if self._made == key and root.is_dir():
            return root
        if self._made is not None:
            self.let_go(self._made)
            self._made = None
        with self._written():
            while not self._take(key):
                lock = lock_file(self._lock_path(key))
                try:
                    if not root.is_dir():
                        self._fill(key, make, lock)
                finally:
                    os.close(lock)
        return root

    def let_go(self, content: str) -> None:
        """Allow what is in use here to be evicted."""
        lock = self._in_use.pop(content, None)
        if lock is not None:
            os.close(lock)

    def kept(self) -> list[CachedAsset]:
        """Return what is in the cache, least recently used first."""
        found = []
        for path in self.folder.glob("*.lock"):
            with contextlib.suppress(FileNotFoundError):
                size = int(path.read_text() or 0)
                found.append(CachedAsset(path.stem, size, path.stat().st_mtime))
        return sorted(found, key=lambda kept: kept.used_s)

    @contextlib.contextmanager
    def _written(self) -> Iterator[None]:
        """Be in the cache's folder, and say what to do where it cannot be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as error:
            raise StorageError(
                f"{self.folder}: the asset cache cannot be written: {error.strerror}; "
                "set FARM_CACHE to a folder with room"
            ) from error

    def _take(self, key: str) -> bool:
        """Lock what was made for use; False if it is not there."""
        lock = lock_file(self._lock_path(key), shared=True)
        if not self._root(key).is_dir():
            os.close(lock)
            return False
        os.utime(lock)
        self._in_use[key], self._made = lock, key
        return True

    def _fill(self, key: str, make: Make, lock: int) -> None:
        """Let a folder be filled; the caller alone holds its lock."""
        partial = self.folder / f"{key}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir()
            make(partial, lambda size_bytes: self._reserve(key, lock, size_bytes))
            note_size(lock, sum(path.stat().st_size for path in partial.iterdir()))
            partial.replace(self._root(key))
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            note_size(lock, 0)
            raise

    def _root(self, content: str) -> Path:
        return self.folder / content

    def _lock_path(self, content: str) -> Path:
        return self.folder / f"{content}.lock"

    def _hold(self, asset: Asset, files: dict[PurePosixPath, AssetFile]) -> None:
        """Lock the asset for use, with all its files in place."""
        content, root = asset.content, self._root(asset.content)
        if content in self._in_use:
            if all((root / path).exists() for path in files):
                return
            self.let_go(content)  # the library's file behind a link is gone
        while True:
            lock = lock_file(self._lock_path(content), shared=True)
            if all((root / path).exists() for path in files):
                os.utime(lock)
                self._in_use[content] = lock
                return
            os.close(lock)
            lock = self._lock_alone(content)
            try:
                if not all((root / path).exists() for path in files):
                    self._materialise(content, files, lock)
            finally:
                os.close(lock)

    def _lock_alone(self, content: str) -> int:
        """Lock an asset to bring its files, after any worker that brings them now."""
        if not self._root(content).exists():
            return lock_file(self._lock_path(content))
        try:  # files went out of it, and who uses it may wait for what we use
            return lock_file(self._lock_path(content), wait=False)
        except BlockingIOError:
            raise StorageError(
                f"{self._root(content)}: lacks files while another worker uses it; try again"
            ) from None

    def _materialise(self, content: str, files: dict[PurePosixPath, AssetFile], lock: int) -> None:
        """Bring an asset's files; the caller alone holds its lock."""
        partial = self.folder / f"{content}.partial"
        for rest in (partial, self._root(content)):
            shutil.rmtree(rest, ignore_errors=True)
        fetched = {path: file for path, file in files.items() if not self._is_here(file)}
        try:
            self._reserve(content, lock, sum(file.size_bytes for file in fetched.values()))
            for path in files:
                (partial / path).parent.mkdir(parents=True, exist_ok=True)
            for path in files.keys() - fetched.keys():
                (partial / path).symlink_to(self.library.local_path(files[path].sha256) or "")
            with ThreadPoolExecutor(FETCHED_AT_ONCE) as pool:
                list(pool.map(lambda path: self._fetch(partial, path, files[path]), fetched))
            note_size(lock, sum((partial / path).stat().st_size for path in fetched))
            partial.replace(self._root(content))
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            note_size(lock, 0)
            raise

    def _fetch(self, partial: Path, path: PurePosixPath, file: AssetFile) -> None:
        self.library.fetch(file.sha256, partial / path)

    def _is_here(self, file: AssetFile) -> bool:
        path = self.library.local_path(file.sha256)
        return (
            path is not None
            and path.is_file()
            and (not self.holds_bytes or can_link(path.resolve(), self.folder))
        )

    def _reserve(self, content: str, lock: int, size_bytes: int) -> None:
        """Make room for an asset, and count it before it comes: others make room, too."""
        if not size_bytes:
            return
        with contextlib.ExitStack() as exit_stack:
            one_at_a_time = lock_file(self.folder / ".evicting")
            exit_stack.callback(os.close, one_at_a_time)
            others = [kept for kept in self.kept() if kept.content != content]
            excess = sum(kept.size_bytes for kept in others) + size_bytes - self.limit_bytes
            for kept in others:
                if excess > 0 and self._evict(kept.content):
                    excess -= kept.size_bytes
            note_size(lock, size_bytes)
        if excess > 0:
            log.warning(
                "the asset cache %s is %d bytes over FARM_CACHE_BYTES=%d: all of it is in use",
                self.folder, excess, self.limit_bytes,
            )  # fmt: skip

    def _evict(self, content: str) -> bool:
        """Remove an asset that nobody uses; False if somebody does."""
        try:
            lock = lock_file(self._lock_path(content), wait=False)
        except BlockingIOError:
            return False
        try:
            for name in (content, f"{content}.partial"):
                shutil.rmtree(self.folder / name, ignore_errors=True)
            self._lock_path(content).unlink(missing_ok=True)
        finally:
            os.close(lock)
        return True


def can_link(path: Path, folder: Path) -> bool:
    """Tell whether a file can be linked to, as its like, from a folder."""
    probe = folder / f".probe-{secrets.token_hex(8)}"
    try:
        probe.hardlink_to(path)
    except OSError:  # another file system, or mount, or somebody else's file
        return False
    probe.unlink()
    return True


def cache_folder(given: Path | None) -> Path:
    """Return the folder of this machine's assets: the one that is given, or the user's."""
    if given is not None:
        return given
    user = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(user) / "viewfarm" / "assets"


def own_path(asset: Asset) -> Path:
    """Return the path that the asset names itself.

    Raises:
        AssetError: There is no such file on this machine.
    """
    path = Path(asset.path)
    if not path.is_file():
        raise AssetError(
            asset.path,
            "cannot be read: there is no such file on this machine; put it where the worker "
            "can read it, or submit without --on-shared-storage",
        )
    return path


def note_size(lock: int, size_bytes: int) -> None:
    """Write down how much room an asset takes."""
    os.pwrite(lock, f"{size_bytes:020d}".encode(), 0)  # others may read at any moment


def own_paths(assets: Sequence[Asset]) -> list[Path]:
    """Return the paths that assets name themselves.

    Raises:
        AssetError: There is no such file on this machine.
    """
    return [own_path(asset) for asset in assets]
