"""The first process of a worker's pool, made before there is a pool.

Billiard, Celery's multiprocessing, starts a Python for each process of a pool, and hands it pipes
and a program. The first one is split off ahead here, when the libraries are loaded and nothing
else is there yet: no thread, no connection, no setting. It gets the same pipes, at the same
numbers, runs the same program, and may open the renderer without waiting for a first task.

A process that is split off later would share what the worker holds, so all others are started anew.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from typing import TypedDict

OUT_OF_THE_WAY = 512
"""Numbers from which on files are kept while others take theirs."""
MOST_PIPES = 250
"""Linux sends no more at once."""
HEAD_BYTES = 8


class Order(TypedDict):
    """What the process is to be."""

    program: str
    """For `python -c`."""
    pipes: list[int]
    """Numbers that the program knows its pipes by."""
    environment: dict[str, str]
    open_ahead: bool


class EarlyChild:
    """A process that waits until it is told what to be; it ends with the one that made it."""

    def __init__(self) -> None:
        """Split it off; nothing must run in this process yet."""
        self._ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            self._ours.close()
            become_what_is_told(theirs)
            sys.exit(0)
        theirs.close()

    def stand_ready(self, *, open_ahead: bool) -> None:
        """Let the next process that Billiard starts be this one.

        Args:
            open_ahead: It opens the renderer at once.
        """
        from billiard import popen_spawn_posix

        spawn = popen_spawn_posix.spawnv_passfds

        def spawn_or_adopt(path: str, arguments: Sequence[str], pipes: Sequence[int]) -> int:
            popen_spawn_posix.spawnv_passfds = spawn  # only once: it may die, and others follow
            if self._tell(arguments, pipes, open_ahead=open_ahead):
                return self.pid
            pid: int = spawn(path, arguments, pipes)
            return pid

        popen_spawn_posix.spawnv_passfds = spawn_or_adopt

    def _tell(self, arguments: Sequence[str], pipes: Sequence[int], *, open_ahead: bool) -> bool:
        """Tell it what to be; say whether it could be told."""
        order = Order(
            program=arguments[list(arguments).index("-c") + 1],
            pipes=list(pipes),
            environment=dict(os.environ),
            open_ahead=open_ahead,
        )
        text = json.dumps(order).encode()
        if len(pipes) > MOST_PIPES:
            return False
        try:
            with self._ours:
                socket.send_fds(self._ours, [len(text).to_bytes(HEAD_BYTES)], list(pipes))
                self._ours.sendall(text)
        except OSError:  # it is gone
            return False
        return True


def become_what_is_told(theirs: socket.socket) -> None:
    """Wait for an order, and be what it says; return where there is none."""
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is wanted
        os.dup2(nothing.fileno(), 0)  # what the worker is told is not for this process
    with socket.socket(fileno=away(theirs.detach())) as told:
        order = receive(told)
    if order is None:
        return
    os.environ.clear()
    os.environ.update(order["environment"])
    tempfile.tempdir = None  # what was thought of it before
    if order["open_ahead"]:
        open_ahead_when_up()
    sys.argv = ["-c", "--billiard-fork"]
    exec(order["program"], {"__name__": "__mp_main__"})


def receive(told: socket.socket) -> Order | None:
    """Return what this process is to be, with its pipes at their numbers; None: it is to end."""
    head, pipes, *_ = socket.recv_fds(told, HEAD_BYTES, MOST_PIPES)
    if len(head) < HEAD_BYTES:
        return None
    kept = [away(pipe) for pipe in pipes]
    with told.makefile("rb") as rest:
        order: Order = json.loads(rest.read(int.from_bytes(head)))
    for pipe, number in zip(kept, order["pipes"], strict=True):
        os.dup2(pipe, number)
        os.close(pipe)
    return order


def away(number: int) -> int:
    """Give a file another number, which nobody wants."""
    kept = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, OUT_OF_THE_WAY)
    os.close(number)
    return kept


def open_ahead_when_up() -> None:
    """Open the renderer as soon as Celery has set this process up.

    What is wrong with it is told when the first task comes, which tries again.
    """
    from celery import current_app, signals

    from farm.errors import DeviceError
    from farm.queue import RENDER_TASK

    def open_ahead(**_: object) -> None:
        gc.disable()  # most of it is imports, and what is imported stays
        try:
            with suppress(DeviceError):
                current_app.tasks[RENDER_TASK].open_ahead()
        finally:
            gc.enable()

    signals.worker_process_init.connect(open_ahead, weak=False)
