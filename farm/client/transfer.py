"""Many files at once: a few threads, which all end when one fails or the user stops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from farm.errors import TransferError

T = TypeVar("T")

QUEUED_PER_THREAD = 4


class Stop(threading.Event):
    """Ends transfers between two pieces of a file."""

    def check(self) -> None:
        """Raise if the transfers should end.

        Raises:
            TransferError: They should.
        """
        if self.is_set():
            raise TransferError("stopped; run the same command again to resume")


def run_each(work: Callable[[T], None], items: Iterable[T], *, threads: int, stop: Stop) -> None:
    """Call `work` with each item, in a few threads; the first error ends the others and is raised.

    `items` is read only as fast as the work progresses, so that it may be endless.
    """
    running: set[Future[None]] = set()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                running.add(pool.submit(work, item))
                if len(running) >= threads * QUEUED_PER_THREAD:
                    running = _reap(running)
            while running:
                running = _reap(running)
        except BaseException:  # Ctrl-C too
            stop.set()
            for future in running:
                future.cancel()
            raise


def _reap(running: set[Future[None]]) -> set[Future[None]]:
    done, left = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
    return left
