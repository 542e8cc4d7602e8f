"""Where a consumer gets its samples: the Redis of this machine's farm, or a farm over HTTP."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

from farm.errors import StreamError
from farm.feeding.asking import IN_MEMORY, PREFIX, Pull, Pulled
from farm.spec.stream import Sent, StreamState
from farm.stream.memory import SampleReader

if TYPE_CHECKING:
    from farm.client.streams import StreamClient
    from farm.feeding.book import StreamBook
    from farm.local.stream_farm import StreamAddress

PAUSES_S = (0.002, 0.005, 0.01, 0.02, 0.05)
"""Between looks for a sample; the last one is repeated."""


class Got(NamedTuple):
    """What a consumer got."""

    told: Pulled
    samples: tuple[tuple[int, memoryview], ...] = ()
    """Number and packed sample."""


class Source(Protocol):
    """The other end of a stream; of one process, for many threads."""

    def pull(self, asked: Pull, wait_s: float) -> Got:
        """Acknowledge samples and get more, for which it may wait."""

    def state(self) -> StreamState | None:
        """Return how the stream stands, and why it is silent."""

    def send(self, sent: Sequence[Sent]) -> int:
        """Say what the next views are to show; return how many sets of parameters wait."""

    def check(self) -> None:
        """Return if the other end may still answer.

        Raises:
            StreamError: It has ended, and says why.
        """

    def close(self) -> None: ...


class LocalSource:
    """A private farm of this machine: by its Redis, and by memory that all of it share."""

    def __init__(self, book: StreamBook, address: StreamAddress) -> None:
        self.book = book
        self.address = address
        self.job_id = address.job_id
        self.memory = None if address.samples is None else SampleReader(address.samples)

    def pull(self, asked: Pull, wait_s: float) -> Got:
        found = pull_patiently(lambda: self._pull(asked), wait_s)
        return Got(found, tuple((each.number, self._open(each.data)) for each in found.samples))

    def _pull(self, asked: Pull) -> Pulled:
        found = self.book.pull(self.job_id, asked)
        if self.memory is not None:
            for file in found.freed:
                self.memory.release(file)
        return found

    def _open(self, data: bytes) -> memoryview:
        if not data.startswith(IN_MEMORY) or self.memory is None:
            return memoryview(data)[PREFIX:]
        return self.memory.open(data[1:].decode())

    def state(self) -> StreamState | None:
        from farm.feeding.why import told_state
        from farm.ledger.ledger import Ledger
        from farm.ledger.stores.redis_store import RedisStore, connect

        with connect(self.book.url) as client:
            return told_state(Ledger(RedisStore(client)), self.book, self.job_id)

    def send(self, sent: Sequence[Sent]) -> int:
        return self.book.send(self.job_id, sent)

    def check(self) -> None:
        words = ""
        with suppress(OSError):
            words = self.address.words_file.read_text(encoding="utf-8")
        with suppress(PermissionError):
            if not words and is_alive(self.address.farm_pid):
                return
        raise StreamError(f"the farm of this stream has ended: {words or 'start the stream again'}")

    def close(self) -> None:
        self.book.close()


class FarmSource:
    """A farm over HTTP, by one authenticated port."""

    def __init__(self, stream: StreamClient) -> None:
        self.stream = stream

    def pull(self, asked: Pull, wait_s: float) -> Got:
        told, samples = self.stream.pull(asked.model_copy(update={"wait_s": wait_s}))
        return Got(told, samples)

    def state(self) -> StreamState | None:
        return self.stream.state()

    def send(self, sent: Sequence[Sent]) -> int:
        return self.stream.send(sent)

    def check(self) -> None:
        pass

    def close(self) -> None:
        self.stream.client.close()


def pull_patiently(pull: Callable[[], Pulled], wait_s: float) -> Pulled:
    """Pull until something comes, at most for so long."""
    deadline = time.monotonic() + wait_s
    for pause_s in itertools.chain(PAUSES_S, itertools.repeat(PAUSES_S[-1])):
        found = pull()
        left_s = deadline - time.monotonic()
        if found.is_news or left_s <= 0:
            return found
        time.sleep(min(pause_s, left_s))
    raise AssertionError  # the loop has no end


def is_alive(pid: int) -> bool:
    """Say whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
