"""Work on many views at a time, in threads: decoding and hashing leave Python to run."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")
AHEAD = 4
"""Views in hand for each thread: enough that none waits, few enough that memory stays small."""


def usual_workers() -> int:
    """Return as many threads as this process may run at a time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def mapped(function: Callable[[In], Out], items: Iterable[In], *, workers: int) -> Iterator[Out]:
    """Yield `function(item)` for all `items`, in their order; only a few are in hand at a time.

    What `function` raises is raised here; then, and on Ctrl-C, nothing new is begun.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="view")
    try:
        yield from ahead(pool, function, items, workers * AHEAD)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def ahead(
    pool: ThreadPoolExecutor, function: Callable[[In], Out], items: Iterable[In], most: int
) -> Iterator[Out]:
    """Yield `function(item)` for all `items`, in their order, with `most` of them in hand."""
    waiting: deque[Future[Out]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
