"""One process's part of a stream: a thread that fetches, and an iterator that hands on."""

from __future__ import annotations

import multiprocessing
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from farm.errors import FarmError, StreamError, UnreachableError
from farm.feeding.asking import Pull
from farm.training.source import Got, Source

LEASE_S = 15.0
"""Seconds after its last sign for which a consumer keeps what it was lent."""
BEAT = 0.1
"""Share of that after which a consumer gives a sign, at least."""
LONG_S, SHORT_S = 2.0, 0.1
"""Waiting time of a request: where nothing is to be acknowledged meanwhile, and where it may."""
AGAIN_S = 0.25
LEAVES_S = 10.0
"""For which whoever closes a consumer waits until it has taken leave."""
GATHER_S = 0.003
"""For which a request waits while samples are left in this process."""


class Item(NamedTuple):
    """A sample as it came."""

    number: int
    data: memoryview


class Seen:
    """Numbers that were given on: a bit each, so that a long stream needs no memory."""

    def __init__(self) -> None:
        self.bits = bytearray()

    def add(self, number: int) -> None:
        """Note a number."""
        place = number >> 3
        if place >= len(self.bits):
            self.bits.extend(bytes(place + 1 - len(self.bits)))
        self.bits[place] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        place = number >> 3
        return place < len(self.bits) and bool(self.bits[place] & 1 << (number & 7))


