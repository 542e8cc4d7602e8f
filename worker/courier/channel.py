"""The channel in a renderer's walls: through it, it asks the courier for what it cannot reach."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from farm.products import Manifest
from farm.spec.asset import Asset
from farm.spec.task import Need, RenderTask
from worker.courier.lines import Lines

LINES = 8
"""Requests that may be under way: the renderer's, its encoders', and one to spare."""
COURIER = "worker.courier.process"
"""Run as a program of its own, before the walls are built."""
GONE = "the process that brings a renderer its files has ended; another is being started"


class CourierChannel:
    """The renderer's end: assets and storage, by way of a courier that it starts.

    Many threads may use it. The courier ends when this end is closed, however that happens.
    """

    def __init__(
        self, arguments: Iterable[str], *, environment: Mapping[str, str], keep: Iterable[int] = ()
    ) -> None:
        """Start the courier.

        Args:
            arguments: What the courier's program is told.
            environment: What it finds its settings in.
            keep: Descriptors that it holds, too, as long as it lives.
        """
        pairs = [socket.socketpair() for _ in range(LINES)]
        theirs = [their.fileno() for _, their in pairs]
        command = [sys.executable, "-m", COURIER, ",".join(map(str, theirs)), *arguments]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # it listens for the end of it
            pass_fds=(*theirs, *keep),
            env=dict(environment),
            start_new_session=True,  # a Ctrl-C in the terminal is not for it
        )
        self._reads_back: list[object] = []
        self._lines = Lines([Connection(ours.detach()) for ours, _ in pairs], gone=GONE)
        for _, their in pairs:
            their.close()

    @property
    def is_open(self) -> bool:
        """The courier is there."""
        return self._lines.is_open

    def greet(self) -> None:
        """Wait until the courier is ready.

        Raises:
            FarmError: It cannot open the storage.
        """
        self._ask("greet")

    def hold(self, assets: Sequence[Asset]) -> list[Path]:
        """Return where assets of the library are; they stay until those of the next task are held.

        Raises:
            AssetError: An asset, or a file that it needs, is not there, or it is not well-formed.
            StorageError: The library cannot be read, or the cache not written.
        """
        asked = [asset.model_dump(mode="json") for asset in assets]
        return [Path(path) for path in self._ask("hold", *asked)[0]]

    def find_made(self, key: str) -> Path | None:
        """Return the folder of what was made of an asset, if it was; it stays until the next one.

        Raises:
            StorageError: The cache cannot be read.
        """
        found: str | None = self._ask("find_made", key)[0]
        return None if found is None else Path(found)

    def keep_made(self, key: str, folder: Path) -> Path:
        """Let what was made, in a folder for temporary files, be kept; return where.

        Raises:
            StorageError: There is no room.
        """
        return Path(self._ask("keep_made", key, folder.name)[0])

    def product_is_sound(self, product: str) -> bool:
        return bool(self._ask("product_is_sound", product)[0])

    def hold_product(self, need: Need | None) -> Path | None:
        """Return the folder of a product's files, in place of the one before.

        Raises:
            ProductError: It is not there as it was made.
            StorageError: It cannot be read, or there is no room.
        """
        asked = need.model_dump(mode="json") if need else None
        found: str | None = self._ask("hold_product", asked)[0]
        return None if found is None else Path(found)

    def bring_product(self, product: str, folder: Path) -> Manifest:
        """Let what was made, in a folder for temporary files, be stored; it is sealed later.

        Raises:
            TaskError: It is not made of plain files, or cannot be stored.
        """
        return Manifest.model_validate(self._ask("bring_product", product, folder.name)[0])

    def seal_product(self, product: str, manifest: Manifest) -> None:
        self._ask("seal_product", product, manifest.model_dump(mode="json"))

    def read_back(self, task: RenderTask) -> None:
        """Have `get` return pictures of the dataset that a task adds passes to, if it adds any.

        Raises:
            StorageError: The farm has not written down such a task.
        """
        asked: list[object] = [] if task.adds is None else [task.job_id, task.index]
        if asked != self._reads_back:
            self._ask("read_back", *asked)
            self._reads_back = asked

    def put(self, key: str, data: bytes) -> None:
        self._ask("put", key, data=data)

    def link(self, key: str, source: str) -> None:
        self._ask("link", key, source)

    def get(self, key: str) -> bytes | None:
        found, data = self._ask("get", key)
        return data if found else None

    def size(self, key: str) -> int | None:
        size: int | None = self._ask("size", key)[0]
        return size

    def keys(self, prefix: str) -> list[str]:
        return list(self._ask("keys", prefix)[0])

    def close(self) -> None:
        """Let the courier end."""
        self._lines.is_open = False
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, verb: str, *arguments: object, data: bytes = b"") -> tuple[Any, bytes]:
        return self._lines.ask(verb, *arguments, data=data)
