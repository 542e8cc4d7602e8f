"""Samples between the processes of one machine: a ring of slots in shared memory.

    make_ring(folder, slots=16, slot_bytes=16 << 20)   # by the owner of the folder
    Writer(folder).put(sample)                         # in any process that renders
    for lease in Reader(folder).take(8): ...; lease.acknowledge()     # in any that trains

A sample is with exactly one reader at a time. It is taken for good when it is acknowledged; until
then it goes to another reader as soon as the one that has it is closed or dies. What a
writer had not finished when it died was never there, and the same id is never put twice. Whoever
waits sleeps until it is woken.

The folder lies where files are memory (`/dev/shm`). Its owner makes it and removes it
(`farm.owned_folders`); all others need to read and write its files, not to make, remove or cut
short any: a sandbox should not let them, since a file that is cut short ends those who read it.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import select
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from farm.errors import StreamError
from farm.storage.file_lock import lock_file
from farm.stream.ring_table import (
    BELL_FREE,
    BELL_READY,
    DATA,
    FREE,
    LEASED,
    READY,
    WRITING,
    Control,
    Shape,
    make_files,
    seat_name,
    seat_of,
    state_of,
    turn_of,
    word_of,
)
from farm.stream.sample import Sample
from farm.stream.wire import Buffer, Decoder, Part, length, pack, read_header, unpack

TICK_S = 0.25
"""Seconds after which whoever waits looks whether a process has died."""
BELL_BYTES = 1 << 16
Row = Any
"""A row of the table; NumPy has no name for it."""


class StreamEnded(StreamError):
    """All samples were taken, and no more will come."""


def make_ring(folder: Path, *, slots: int, slot_bytes: int) -> None:
    """Make a ring in an empty folder.

    Args:
        folder: Where; in memory, such as below `/dev/shm`.
        slots: Samples that it holds, at most: those that wait and those that readers have.
        slot_bytes: Bytes of a sample, at most. Memory is taken when it is needed.

    Raises:
        SetupError: It cannot be made.
    """
    rounded = slot_bytes + -slot_bytes % mmap.ALLOCATIONGRANULARITY
    make_files(folder, Shape(slots=slots, slot_bytes=rounded))


def end_ring(folder: Path, reason: str = "") -> None:
    """Say that no more samples come; readers get those that are there, then `StreamEnded`.

    Args:
        folder: Of the ring.
        reason: What went wrong; left out: nothing did.
    """
    control = Control(folder)
    try:
        with control:
            control.set_reason(reason)
            counts = control.counts()
            counts.ended = 1
            control.set_counts(counts)
        for bell in (BELL_READY, BELL_FREE):
            with Bell(folder / bell) as rung:
                rung.ring()
    finally:
        control.close()


@dataclass(frozen=True)
class RingState:
    """What a ring holds, and what went through it."""

    free: int
    writing: int
    ready: int
    leased: int
    put: int
    acknowledged: int
    doubled: int
    """Samples that were put again and left out."""
    bytes: int
    """Of the memory that it takes."""
    ended: bool


def ring_state(folder: Path) -> RingState:
    """Return what a ring holds now."""
    control = Control(folder)
    try:
        with control:
            rows, counts = control.rows(), control.counts()
    finally:
        control.close()
    states = np.bincount(rows["word"].astype(np.int64) & 0xFF, minlength=4)
    return RingState(
        free=int(states[FREE]),
        writing=int(states[WRITING]),
        ready=int(states[READY]),
        leased=int(states[LEASED]),
        put=counts.put,
        acknowledged=counts.acknowledged,
        doubled=counts.doubled,
        bytes=int(rows["kept"].sum()),
        ended=bool(counts.ended),
    )


class Bell:
    """A pipe with a name: what is written to it wakes one who waits."""

    def __init__(self, path: Path) -> None:
        self.file = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.waiting = select.poll()
        self.waiting.register(self.file, select.POLLIN)

    def ring(self) -> None:
        """Wake who waits, or who waits next."""
        with suppress(BlockingIOError):  # it is full of rings that nobody has heard yet
            os.write(self.file, b"!")

    def wait(self, seconds: float) -> None:
        """Sleep until it rings, and forget all rings so far."""
        if self.waiting.poll(seconds * 1000):
            with suppress(BlockingIOError):  # another was quicker
                os.read(self.file, BELL_BYTES)

    def close(self) -> None:
        """Let go of it."""
        os.close(self.file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Member:
    """A process, or a thread, that takes part in a ring; not to be shared nor sent to others.

    It holds a seat. A forked process has no part in it: it lets go of all this at once, so that
    the seat is empty when this process dies.
    """

    def __init__(self, folder: Path, *, write: bool) -> None:
        """Take part.

        Raises:
            StreamError: There is no ring, or every seat is taken.
        """
        self.folder = folder
        self.pid = os.getpid()
        self.control = Control(folder)
        self.shape = self.control.shape
        self.ready, self.free = Bell(folder / BELL_READY), Bell(folder / BELL_FREE)
        self.memory = self._mapped(write=write)
        self.next_look_s = 0.0
        self.seat, file = self._sit_down()
        self.let_go = weakref.finalize(self, _close, file, self.control, self.ready, self.free)
        MEMBERS.add(self)

    def _mapped(self, *, write: bool) -> NDArray[np.uint8]:
        """Return the slots, one in each row."""
        size = self.shape.slots * self.shape.slot_bytes
        file = os.open(self.folder / DATA, os.O_RDWR if write else os.O_RDONLY)
        try:
            access = mmap.ACCESS_WRITE if write else mmap.ACCESS_READ
            mapped = mmap.mmap(file, size, access=access)
        finally:
            os.close(file)
        return np.frombuffer(mapped, np.uint8).reshape(self.shape.slots, self.shape.slot_bytes)

    def _sit_down(self) -> tuple[int, int]:
        with self.held():
            for seat in range(self.shape.seats):
                with suppress(BlockingIOError):
                    file = lock_file(self.folder / seat_name(seat), wait=False, make=False)
                    self.give_back([seat])
                    return seat, file
        raise StreamError(
            f"{self.folder}: {self.shape.seats} processes take part in this stream, which is all "
            "that it has seats for: use fewer workers"
        )

    def held(self) -> Control:
        """Return what holds the lock of the table while it is entered.

        Raises:
            RuntimeError: This is a fork of the process that took part.
        """
        if os.getpid() != self.pid:
            raise RuntimeError("a forked process must open the ring anew")
        return self.control

    def give_back(self, seats: Sequence[int]) -> None:
        """Free what the seats were writing, and give what they had to others; under the lock."""
        rows = self.control.rows()
        for slot, row in enumerate(rows):
            word = int(row["word"])
            if state_of(word) not in (WRITING, LEASED) or seat_of(word) not in seats:
                continue
            whole = state_of(word) == LEASED and not self.control.remembers(row["id"].tobytes())
            self.control.set_word(slot, word_of(READY if whole else FREE, 0, turn_of(word)))
            (self.ready if whole else self.free).ring()

    def bury(self) -> None:
        """Give back what those have who died."""
        with self.held():
            self._bury()
        self.next_look_s = time.monotonic() + TICK_S

    def _bury(self) -> None:
        words = [int(word) for word in self.control.rows()["word"]]
        taken = {seat_of(word) for word in words if state_of(word) in (WRITING, LEASED)}
        self.give_back([seat for seat in taken if not self._lives(seat)])

    def _lives(self, seat: int) -> bool:
        if seat >= self.shape.seats:
            return False
        try:
            os.close(lock_file(self.folder / seat_name(seat), wait=False, make=False))
        except BlockingIOError:
            return True
        return False

    def attempts(self, bell: Bell, timeout_s: float) -> Iterator[float]:
        """Yield now and whenever the bell rings, until the time is over; else sleep."""
        deadline = time.monotonic() + timeout_s
        left = timeout_s
        while True:
            yield left
            left = deadline - time.monotonic()
            if left <= 0:
                return
            bell.wait(min(left, TICK_S))
            if time.monotonic() >= self.next_look_s:
                self.bury()

    def close(self) -> None:
        """Take part no more; what was not acknowledged goes to others."""
        if not self.let_go.alive:
            return
        with suppress(StreamError), self.held():
            self.give_back([self.seat])
        self.let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


MEMBERS: weakref.WeakSet[Member] = weakref.WeakSet()
"""Those of this process."""


def _close(seat: int, *files: Control | Bell) -> None:
    """Leave a seat: to the others, who sat there is dead."""
    os.close(seat)
    for each in files:
        each.close()


def _forget_members() -> None:
    for member in list(MEMBERS):
        member.let_go()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget_members)


class Writer(Member):
    """One that puts samples into a ring."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, write=True)

    def put(self, sample: Sample, *, timeout_s: float) -> bool:
        """Put a sample as soon as there is room; see `put_packed`."""
        return self.put_packed(sample.id, pack(sample), timeout_s=timeout_s)

    def put_packed(self, name: str, message: Sequence[Buffer], *, timeout_s: float) -> bool:
        """Put a packed sample as soon as there is room; say whether it was new.

        Raises:
            TimeoutError: Nobody has taken any for so long.
            StreamEnded: Nobody takes any more.
            StreamError: It is too large, or there is no memory.
        """
        size = length(list(message))
        if size > self.shape.slot_bytes:
            raise StreamError(
                f"sample {name}: has {size:,} bytes, the stream was made for at most "
                f"{self.shape.slot_bytes:,}: stream fewer passes, or give it more memory"
            )
        digest = digest_of(name)
        for _left in self.attempts(self.free, timeout_s):
            slot = self._reserve(digest)
            if slot is None:
                return False
            if slot >= 0:
                return self._write(slot, size, digest, message)
        raise TimeoutError(f"{self.folder}: no sample was taken for {timeout_s:g} s")

    def _reserve(self, digest: bytes) -> int | None:
        """Return a free slot, -1 if there is none; None if the sample was there before."""
        with self.held():
            if self.control.counts().ended:
                raise StreamEnded(f"{self.folder}: the stream has ended{self._why()}")
            rows = self.control.rows()
            if self._is_double(rows, digest):
                return None
            free = np.flatnonzero((rows["word"] & 0xFF) == FREE)
            if not len(free):
                return -1
            slot = int(free[np.argmax(rows["kept"][free])])  # memory that is there first
            turn = turn_of(int(rows["word"][slot])) + 1
            self.control.set_word(slot, word_of(WRITING, self.seat, turn))
            if len(free) > 1:
                self.free.ring()  # for the next one: this one has heard all rings
            return slot

    def _why(self) -> str:
        reason = self.control.reason()
        return f": {reason}" if reason else ""

    def _is_double(self, rows: NDArray[Any], digest: bytes) -> bool:
        """Say whether a sample was there; under the lock."""
        alike = rows["word"][rows["id"] == np.void(digest)] & 0xFF
        if not (alike >= READY).any() and not self.control.remembers(digest):
            return False
        counts = self.control.counts()
        counts.doubled += 1
        self.control.set_counts(counts)
        return True

    def _write(self, slot: int, size: int, digest: bytes, message: Sequence[Buffer]) -> bool:
        """Fill a slot and give it to the readers."""
        try:
            kept = self._keep(slot, size)
            place = 0
            for each in message:
                self.memory[slot, place : place + len(each)] = np.frombuffer(each, np.uint8)
                place += len(each)
        except BaseException:
            with self.held():
                self.give_back([self.seat])
            raise
        return self._commit(slot, size, kept, digest)

    def _keep(self, slot: int, size: int) -> int:
        """Take the memory that a slot needs; else the system would end us when it is written."""
        kept = int(self.control.rows()["kept"][slot])
        if size <= kept:
            return kept
        more = size + -size % mmap.ALLOCATIONGRANULARITY
        file = os.open(self.folder / DATA, os.O_RDWR)
        try:
            if hasattr(os, "posix_fallocate"):  # not on a Mac, whose files are on a disk
                os.posix_fallocate(file, slot * self.shape.slot_bytes, more)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.ENOMEM, errno.EFBIG):
                raise
            raise StreamError(
                f"{self.folder}: no memory for another sample of {size:,} bytes "
                f"({error.strerror}): make room there (docker run --shm-size), or ask for a "
                "shorter queue"
            ) from None
        finally:
            os.close(file)
        return more

    def _commit(self, slot: int, size: int, kept: int, digest: bytes) -> bool:
        with self.held():
            rows = self.control.rows()
            double = self._is_double(rows, digest)  # another writer was quicker
            counts = self.control.counts()
            row = rows[slot]
            turn = turn_of(int(row["word"]))
            row["line"], row["size"], row["kept"] = counts.line, size, kept
            row["id"] = np.void(digest)
            if not double:
                counts.line += 1
                counts.put += 1
                self.control.set_counts(counts)
            self.control.set_row(slot, row)
            self.control.set_word(slot, word_of(FREE if double else READY, 0, turn))
        (self.free if double else self.ready).ring()
        return not double


