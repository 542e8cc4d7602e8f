"""Files on their way into the library: received in pieces, resumed, hashed on the way."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool

from farm.api.problems import ApiProblem
from farm.api.settings import ApiSettings
from farm.errors import SetupError, StorageError
from farm.library import Library, blob_key
from farm.spec.wire import SHA256_PATTERN, UploadInfo

SILENCE_S = 60.0
"""Silence after which a client counts as gone."""
TURN_S = 20.0
"""Longest wait of a client for another one that sends the same file."""
ROOM_LEFT_BYTES = 256 << 20
"""Space that uploads leave free on the disk."""
STALE_S = 7 * 86_400.0
HASHERS = 64
READ_BYTES = 4 << 20
WRITE_BYTES = 256 << 10


class Uploads:
    """The unfinished uploads, in a folder of their own."""

    def __init__(self, library: Library, settings: ApiSettings) -> None:
        self.library = library
        self.folder = settings.spool_folder
        self.in_temporary_folder = settings.spool is None
        self.max_bytes = settings.max_asset_bytes
        self.turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.hashers: OrderedDict[str, tuple[int, Any]] = OrderedDict()

    def tidy(self) -> None:
        """Make the folder; remove uploads that nobody has resumed for a week.

        Raises:
            SetupError: It cannot be made, or belongs to another user.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            foreign = self.folder.stat().st_uid != os.getuid() and self.in_temporary_folder
        except OSError as error:
            raise SetupError(
                f"{self.folder}: cannot be made ({error.strerror}): set FARM_SPOOL to "
                "another folder"
            ) from error
        if foreign:  # where everybody may write, it may be a trap
            raise SetupError(
                f"{self.folder}: belongs to another user; set FARM_SPOOL to another folder"
            )
        for part in self.folder.glob("*.part"):
            with contextlib.suppress(OSError):
                if time.time() - part.stat().st_mtime > STALE_S:
                    part.unlink()

    def info(self, sha256: str) -> UploadInfo:
        """Return how much of a file has arrived."""
        check_hash(sha256)
        blob_bytes = self.library.storage.size(blob_key(sha256))
        if blob_bytes is not None:
            return UploadInfo(sha256=sha256, received_bytes=blob_bytes, complete=True)
        return UploadInfo(sha256=sha256, received_bytes=size_of(self._part(sha256)), complete=False)

    async def receive(
        self, sha256: str, *, offset: int, total: int, pieces: AsyncIterator[bytes]
    ) -> UploadInfo:
        """Append to a file from `offset` on; keep it once all `total` bytes are here.

        Raises:
            ApiProblem: The offset is not where the file ends; the bytes have another hash; there
                is not enough room.
        """
        check_hash(sha256)
        async with self._turn(sha256):
            info = await run_in_threadpool(self.info, sha256)
            if info.complete:
                return info
            self._check(info, offset=offset, total=total)
            hasher = await run_in_threadpool(self._hasher, sha256, offset)
            await self._append(sha256, hasher, offset=offset, total=total, pieces=pieces)
            if size_of(self._part(sha256)) == total:
                await run_in_threadpool(self._keep, sha256, hasher)
            return await run_in_threadpool(self.info, sha256)

    @contextlib.asynccontextmanager
    async def _turn(self, sha256: str) -> AsyncIterator[None]:
        turn = self.turns.get(sha256) or asyncio.Lock()
        self.turns[sha256] = turn
        try:
            async with asyncio.timeout(TURN_S):
                await turn.acquire()
        except TimeoutError:
            raise ApiProblem(
                503,
                f"another client is sending {sha256[:12]} right now",
                "try again in a while; you will not have to send what has arrived by then",
                {"Retry-After": "5"},
            ) from None
        try:
            yield
        finally:
            turn.release()

    def _check(self, info: UploadInfo, *, offset: int, total: int) -> None:
        if total > self.max_bytes:
            raise ApiProblem(
                413,
                f"the file has {total} bytes; this farm takes at most {self.max_bytes}",
                "make it smaller, or have FARM_MAX_ASSET_BYTES raised",
            )
        if offset != info.received_bytes or offset > total:
            raise ApiProblem(
                409,
                f"{info.received_bytes} bytes of the file have arrived, not {offset}",
                f"continue from byte {info.received_bytes}",
                {"Upload-Offset": str(info.received_bytes)},
            )
        free = shutil.disk_usage(self.folder).free
        if total - offset > free - ROOM_LEFT_BYTES:
            raise ApiProblem(
                507,
                f"the server has no room for the remaining {total - offset} bytes",
                "delete old jobs and unused assets, or give FARM_SPOOL a larger disk",
            )

    def _hasher(self, sha256: str, offset: int) -> Any:
        """Return the hash of what has arrived; it is read again only after a restart."""
        known = self.hashers.pop(sha256, None)
        if known and known[0] == offset:
            return known[1]
        hasher = hashlib.sha256()
        if offset:
            for piece in read_pieces(self._part(sha256)):
                hasher.update(piece)
        return hasher

    async def _append(
        self, sha256: str, hasher: Any, *, offset: int, total: int, pieces: AsyncIterator[bytes]
    ) -> None:
        def write(piece: bytes) -> None:
            try:
                file.write(piece)
                file.flush()
            except OSError as error:
                raise StorageError(f"{self.folder}: cannot be written: {error.strerror}") from error
            hasher.update(piece)

        with self._part(sha256).open("ab") as file:
            try:
                async for piece in timely(pieces):
                    if offset + len(piece) > total:
                        raise ApiProblem(
                            413,
                            f"more bytes arrived than Upload-Length says ({total})",
                            "send exactly the file's bytes, and its true length",
                        )
                    await run_in_threadpool(write, piece)
                    offset += len(piece)
            finally:
                self.hashers[sha256] = (offset, hasher)
                while len(self.hashers) > HASHERS:
                    self.hashers.popitem(last=False)

    def _keep(self, sha256: str, hasher: Any) -> None:
        self.hashers.pop(sha256, None)
        part = self._part(sha256)
        try:
            if hasher.hexdigest() != sha256:
                raise ApiProblem(
                    422,
                    f"the bytes have the hash {hasher.hexdigest()}, not {sha256}",
                    "nothing was kept; send the file again from its beginning",
                )
            self.library.add(sha256, part)
        finally:
            part.unlink(missing_ok=True)

    def _part(self, sha256: str) -> Path:
        return self.folder / f"{sha256}.part"


def check_hash(sha256: str) -> None:
    """Raise ApiProblem if `sha256` is not a SHA-256."""
    if not re.fullmatch(SHA256_PATTERN, sha256):
        raise ApiProblem(
            422, f"{sha256[:80]!r} is not a SHA-256", "send 64 hexadecimal digits, 0-9 and a-f"
        )


def size_of(path: Path) -> int:
    """Return a file's size; 0 if it does not exist."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def read_pieces(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes."""
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            yield piece


async def timely(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pass `pieces` on, small ones joined, as long as they keep coming."""
    held = bytearray()
    while True:
        try:
            async with asyncio.timeout(SILENCE_S):
                held += await anext(pieces)
        except StopAsyncIteration:
            break
        except TimeoutError:
            raise ApiProblem(
                408, f"nothing arrived for {SILENCE_S:.0f} s", "resume the upload"
            ) from None
        if len(held) >= WRITE_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)