class Consumer:
    """Fetches samples beside the training, never more than `queue`, and keeps its lease alive.

    It belongs to the process that made it.
    """

    def __init__(  # noqa: PLR0913  its few knobs, each by its name
        self,
        source: Source,
        job_id: str,
        *,
        queue: int,
        timeout_s: float,
        lease_s: float = LEASE_S,
        by_hand: bool = False,
        group: str = "",
    ) -> None:
        """Begin to fetch.

        Args:
            source: Where from.
            job_id: The stream, for sentences.
            queue: Samples in this process that are not acknowledged, at most.
            timeout_s: Longest silence.
            lease_s: As `LEASE_S`.
            group: What consumers of one training share.
            by_hand: Nothing is acknowledged but by `ack`; else a sample is when the next is asked
                for.
        """
        self.source, self.job_id = source, job_id
        self.queue, self.timeout_s, self.lease_s = queue, timeout_s, lease_s
        self.by_hand, self.group = by_hand, group
        self.name = secrets.token_hex(8)
        self.waiting: deque[Item] = deque()
        self.held: set[int] = set()
        """Numbers that were not acknowledged, those that wait included."""
        self.acks: list[int] = []
        self.seen = Seen()
        self.over = self.short = False
        self.error: FarmError | None = None
        self.trouble = ""
        self.stopping = self.left = False
        self.parent = multiprocessing.parent_process()
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self.thread.start()

    def __iter__(self) -> Iterator[Item]:
        """Yield samples until the stream is over; `close` it then.

        Raises:
            StreamError: Nothing came for too long, or something is wrong for good.
        """
        while (item := self._next()) is not None:
            yield item
            if not self.by_hand:
                self.ack(item.number)

    def ack(self, *numbers: int) -> None:
        """Note that samples were used: they are never given again."""
        with self.changed:
            self.acks += numbers
            self.held.difference_update(numbers)
            self.changed.notify_all()

    def close(self) -> None:
        """Acknowledge what was used; what was not handed on is for others."""
        with self.changed:
            if self.stopping:
                return
            self.stopping = True
            if not self.by_hand:
                unused = {item.number for item in self.waiting}
                self.acks += [number for number in self.held if number not in unused]
            self.changed.notify_all()
        if threading.current_thread() is not self.thread:
            self.thread.join(timeout=LEAVES_S)
            self._close_source()

    def _next(self) -> Item | None:
        deadline = time.monotonic() + self.timeout_s
        with self.changed:
            while True:
                if self.waiting:
                    item = self.waiting.popleft()
                    self.seen.add(item.number)
                    return item
                if self.error is not None:
                    raise self.error
                if self.over:
                    break
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self.changed.wait(left)
        if self.short:
            raise StreamError(f"stream {self.job_id}: {self._why()}")
        if not self.over:
            raise StreamError(
                f"stream {self.job_id}: no sample came for {self.timeout_s:g} s: {self._why()}"
            )
        return None

    def _why(self) -> str:
        try:
            self.source.check()
            state = self.source.state()
        except FarmError as error:
            return str(error)
        if self.trouble:
            return self.trouble
        return state.why if state else "the farm does not know it any more; start it again"

    # The thread

    def _run(self) -> None:
        try:
            while not self._is_done():
                self._fetch()
        except FarmError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001  the door of the thread: the iterator must hear
            self._fail(StreamError(f"stream {self.job_id}: {type(error).__name__}: {error}"))
        finally:
            self._leave()
            self.left = True
            self._close_source()

    def _close_source(self) -> None:
        """Close it once nobody asks it any more: the iterator, or the thread, whoever is last."""
        with self.changed:
            is_last = self.stopping and self.left
        if is_last:
            self.source.close()

    def _is_done(self) -> bool:
        """Wait until there is something to ask for; say whether there never will be."""
        with self.changed:
            if not (self.stopping or self.acks or self._room):
                self.changed.wait(self.lease_s * BEAT)
            self.changed.wait_for(self._is_urgent, GATHER_S)
            if self._is_orphan() and not self.stopping:
                self.stopping, self.acks = True, []
                self.error = StreamError(f"stream {self.job_id}: the training has ended")
                self.changed.notify_all()
            return self.stopping or (self.over and not self.held and not self.acks)

    def _is_orphan(self) -> bool:
        """Say whether this is a loader's worker whose training was killed.

        It lives for some seconds more, and must not keep what nobody will use.
        """
        return self.parent is not None and not self.parent.is_alive()

    def _is_urgent(self) -> bool:
        """Say whether to ask at once, rather than for more samples by fewer requests."""
        return self.stopping or not self.waiting or 2 * self._room >= self.queue

    @property
    def _room(self) -> int:
        return 0 if self.over else self.queue - len(self.held)

    def _fetch(self) -> None:
        with self.changed:
            acks, holds = tuple(self.acks), tuple(self.held)
            wait_s = 0.0 if self._room < 1 else SHORT_S if holds else LONG_S
        asked = Pull(
            consumer=self.name,
            group=self.group,
            queue=self.queue,
            lease_s=self.lease_s,
            holds=holds,
            acks=acks,
        )
        try:
            got = self.source.pull(asked, min(wait_s, self.lease_s * BEAT))
        except UnreachableError as error:
            self.source.check()
            self.trouble = str(error)
            time.sleep(AGAIN_S)
            return
        self.trouble = ""
        self._take(got, acks)

    def _take(self, got: Got, acks: tuple[int, ...]) -> None:
        told = got.told
        if told.gone:
            raise StreamError(f"stream {self.job_id}: {self._why()}")
        with self.changed:
            del self.acks[: len(acks)]
            self.held.difference_update(told.drop)
            self.waiting = deque(each for each in self.waiting if each.number in self.held)
            for number, data in got.samples:
                self._add(number, data)
            self.over, self.short = self.over or told.over, self.short or told.short
            self.changed.notify_all()

    def _add(self, number: int, data: memoryview) -> None:
        if number in self.held:
            return
        if number in self.seen:  # it was used here, and Redis has forgotten that
            self.acks.append(number)
            return
        self.waiting.append(Item(number, data))
        self.held.add(number)

    def _fail(self, error: FarmError) -> None:
        with self.changed:
            self.error = error
            self.changed.notify_all()

    def _leave(self) -> None:
        with self.changed:
            acks = tuple(self.acks)
        try:
            last = Pull(consumer=self.name, queue=0, lease_s=self.lease_s, acks=acks, leaves=True)
            self.source.pull(last, 0.0)
        except FarmError:
            pass  # its lease expires
