"""Files on their way into the library: received in pieces, resumed, hashed on the way."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool

from farm.api.access.quotas import Quotas
from farm.api.problems import ApiProblem
from farm.api.settings import ApiSettings
from farm.errors import SetupError, StorageError
from farm.holdings import Holdings, Upload, hash_of_name
from farm.library import Library, blob_key
from farm.library.store import Blob
from farm.spec.counted import counted
from farm.spec.role import allows
from farm.spec.wire import SHA256_PATTERN, TokenInfo, UploadInfo

SILENCE_S = 60.0
"""Silence after which a client counts as gone."""
TURN_S = 20.0
"""Longest wait of a client for another one that sends the same file."""
ROOM_LEFT_BYTES = 256 << 20
"""Space that uploads leave free on the disk."""
GIVEN_UP_S = 3600.0
"""Time after which nobody waits for the rest of a file; its part can be resumed all the same."""
STALE_S = 7 * 86_400.0
HASHERS = 64
READ_BYTES = 4 << 20
WRITE_BYTES = 256 << 10


class Pending(NamedTuple):
    """A file of which a part has arrived."""

    owner: str
    size_bytes: int
    """Of the whole file."""
    since_s: float
    """When a piece of it was begun last."""


class Uploads:
    """The unfinished uploads, in a folder of their own."""

    def __init__(
        self, library: Library, settings: ApiSettings, holdings: Holdings, quotas: Quotas
    ) -> None:
        self.library = library
        self.holdings = holdings
        self.quotas = quotas
        self.shared = settings.shared
        self.pending: dict[Path, Pending] = {}
        """The files of which a part has arrived lately."""
        self.refusals: Counter[str] = Counter()
        """How often an owner's quota was used up."""
        self.folder = settings.spool_folder
        self.in_temporary_folder = settings.spool is None
        self.max_bytes = settings.max_asset_bytes
        self.turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.hashers: OrderedDict[Path, tuple[int, Any]] = OrderedDict()

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

    def info(self, sha256: str, caller: TokenInfo) -> UploadInfo:
        """Return how much of a file has arrived from somebody."""
        check_hash(sha256)
        blob_bytes = self.library.storage.size(blob_key(sha256))
        if blob_bytes is not None and self._counts(caller, sha256, blob_bytes):
            return UploadInfo(sha256=sha256, received_bytes=blob_bytes, complete=True)
        received = size_of(self._part(sha256, caller))
        return UploadInfo(sha256=sha256, received_bytes=received, complete=False)

    def missing(self, sha256s: Sequence[str], caller: TokenInfo) -> list[str]:
        """Return which files somebody has to upload before a job may name them."""
        lacking = self.library.missing(sha256s)
        if self.sees_all(caller):
            return lacking
        there = self.holdings.uploads(caller.name).keys() - set(lacking)
        return [sha256 for sha256 in dict.fromkeys(sha256s) if sha256 not in there]

    def seen(self, caller: TokenInfo, *, after: str) -> Iterator[Blob | Upload]:
        """Yield the files that somebody may know of, by hash, from behind one."""
        if self.sees_all(caller):
            return self.library.blobs(after=after)
        mine = self.holdings.uploads(caller.name)
        return (upload for sha256, upload in mine.items() if sha256 > after)

    def _counts(self, caller: TokenInfo, sha256: str, blob_bytes: int) -> bool:
        """Say whether a file of the library is there for somebody: who hides it must not tell."""
        return self.sees_all(caller) or self.holdings.has(caller.name, sha256, blob_bytes)

    def sees_all(self, caller: TokenInfo) -> bool:
        """Say whether somebody may know of all files of the library."""
        return self.shared or allows(caller.role, "admin")

    async def receive(
        self,
        sha256: str,
        caller: TokenInfo,
        *,
        offset: int,
        total: int,
        pieces: AsyncIterator[bytes],
    ) -> UploadInfo:
        """Append to a file from `offset` on; keep it once all `total` bytes are here.

        Raises:
            ApiProblem: The offset is not where the file ends; the bytes have another hash; there
                is not enough room, or not within the caller's quota.
        """
        check_hash(sha256)
        async with self._turn(sha256):
            info = await run_in_threadpool(self.info, sha256, caller)
            if info.complete:
                return info
            self._check(info, offset=offset, total=total)
            part, refusals = self._part(sha256, caller), self.refusals[caller.name]
            await run_in_threadpool(self._check_quota, part, caller, total)
            hasher = await run_in_threadpool(self._hasher, part, offset)
            try:
                await self._append(part, hasher, offset=offset, total=total, pieces=pieces)
            finally:
                if self.refusals[caller.name] > refusals and size_of(part) < total:
                    self._discard(part)  # another file met the quota: nothing half stays behind
            if size_of(part) == total:
                await run_in_threadpool(self._keep, sha256, part, caller, hasher)
            return await run_in_threadpool(self.info, sha256, caller)

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

    def _check_quota(self, part: Path, caller: TokenInfo, total: int) -> None:
        """Make sure that a file is within its owner's quota, with all that are under way.

        Raises:
            ApiProblem: It is not; of files that have not arrived whole nothing is kept.
        """
        if self.quotas.bytes_of(caller) is None:
            return
        self.pending[part] = Pending(caller.name, total, time.monotonic())
        mine = self._pending_of(caller.name)
        size_bytes = sum(pending.size_bytes for pending in mine.values())
        try:
            self.quotas.check_bytes(caller, size_bytes, what=what_comes(len(mine)))
        except ApiProblem:
            self.refusals[caller.name] += 1
            for other in mine:
                if other == part or not self._is_coming(other):
                    self._discard(other)
            raise

    def _pending_of(self, owner: str) -> dict[Path, Pending]:
        """Return the files that somebody sends; who has not gone on for long has given up."""
        earliest_s = time.monotonic() - GIVEN_UP_S
        for part, pending in list(self.pending.items()):
            if pending.since_s < earliest_s and not self._is_coming(part):
                self.pending.pop(part, None)
        return {part: each for part, each in list(self.pending.items()) if each.owner == owner}

    def _is_coming(self, part: Path) -> bool:
        turn = self.turns.get(part.name.partition(".")[0])
        return turn is not None and turn.locked()

    def _discard(self, part: Path) -> None:
        self.pending.pop(part, None)
        self.hashers.pop(part, None)
        part.unlink(missing_ok=True)

    def _hasher(self, part: Path, offset: int) -> Any:
        """Return the hash of what has arrived; it is read again only after a restart."""
        known = self.hashers.pop(part, None)
        if known and known[0] == offset:
            return known[1]
        hasher = hashlib.sha256()
        if offset:
            for piece in read_pieces(part):
                hasher.update(piece)
        return hasher

    async def _append(
        self, part: Path, hasher: Any, *, offset: int, total: int, pieces: AsyncIterator[bytes]
    ) -> None:
        def write(piece: bytes) -> None:
            try:
                file.write(piece)
                file.flush()
            except OSError as error:
                raise StorageError(f"{self.folder}: cannot be written: {error.strerror}") from error
            hasher.update(piece)

        with part.open("ab") as file:
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
                self.hashers[part] = (offset, hasher)
                while len(self.hashers) > HASHERS:
                    self.hashers.popitem(last=False)

    def _keep(self, sha256: str, part: Path, caller: TokenInfo, hasher: Any) -> None:
        try:
            if hasher.hexdigest() != sha256:
                raise ApiProblem(
                    422,
                    f"the bytes have the hash {hasher.hexdigest()}, not {sha256}",
                    "nothing was kept; send the file again from its beginning",
                )
            size_bytes = size_of(part)
            self.quotas.check_bytes(caller, size_bytes, what="the file")  # it may have changed
            self.library.add(sha256, part)
            self.holdings.add(caller.name, sha256, size_bytes)
        finally:
            self._discard(part)

    def _part(self, sha256: str, caller: TokenInfo) -> Path:
        return self.folder / f"{sha256}.{hash_of_name(caller.name)}.part"


def what_comes(files: int) -> str:
    """Return what a quota has to hold, for people."""
    return "the file" if files == 1 else f"what is uploaded now ({counted(files, 'file')})"


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
