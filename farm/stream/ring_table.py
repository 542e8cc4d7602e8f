"""The files of a ring: a table of slots, what lies in them, seats, and two bells.

    control   sizes and counts, then a row for each slot, then the ids that were acknowledged last
    data      the slots, each `slot_bytes` long; what is not used yet takes no memory
    lock      held while the table is read and changed
    seat-000  held by a process as long as it lives: the system lets go of it, however it dies
    ready     a pipe: something came; whoever waits for samples is woken
    free      a pipe: a slot is free; whoever waits for one is woken

All are made at once, so a process that may make no files can take part. The table is read and
written by calls, never mapped: to cut it short harms nobody. A row is changed by one write of
its `word`, after all else: a process that is killed between leaves the row as it was.
"""

from __future__ import annotations

import os
import struct
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from farm.errors import SetupError, StreamError

MAGIC = b"VFRING1\0"
HEADER = struct.Struct("<8sIIQIIQQQQ")
"""Magic, slots, seats, bytes of a slot, ids remembered, 1 if it has ended, then counts: next
place in line, put, acknowledged, put twice."""
REASON_AT, LONGEST_REASON = 512, 2048
TABLE_AT = 4096
ROW = np.dtype(
    [("word", "<u8"), ("line", "<u8"), ("size", "<u8"), ("kept", "<u8"), ("id", "V16")], align=True
)
"""`line`: place in line; `size`: bytes of the message; `kept`: bytes that have memory already;
`id`: a hash of the sample's."""
FREE, WRITING, READY, LEASED = range(4)
SEATS, REMEMBERED = 64, 4096
CONTROL, DATA, LOCK, BELL_READY, BELL_FREE = "control", "data", "lock", "ready", "free"
LONGEST_HOLD_S = 10.0
"""Seconds that somebody may hold the lock; it is needed for microseconds."""
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.00005, 0.002
"""Between tries to get it."""


@dataclass(frozen=True)
class Shape:
    """Sizes that a ring is made with."""

    slots: int
    slot_bytes: int
    seats: int = SEATS
    remembered: int = REMEMBERED

    @property
    def ids_at(self) -> int:
        """Return where the ids that were acknowledged begin."""
        return TABLE_AT + self.slots * ROW.itemsize


@dataclass
class Counts:
    """What changes in the header."""

    ended: int = 0
    line: int = 0
    put: int = 0
    acknowledged: int = 0
    doubled: int = 0


def word_of(state: int, seat: int = 0, turn: int = 0) -> int:
    """Return the state of a slot as one number; `turn` tells its uses apart."""
    return state | seat << 8 | (turn & 0xFFFFFFFF) << 32


def state_of(word: int) -> int:
    """Return FREE, WRITING, READY or LEASED."""
    return word & 0xFF


def seat_of(word: int) -> int:
    """Return the seat that writes or holds a slot."""
    return word >> 8 & 0xFFFF


def turn_of(word: int) -> int:
    """Return which use of a slot this is."""
    return word >> 32


def make_files(folder: Path, shape: Shape) -> None:
    """Make the files of a ring in an empty folder.

    Raises:
        SetupError: There is no room, or this system has no such files.
    """
    if sys.platform == "win32":
        raise SetupError("Windows shares no memory with the farm this way: stream from its address")
    try:
        for name in (BELL_READY, BELL_FREE):
            os.mkfifo(folder / name, 0o600)
        for name in (LOCK, *(seat_name(each) for each in range(shape.seats))):
            (folder / name).touch(0o600)
        with (folder / DATA).open("xb") as file:
            file.truncate(shape.slots * shape.slot_bytes)
        with (folder / CONTROL).open("xb") as file:
            whole = shape.ids_at + 16 * shape.remembered  # written, so that there is room for it
            file.write(packed_header(shape, Counts()).ljust(whole, b"\0"))
    except OSError as error:
        raise SetupError(f"{folder}: no samples fit ({error.strerror}): make room") from error


def packed_header(shape: Shape, counts: Counts) -> bytes:
    """Return the first bytes of `control`."""
    sizes = shape.slots, shape.seats, shape.slot_bytes, shape.remembered
    told = counts.ended, counts.line, counts.put, counts.acknowledged, counts.doubled
    return HEADER.pack(MAGIC, *sizes, *told)


def seat_name(seat: int) -> str:
    """Return the name of a seat's file."""
    return f"seat-{seat:03d}"


