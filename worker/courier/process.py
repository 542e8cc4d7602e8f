"""`python -m worker.courier.process`: outside of a renderer's walls, brings it what it may have.

Only plain requests come through the channel, and only what they ask for by name goes back: files
of an asset by its hashes, records of views, sizes. A renderer writes results and logs through it,
and reads nothing else of the storage, but the pictures of a dataset that it adds passes to.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import signal
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path, PurePosixPath
from typing import Any

from farm.errors import FarmError, StorageError, TaskError
from farm.job_store import JobStore
from farm.library import Library
from farm.products import Manifest
from farm.settings import Settings, load_settings
from farm.spec.asset import Asset
from farm.spec.task import Need
from farm.storage import Storage, inside, open_storage
from worker.assets.cache import AssetCache, Make, cache_folder
from worker.assets.products import NEEDED, StoredProducts, emptied
from worker.courier.lines import serve_line
from worker.courier.shared_folder import SharedFolder

SPEC = re.compile(r"jobs/[^/]+/spec\.json")
OF_A_FARM = re.compile(r"datasets/.+|jobs/[^/]+/log/.+")
"""What a farm's renderers write; the rest of its storage is the library, and the server's."""
MADE = re.compile(r"[0-9a-f]{8,64}-[a-z]+[0-9]+")
"""Keys of what is made of assets: none is a hash alone, as those of assets are."""
COPIED = "product-copied"
"""Folder of the shared folder for a product on its way to the storage."""
COPIED_AT_ONCE = 1 << 20
RECORDS = re.compile(r"(.+/)?\.records/.+")
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


@dataclass
class Courier:
    """Answers a renderer's requests; many threads may ask."""

    storage: Storage
    assets: AssetCache
    shared: SharedFolder

    def __post_init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._made = "nothing"
        self._read_back: str | None = None
        self._products = StoredProducts(self.storage, self.shared.folder)

    def __call__(self, verb: str, arguments: list[Any], data: bytes) -> tuple[object, bytes]:
        """Do what a request asks for; return a value and bytes.

        Raises:
            FarmError: It cannot be done, or is none of a renderer's business.
        """
        if verb == "greet":
            return None, b""
        if verb == "hold":
            assets = [Asset.model_validate(each) for each in arguments]
            return [str(path) for path in self.hold(assets)], b""
        if verb == "find_made":
            return self.find_made(str(arguments[0])), b""
        if verb == "keep_made":
            return self.keep_made(*map(str, arguments)), b""
        if verb.endswith("_product") or verb == "product_is_sound":
            with self._one_at_a_time:
                return self._of_products(verb, *arguments), b""
        if verb == "read_back":
            self._allow_reading_back(arguments)
            return None, b""
        if verb == "link":
            self._link(*map(str, arguments))
            return None, b""
        return self._of_storage(verb, str(arguments[0]), data)

    def _of_products(self, verb: str, asked: Any, *rest: Any) -> object:
        if verb == "hold_product":
            folder = self._products.hold(Need.model_validate(asked) if asked else None)
            return str(folder) if folder else None
        product = Need(product=asked, made_by=0).product
        if verb == "product_is_sound":
            return self._products.is_sound(product)
        if verb == "bring_product":
            return self._bring_product(product, str(rest[0])).model_dump(mode="json")
        if verb == "seal_product":
            self._products.seal(product, Manifest.model_validate(rest[0]))
            return None
        raise TaskError(f"{verb} is refused")

    def _bring_product(self, product: str, name: str) -> Manifest:
        copied = emptied(self.shared.folder / COPIED)
        try:
            copy_tree_out(name, copied)
            return self._products.bring(product, copied)
        finally:
            shutil.rmtree(copied, ignore_errors=True)

    def _link(self, key: str, source: str) -> None:
        """Link files of one job's datasets: what others own is not shown to anybody this way.

        Raises:
            TaskError: They are of two jobs, or none of a renderer's business.
        """
        key, source = (inside(each, self.storage.place) for each in (key, source))
        theirs = self._is_theirs(key) and self._is_theirs(source)
        if not theirs or (self._is_farm and key.split("/")[:2] != source.split("/")[:2]):
            raise TaskError(f"{source!r} is not linked to by {key!r}: link is refused")
        self.storage.link(key, source)

    def _of_storage(self, verb: str, key: str, data: bytes) -> tuple[object, bytes]:
        key = inside(key, self.storage.place)
        if verb == "put" and self._is_theirs(key):
            self.storage.put(key, data)
            return None, b""
        if verb == "size" and self._is_theirs(key):
            return self.storage.size(key), b""
        if verb == "get" and self._may_get(key):
            found = self.storage.get(key)
            return found is not None, found or b""
        if verb == "keys" and RECORDS.fullmatch(key) and self._is_theirs(key):
            return list(self.storage.keys(key)), b""
        raise TaskError(f"{key!r} does not belong to a renderer: {verb} is refused")

    def _allow_reading_back(self, task: list[Any]) -> None:
        """Let pictures be read of the one dataset that a task adds passes to; of none any more,
        where no task is named.

        On a farm the server has written down which dataset that is, where no renderer writes.

        Raises:
            StorageError: There is no such task.
        """
        self._read_back = None
        if task and self._is_farm:
            job_id, index = task
            self._read_back = JobStore(self.storage).added_task(str(job_id), int(index)).dataset
        elif task:
            self._read_back = ""

    def _may_get(self, key: str) -> bool:
        if RECORDS.fullmatch(key):
            return self._is_theirs(key)
        if self._read_back is None or any(part.startswith(".") for part in key.split("/")):
            return False
        return self._is_theirs(key) and key.startswith(f"{self._read_back}/".lstrip("/"))

    def hold(self, assets: Sequence[Asset]) -> list[Path]:
        """Put the assets of a task into the shared folder in place of others; return their files.

        Raises:
            AssetError: One is not there, or not well-formed.
            StorageError: The library cannot be read, or the cache not written.
        """
        for asset in assets:
            if not asset.in_library:
                raise TaskError(f"{asset.path!r} is not in the library, and is not brought")
        with self._one_at_a_time:
            found = self.assets.hold(assets)
            self.shared.keep_only({*(asset.content for asset in assets), self._made, NEEDED})
            return [
                self._serve(asset.content) / own.relative_to(self.assets.folder / asset.content)
                for asset, own in zip(assets, found, strict=True)
            ]

    def find_made(self, key: str) -> str | None:
        """Put what was made of an asset into the shared folder, if the cache has it."""
        check_made(key)
        with self._one_at_a_time:
            if not (self.assets.folder / key).is_dir():
                return None
            return self._show_made(key, none_is_made)

    def keep_made(self, key: str, name: str) -> str:
        """Keep what was made of an asset in a folder of the renderer's; return where it stands now.

        Raises:
            StorageError: There is no room.
            TaskError: It is no folder of plain files.
        """
        check_made(key)
        with self._one_at_a_time:
            return self._show_made(key, lambda folder, room: copy_out(name, folder, room))

    def _show_made(self, key: str, make: Make) -> str:
        self.assets.made(key, make)
        if self._made != key:
            shutil.rmtree(self.shared.folder / self._made, ignore_errors=True)
        self._made = key
        return str(self._serve(key))

    def _serve(self, content: str) -> Path:
        try:
            return self.shared.serve(content, self.assets.folder / content)
        except OSError as error:
            raise StorageError(
                f"{self.shared.folder}: assets cannot be brought there: {error.strerror}; "
                "set FARM_CACHE to a folder with room"
            ) from error

    def _is_theirs(self, key: str) -> bool:
        return bool(OF_A_FARM.fullmatch(key)) or (bool(key) and not self._is_farm)

    @cached_property
    def _is_farm(self) -> bool:
        """Whether a farm keeps its library here, and not a person their datasets."""
        return any(SPEC.fullmatch(key) for key in self.storage.keys("jobs"))


