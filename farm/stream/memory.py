"""Samples in memory that processes of one machine share: a file for each, used again and again.

    file = SampleWriter(folder).put("job.7", message)      # in a process that renders
    reader = SampleReader(folder)                          # in one that trains
    sample = unpack(reader.open(file)); ...; reader.release(file)

Who has which sample is told elsewhere; here is only where its bytes lie. A new file costs more than
what is written to it, since the system clears each of its pages and shows it to each process. So
a file that was released gets another name, `free.TOKEN`, and whoever writes next renames it again:
that is one step, which only one of them can do. It keeps its token, by which processes know the
memory that they have mapped already.

Whoever looks at a sample holds a lock on its file, which the system drops when that process dies;
what is locked is not written to. So even who was stopped for so long that another got his sample,
and released it, sees what he saw.

The folder lies where files are memory, such as below `/dev/shm`; whoever made it removes it.
"""

from __future__ import annotations

import errno
import mmap
import os
import secrets
import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from farm.errors import StreamError
from farm.storage.file_lock import ask_system
from farm.stream.wire import PREFIX, Buffer, length, message_length

FREE = "free"
MOST_SPARE_BYTES = 64 << 20
"""Of the files that wait to be used again."""
MOST_KNOWN = 256
"""Files that a process keeps mapped."""
LARGEST_FILE = 1 << 32

Memory = NDArray[np.uint8]


def free_files(folder: Path) -> list[str]:
    """Return the files that wait to be used again."""
    try:
        names = os.listdir(folder)  # noqa: PTH208  for each sample: paths take ten times as long
    except FileNotFoundError:  # its owner has ended, and somebody still looked at a sample
        return []
    return [name for name in names if name.startswith(f"{FREE}.")]


def token_of(name: str) -> str:
    """Return what a file keeps of its name, with the dot."""
    return name[name.rindex(".") :]


class SampleFile:
    """An open file, and its bytes as memory that is shared."""

    def __init__(self, number: int, *, write: bool) -> None:
        access = mmap.ACCESS_WRITE if write else mmap.ACCESS_READ
        size = os.fstat(number).st_size
        mapped = mmap.mmap(number, size, access=access) if size else b""
        self.memory: Memory = np.frombuffer(mapped, np.uint8)
        self.number = number
        weakref.finalize(self, os.close, number)

    def lock(self, *, shared: bool) -> bool:
        """Lock the file, if nobody else has; say whether it is ours."""
        try:
            ask_system(self.number, shared=shared, wait=False)
        except BlockingIOError:
            return False
        return True

    def is_removed(self) -> bool:
        """Say whether it has no name any more."""
        return not os.fstat(self.number).st_nlink

    def unlock(self) -> None:
        """Let go of the file."""
        import fcntl

        fcntl.flock(self.number, fcntl.LOCK_UN)


