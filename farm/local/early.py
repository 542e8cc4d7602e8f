"""Processes that take time to start: a worker and a Redis, begun before it is known what for.

While a command reads its files and makes its plan, the processes that may render it load their
libraries. They know nothing of the job, touch nothing of the user's, and end with the command
where it turns out that there is nothing to render. Nothing heavy is imported here.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from types import FrameType

from farm.errors import SetupError
from farm.local.processes.redis_server import PrivateRedis
from farm.local.processes.temp_folders import memory_folder, temp_folder
from farm.local.processes.workers import WaitingWorker

SPIN, SHORTLY = "OPENBLAS_THREAD_TIMEOUT", "4"
"""How long threads of NumPy's BLAS spin for want of work, which takes a core from whoever loads, or
renders; the least that it takes. What they compute, and in which parts, stays the same."""
NEEDED = ("bpy", "celery")
"""What a worker cannot do without."""

begun: ContextVar[EarlyFarm | None] = ContextVar("begun", default=None)
"""What the command that runs has started ahead, until somebody takes it."""


class EarlyFarm:
    """The folders of a private farm, its first worker, which waits for its settings, and its Redis.

    Its processes are children of the thread that makes it: they end with that one.
    """

    def __init__(self, *, ahead: bool = False) -> None:
        """Make the folders.

        Args:
            ahead: Start a worker and a Redis, too.

        Raises:
            SetupError: A folder cannot be made, or there is no server program.
        """
        self._ending = ExitStack()
        self.worker: WaitingWorker | None = None
        self.redis: PrivateRedis | None = None
        with ExitStack() as ending:
            self.folder = ending.enter_context(temp_folder())
            self.memory = memory_folder()
            self.scratch = ending.enter_context(temp_folder(self.memory))
            if ahead:
                self.worker = WaitingWorker(self.folder, self.scratch)
                ending.callback(self.worker.kill)
                self.redis = PrivateRedis(self.folder / "redis")
                self.redis.launch()
                ending.callback(self.redis.stop)
            self._ending = ending.pop_all()

    def close(self) -> None:
        """End what was started, and remove the folders."""
        self._ending.close()


@contextmanager
def started_ahead() -> Iterator[None]:
    """Start ahead what a private farm needs, where one can be had; whoever wants one takes it.

    In the end nothing of it is left, however the command ends.
    """
    if not all(map(find_spec, NEEDED)):
        yield
        return
    os.environ.setdefault(SPIN, SHORTLY)
    with ending_by_signal(), ExitStack() as ending:
        farm = early_farm()
        if farm is not None:
            ending.callback(farm.close)
        begun.set(farm)
        ending.callback(begun.set, None)
        gc.disable()  # what is imported stays
        ending.callback(gc.enable)
        yield


def early_farm() -> EarlyFarm | None:
    """Return a farm that is started ahead; None where it cannot be: whoever needs it will say."""
    with contextlib.suppress(SetupError, OSError):
        return EarlyFarm(ahead=True)
    return None


def take() -> EarlyFarm:
    """Return what was started ahead, or else folders alone; whoever takes it closes it.

    Raises:
        SetupError: A folder cannot be made.
    """
    farm = begun.get()
    begun.set(None)
    if farm is not None:
        gc.freeze()
        gc.enable()
    return farm or EarlyFarm()


@contextmanager
def ending_by_signal() -> Iterator[None]:
    """Let a signal that ends this process leave it time to tidy up."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    ours = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) == signal.SIG_DFL
    ]
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