def check_made(key: str) -> None:
    """Make sure that a key is of what is made, and not of an asset.

    Raises:
        TaskError: It is not.
    """
    if not MADE.fullmatch(key):
        raise TaskError(f"{key!r} is not a key of something made of an asset")


def none_is_made(folder: Path, room: Callable[[int], None]) -> None:
    """Make nothing: it went while it was looked for.

    Raises:
        StorageError: Always.
    """
    raise StorageError(f"{folder.name} has just gone from the asset cache; try again")


def copy_out(name: str, target: Path, make_room: Callable[[int], None]) -> None:
    """Copy the plain files of a folder that a renderer has written.

    It may still write there, so each step is from what was opened, and follows no link.

    Raises:
        TaskError: There is something else.
    """
    with contextlib.ExitStack() as stack:
        outbox = opened(stack, tempfile.gettempdir(), None, os.O_DIRECTORY)
        if "/" in name or name in ("", ".", ".."):
            raise TaskError(f"{name!r} is not a folder of a renderer")
        folder = opened(stack, name, outbox, os.O_DIRECTORY)
        files = {each: opened(stack, each, folder, os.O_NONBLOCK) for each in os.listdir(folder)}  # noqa: PTH208
        known = {each: os.fstat(number) for each, number in files.items()}
        if not all(stat.S_ISREG(each.st_mode) for each in known.values()):
            raise TaskError(f"{name!r} holds something that is not a plain file")
        make_room(sum(each.st_size for each in known.values()))
        for each, number in files.items():
            with os.fdopen(os.dup(number), "rb") as source, (target / each).open("wb") as copy:
                shutil.copyfileobj(source, copy, COPIED_AT_ONCE)