class SampleWriter:
    """Writes samples into the folder; many threads may use it, of one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known = KnownFiles(folder, write=True, grow=True)

    def put(self, name: str, message: Sequence[Buffer]) -> str:
        """Write a sample; return its file, which is told to whoever gets it.

        Args:
            name: What the file's begins with.
            message: The packed sample.

        Raises:
            StreamError: There is no memory.
        """
        size = length(message)
        name, file = self._used_again(name, size) or self._new(name, size)
        try:
            place = 0
            for each in message:
                file.memory[place : place + len(each)] = np.frombuffer(each, np.uint8)
                place += len(each)
        finally:
            file.unlock()
        return name

    def remove(self, name: str) -> None:
        """Remove a sample that nobody was told of."""
        self._known.forget(name)
        (self.folder / name).unlink(missing_ok=True)

    def _used_again(self, name: str, size: int) -> tuple[str, SampleFile] | None:
        """Return a file that was free and is ours now, locked."""
        for free in free_files(self.folder):
            ours = name + free.removeprefix(FREE)
            with suppress(FileNotFoundError):  # another was quicker
                (self.folder / free).rename(self.folder / ours)
                file = self._file(ours, size)
                if file.lock(shared=False):
                    return ours, file
                self.remove(ours)  # somebody still looks at it
        return None

    def _new(self, name: str, size: int) -> tuple[str, SampleFile]:
        name = f"{name}.{secrets.token_hex(6)}"
        os.close(os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        file = self._file(name, size)
        file.lock(shared=False)
        return name, file

    def _file(self, name: str, size: int) -> SampleFile:
        try:
            return self._known.file(name, least=size)
        except BaseException:
            self.remove(name)
            raise


@dataclass(eq=False)
class Shown:
    """A sample that somebody may look at."""

    name: str
    file: SampleFile
    released: bool = False


class SampleReader:
    """Shows samples that lie in the folder; many threads may use it, of one process."""

    def __init__(self, folder: Path, *, write: bool = False) -> None:
        """Begin; `write`: the arrays of samples may be written to."""
        self.folder = folder
        self._pid = os.getpid()
        self._known = KnownFiles(folder, write=write)
        self._shown: dict[str, Shown] = {}

    def open(self, name: str) -> memoryview:
        """Return the sample of a file, without a copy; it stays what it is while it is held.

        Raises:
            StreamError: It is not there, or is no sample.
        """
        file = self._known.file(name, least=PREFIX.size)
        size = message_length(file.memory[: PREFIX.size].data, most=LARGEST_FILE)
        file = self._known.file(name, least=size)
        if not file.lock(shared=True):
            raise StreamError(f"{name}: a sample is gone from memory: another one is written there")
        memory = file.memory[:size]
        shown = self._shown[name] = Shown(name, file)
        weakref.finalize(memory, self._forget, shown).atexit = False
        return memory.data

    def release(self, name: str) -> None:
        """Let a file be used again, as soon as nobody here has an array that lies in it."""
        shown = self._shown.get(name)
        if shown is None:
            self._free(name)
        else:
            shown.released = True

    def _forget(self, shown: Shown) -> None:
        if os.getpid() != self._pid:  # a fork has let go of it; its parent may not have
            return
        self._shown.pop(shown.name, None)
        shown.file.unlock()
        if shown.released:
            self._free(shown.name)

    def _free(self, name: str) -> None:
        if not self._is_wanted(name):
            self._known.forget(name)
            (self.folder / name).unlink(missing_ok=True)
            return
        with suppress(FileNotFoundError):
            (self.folder / name).rename(self.folder / (FREE + token_of(name)))

    def _is_wanted(self, name: str) -> bool:
        free = len(free_files(self.folder))
        return not free or (free + 1) * self._known.size(name) <= MOST_SPARE_BYTES


class KnownFiles:
    """Files of the folder that this process has mapped, the last used last."""

    def __init__(self, folder: Path, *, write: bool, grow: bool = False) -> None:
        self.folder = folder
        self.write = write
        self.grow = grow
        self._files: OrderedDict[str, SampleFile] = OrderedDict()
        self._one_at_a_time = threading.Lock()

    def file(self, name: str, *, least: int) -> SampleFile:
        """Return a file of `least` bytes or more.

        Raises:
            StreamError: It is not there, or has less and cannot have more.
        """
        token = token_of(name)
        file = self._files.get(token)
        if file is None or len(file.memory) < least:
            file = self._open(name, least)
            self._forget_some()
        with self._one_at_a_time:
            self._files[token] = file
            self._files.move_to_end(token)
        return file

    def _forget_some(self) -> None:
        """Let go of files that are removed, whose memory we would keep, and of more than enough."""
        with self._one_at_a_time:
            for token, file in list(self._files.items()):
                if file.is_removed() or len(self._files) >= MOST_KNOWN:
                    del self._files[token]

    def _open(self, name: str, least: int) -> SampleFile:
        try:
            number = os.open(self.folder / name, os.O_RDWR if self.write else os.O_RDONLY)
        except OSError as error:
            raise StreamError(f"{name}: a sample is gone from memory ({error.strerror})") from None
        try:
            if self.grow:
                self._grow(number, least)
            file = SampleFile(number, write=self.write)
        except BaseException:
            os.close(number)
            raise
        if len(file.memory) < least:
            raise StreamError(f"{name}: a sample is cut short")
        return file

    def _grow(self, number: int, size: int) -> None:
        """Take memory for a file: to write where there is none would end this process."""
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(number, 0, size)
            else:  # a Mac, whose files are on a disk
                os.truncate(number, max(size, os.fstat(number).st_size))
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.ENOMEM, errno.EFBIG):
                raise
            raise StreamError(
                f"{self.folder}: no memory for another sample of {size:,} bytes "
                f"({error.strerror}): make room there (docker run --shm-size), or ask for a "
                "shorter queue"
            ) from None

    def size(self, name: str) -> int:
        """Return the bytes of a file that is mapped."""
        file = self._files.get(token_of(name))
        return MOST_SPARE_BYTES if file is None else len(file.memory)

    def forget(self, name: str) -> None:
        """Keep a file no longer."""
        with self._one_at_a_time:
            self._files.pop(token_of(name), None)