def digest_of(name: str) -> bytes:
    """Return what a ring knows a sample by."""
    return hashlib.blake2b(name.encode(), digest_size=16).digest()


class Ticket(NamedTuple):
    """The right to one sample; plain numbers, so that another process may acknowledge it."""

    slot: int
    word: int


@dataclass(frozen=True, eq=False)
class Lease:
    """A sample that a reader has; its bytes are valid until it is acknowledged."""

    ticket: Ticket
    message: memoryview
    reader: Reader

    def sample(self, decode: Decoder | None = None) -> Sample:
        """Return it; its arrays are views of the ring, which cannot be written to.

        Raises:
            StreamError: A writer has put something else.
        """
        return unpack(self.message, decode)

    def header(self) -> tuple[str, list[Part]]:
        """Return the id and the fields."""
        return read_header(self.message)

    def acknowledge(self) -> bool:
        """Say that it was used, and is never wanted again; say whether it was still ours."""
        return self.reader.acknowledge([self.ticket]) == 1


class Reader(Member):
    """One that takes samples out of a ring."""

    def __init__(self, folder: Path, *, answers: int | None = None) -> None:
        """Take part.

        Args:
            folder: Of the ring.
            answers: The `seat` of a reader that answers for what this one takes: samples
                stay taken when this one is closed or dies, and go back when that one does. So
                a loader's worker takes, and the training's process acknowledges.
        """
        super().__init__(folder, write=False)
        self.holder = self.seat if answers is None else answers

    def take(self, most: int = 1, *, timeout_s: float) -> list[Lease]:
        """Return samples in the order in which they came, as soon as there is one.

        Returns:
            1 to `most`; none when the time was over.

        Raises:
            StreamEnded: There will be none.
            StreamError: The stream has ended because something went wrong.
        """
        for _left in self.attempts(self.ready, timeout_s):
            if leases := self._leases(most):
                return leases
        return []

    def _leases(self, most: int) -> list[Lease]:
        with self.held():
            rows, ready = self._ready()
            if not len(ready) and self.control.counts().ended:
                rows, ready = self._last_ones()
            if not len(ready):
                return []
            chosen = ready[np.argsort(rows["line"][ready])][:most]
            leases = [self._lease(int(slot), rows[slot]) for slot in chosen]
        if len(ready) > len(chosen):
            self.ready.ring()  # for the next one: this one has heard all rings
        return leases

    def _lease(self, slot: int, row: Row) -> Lease:
        word = word_of(LEASED, self.holder, turn_of(int(row["word"])))
        self.control.set_word(slot, word)
        size = min(int(row["size"]), self.shape.slot_bytes)
        return Lease(Ticket(slot, word), memoryview(self.memory[slot, :size]), self)

    def _ready(self) -> tuple[NDArray[Any], NDArray[Any]]:
        rows = self.control.rows()
        return rows, np.flatnonzero((rows["word"] & 0xFF) == READY)

    def _last_ones(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return what comes back of those who died, or raise when no more can come.

        What living readers have is theirs: each would wait for the others.
        """
        self._bury()
        rows, ready = self._ready()
        if len(ready) or ((rows["word"] & 0xFF) == WRITING).any():
            return rows, ready
        self.ready.ring()  # for all others that wait
        if reason := self.control.reason():
            raise StreamError(reason)
        raise StreamEnded(f"{self.folder}: the stream has ended")

    def acknowledge(self, tickets: Sequence[Ticket]) -> int:
        """Say that samples were used, whoever took them; return how many were still leased."""
        with self.held():
            rows = self.control.rows()
            counts = self.control.counts()
            known = [each for each in tickets if self._is_valid(each, rows)]
            start = counts.acknowledged
            counts.acknowledged += len(known)
            self.control.set_counts(counts)
            for count, (slot, word) in enumerate(known, start):
                self.control.remember(rows["id"][slot].tobytes(), count)
                self.control.set_word(slot, word_of(FREE, 0, turn_of(word)))
        if known:
            self.free.ring()
        return len(known)

    def _is_valid(self, ticket: Ticket, rows: NDArray[Any]) -> bool:
        slot, word = ticket
        return 0 <= slot < len(rows) and int(rows["word"][slot]) == word

    def hand_back(self, tickets: Sequence[Ticket]) -> None:
        """Give samples to others that were not used."""
        with self.held():
            rows = self.control.rows()
            for slot, word in tickets:
                if self._is_valid(Ticket(slot, word), rows):
                    self.control.set_word(slot, word_of(READY, 0, turn_of(word)))
                    self.ready.ring()