def copy_tree_out(name: str, target: Path) -> None:
    """Copy a folder that a renderer has written, with all below it.

    It may still write there, so each step is from what was opened, and follows no link.

    Raises:
        TaskError: Something in it is not a plain file or folder.
    """
    with contextlib.ExitStack() as stack:
        outbox = opened(stack, tempfile.gettempdir(), None, os.O_DIRECTORY)
        if "/" in name or name in ("", ".", ".."):
            raise TaskError(f"{name!r} is not a folder of a renderer")
        for root, folders, files, here in os.fwalk(name, dir_fd=outbox, follow_symlinks=False):
            place = target / PurePosixPath(root).relative_to(name)
            place.mkdir(exist_ok=True)
            for each in folders:
                if not stat.S_ISDIR(os.stat(each, dir_fd=here, follow_symlinks=False).st_mode):
                    raise TaskError(f"{each!r} is not a plain file or folder")
            for each in files:
                copy_file_out(each, here, place / each)


def copy_file_out(name: str, folder: int, target: Path) -> None:
    """Copy a file of an open folder.

    Raises:
        TaskError: It is not a plain file.
    """
    with contextlib.ExitStack() as stack:
        try:
            number = opened(stack, name, folder, os.O_NONBLOCK)
        except OSError as error:
            raise TaskError(f"{name!r} is not a plain file: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise TaskError(f"{name!r} is not a plain file")
        with os.fdopen(os.dup(number), "rb") as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy, COPIED_AT_ONCE)


def opened(stack: contextlib.ExitStack, name: str, folder: int | None, how: int) -> int:
    """Open something for reading that is no link, until the stack is left."""
    number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | how, dir_fd=folder)
    stack.callback(os.close, number)
    return number


def open_courier(settings: Settings, shared: SharedFolder) -> Courier:
    """Open the storage and the asset cache.

    Raises:
        FarmError: They cannot be opened.
    """
    storage = open_storage(settings.storage)
    folder = cache_folder(settings.cache)
    assets = AssetCache(Library(storage), folder, settings.cache_bytes, holds_bytes=True)
    return Courier(storage, assets, shared)


def main(lines: list[Connection], shared: SharedFolder) -> None:
    """Serve until the renderer is gone."""
    courier: Courier | None = None
    problem: FarmError | None = None
    try:
        courier = open_courier(load_settings(), shared)
    except FarmError as error:  # told to whoever asks
        problem = error

    def answer(verb: str, arguments: list[Any], data: bytes) -> tuple[object, bytes]:
        if courier is None:
            raise problem or TaskError("the storage is not open")
        return courier(verb, arguments, data)

    for line in lines:
        threading.Thread(target=serve_line, args=(line, answer), daemon=True).start()
    sys.stdin.buffer.read()  # until the renderer is gone: what it had asked for is not to be done
    shared.remove()
    os._exit(0)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # it ends with its renderer, which ends in its time
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    lines, folder, lock, links = sys.argv[1:]
    main(
        [Connection(int(line)) for line in lines.split(",")],
        SharedFolder(Path(folder), int(lock), links=links == "links"),
    )
