"""Work on many views at a time, in threads or processes.

Threads suffice where decoding and hashing leave Python free to run; processes pay where views are
many and small, so that Python itself takes most of the time.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

from farm.errors import SetupError

In = TypeVar("In")
Out = TypeVar("Out")
AHEAD = 4
"""Views in hand for each thread: enough that none waits, few enough that memory stays small."""
MANY = 10_000
"""Views from which on processes gain more than they take to start."""
PIECES_AHEAD = 3
"""Pieces that each process has in hand."""


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


def mapped_in_processes(
    function: Callable[[In], Out], items: Iterable[In], *, workers: int
) -> Iterator[Out]:
    """Yield `function(item)` for all `items`, in their order, as `mapped` does.

    `function` is sent to the processes with each item: small, and known by name. They import the
    program's main module anew, so this is for programs that stand it, such as `farm`.

    Raises:
        SetupError: A process was ended.
    """
    context = multiprocessing.get_context("spawn")  # a fork would not know of other threads
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=follow_parent)
    try:
        yield from ahead(pool, function, items, workers * PIECES_AHEAD)
    except BrokenProcessPool as error:
        raise SetupError(
            "a process that looked at views was ended, perhaps for lack of memory; --workers 1 "
            "does without"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def pays(*, views: int, workers: int) -> bool:
    """Say whether so many views are sooner looked at by processes than it takes to start them."""
    return workers > 1 and views >= MANY


def follow_parent() -> None:
    """Leave Ctrl-C to the process that began this one, and end when that is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, name="parent", daemon=True).start()


def end_with_parent() -> None:
    """End this process when the one that began it is gone: nothing else would tell it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        with contextlib.suppress(OSError):
            parent.join()
        os._exit(1)


def pieces_of(items: Iterable[In], size: int) -> Iterator[list[In]]:
    """Yield `items` in lists of `size`; the last may be shorter."""
    left = iter(items)
    while piece := list(islice(left, size)):
        yield piece


def ahead(
    pool: Executor, function: Callable[[In], Out], items: Iterable[In], most: int
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