class Control:
    """The table of a ring, as one process sees it."""

    def __init__(self, folder: Path) -> None:
        """Open it.

        Raises:
            StreamError: It is not there, or is of another version.
        """
        self.folder = folder
        try:
            self.file = os.open(folder / CONTROL, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise StreamError(
                f"{folder}: the stream is over or was never here ({error.strerror})"
            ) from None
        try:
            self.lock = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
            self.shape = self._shape()
            self.among_threads = threading.Lock()
            self.read = 0
            self.placed: dict[int, bytes] = {}
            self.ids: Counter[bytes] = Counter()
        except BaseException:
            os.close(self.file)
            raise

    def _shape(self) -> Shape:
        header = os.pread(self.file, HEADER.size, 0)
        magic, slots, seats, size, remembered, *_ = HEADER.unpack(header.ljust(HEADER.size, b"\0"))
        if magic != MAGIC:
            raise StreamError(f"{self.folder}: is a stream of another version of viewfarm")
        return Shape(slots, size, seats, remembered)

    def __enter__(self) -> Self:
        """Hold the lock, among threads, too.

        Raises:
            StreamError: Somebody who was stopped holds it.
        """
        self.among_threads.acquire()
        try:
            if not self._locked():
                self._wait()
        except BaseException:
            self.among_threads.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        import fcntl

        fcntl.flock(self.lock, fcntl.LOCK_UN)
        self.among_threads.release()

    def _locked(self) -> bool:
        """Lock the file unless another has; say whether it is ours."""
        import fcntl

        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait(self) -> None:
        deadline = time.monotonic() + LONGEST_HOLD_S
        pause = SHORTEST_PAUSE_S
        while not self._locked():
            if time.monotonic() > deadline:
                raise StreamError(
                    f"{self.folder}: a process that takes part in this stream was stopped while it "
                    "held the others up: continue or end it"
                )
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def counts(self) -> Counts:
        """Return the counts of the header."""
        return Counts(*HEADER.unpack(self._read(HEADER.size, 0))[5:])

    def set_counts(self, counts: Counts) -> None:
        """Change the counts of the header."""
        os.pwrite(self.file, packed_header(self.shape, counts), 0)

    def rows(self) -> NDArray[np.void]:
        """Return a copy of the table, a row for each slot."""
        size = self.shape.slots * ROW.itemsize
        return np.frombuffer(bytearray(self._read(size, TABLE_AT)), ROW)

    def _read(self, size: int, place: int) -> bytes:
        data = os.pread(self.file, size, place)
        if len(data) != size:
            raise StreamError(f"{self.folder}: the stream's table was cut short; start it again")
        return data

    def set_row(self, slot: int, row: Any) -> None:
        """Change all of a row but its word, which still says what it said."""
        os.pwrite(self.file, row.tobytes()[8:], self._place(slot) + 8)

    def set_word(self, slot: int, word: int) -> None:
        """Change what state a slot is in: one write, whole or not at all."""
        os.pwrite(self.file, word.to_bytes(8, "little"), self._place(slot))

    def _place(self, slot: int) -> int:
        return TABLE_AT + slot * ROW.itemsize

    def remembers(self, digest: bytes) -> bool:
        """Say whether a sample was among those acknowledged last; under the lock."""
        count, most = self.counts().acknowledged, self.shape.remembered
        new = min(count - self.read, most)
        for place in range(count - new, count) if new < most else range(most):
            self._note(place % most)
        self.read = count
        return digest in self.ids

    def _note(self, place: int) -> None:
        digest = self._read(16, self.shape.ids_at + 16 * place)
        if (old := self.placed.get(place)) is not None:
            self.ids[old] -= 1
            if not self.ids[old]:
                del self.ids[old]
        self.placed[place] = digest
        self.ids[digest] += 1

    def remember(self, digest: bytes, count: int) -> None:
        """Note a sample as acknowledged, the `count`-th one."""
        os.pwrite(self.file, digest, self.shape.ids_at + 16 * (count % self.shape.remembered))

    def reason(self) -> str:
        """Return why the stream has ended; empty if it is complete."""
        return self._read(LONGEST_REASON, REASON_AT).rstrip(b"\0").decode(errors="ignore")

    def set_reason(self, reason: str) -> None:
        """Note why the stream has ended."""
        os.pwrite(
            self.file, reason.encode()[:LONGEST_REASON].ljust(LONGEST_REASON, b"\0"), REASON_AT
        )

    def close(self) -> None:
        """Let go of the files."""
        os.close(self.file)
        os.close(self.lock)
