"""`python -m worker.sealed.process`: closes itself off, then renders tasks whose script it runs.

It has no network, no secret and no other job's files: all that it may do is ask the farm's side of
its lines, which lets it do what belongs to its task and nothing else.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from farm.errors import FarmError, RenderError
from farm.spec.asset import Asset
from farm.tallies.model import NOTHING_TOLD, STAGES, DoneView
from worker.courier.lines import Lines, tell_error
from worker.sandbox import blank_environment, landlock, sandbox, seccomp
from worker.sandbox.rlimits import confine, lower
from worker.sandbox.runtime_files import LISTED
from worker.sealed.orders import Order, Walls

if TYPE_CHECKING:  # bpy is imported behind the walls
    from pathlib import Path

    from farm.glimpses import Glimpse
    from worker.blender.session import BlenderSession

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1  # linux/prctl.h
GONE = "the farm's side is gone"
LOG_FORMAT = "%(message)s"
FILE_BYTES = 8 << 30
"""Largest file; pictures in passing of 8192 x 8192 pixels are smaller."""


class RemoteResults:
    """Storage by way of the farm."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def put(self, key: str, data: bytes) -> None:
        self._lines.ask("put", key, data=data)

    def link(self, key: str, source: str) -> None:
        self._lines.ask("link", key, source)

    def get(self, key: str) -> bytes | None:
        found, data = self._lines.ask("get", key)
        return data if found else None

    def size(self, key: str) -> int | None:
        size: int | None = self._lines.ask("size", key)[0]
        return size

    def keys(self, prefix: str) -> list[str]:
        return list(self._lines.ask("keys", prefix)[0])


class RemoteSink:
    """Streams by way of the farm, which knows of which job they are."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def has(self, job_id: str, number: int) -> bool:
        del job_id
        return bool(self._lines.ask("has_sample", number)[0])

    def put(
        self, job_id: str, number: int, message: Sequence[bytes | bytearray | memoryview]
    ) -> None:
        del job_id
        self._lines.ask("put_sample", number, data=b"".join(message))


class RemoteShow:
    """Small pictures by way of the farm, which knows of which job they are."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def __call__(self, job_id: str, glimpse: Glimpse, webp: bytes) -> None:
        del job_id
        with contextlib.suppress(FarmError):  # a view is worth more than its small picture
            self._lines.ask("show", glimpse.model_dump_json(), data=webp)


class RemoteLease:
    """The right to a task, which the farm's side holds."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def confirm(self) -> None:
        self._lines.ask("confirm")

    def secure(self) -> None:
        self._lines.ask("secure")

    def view_done(self, done: DoneView = NOTHING_TOLD) -> None:
        self._lines.ask("view_done", *(done.stages.get(name, 0.0) for name in STAGES))

    def views_found(self, count: int) -> None:
        self._lines.ask("views_found", count)


class RemoteWatch:
    """Lets the farm count the time of the user's code."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def begins(self, what: str) -> None:
        self._lines.ask("begins", what)

    def ends(self) -> None:
        self._lines.ask("ends")


def own_paths(assets: Sequence[Asset]) -> list[Path]:
    """Return where assets are: their order says it."""
    from pathlib import Path

    return [Path(asset.path) for asset in assets]


def close_off(walls: Walls) -> None:
    """Put this process behind its walls, for good. Nothing has started a thread yet.

    Raises:
        OSError: The system does not offer them.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    confine()
    lower_file_size()
    blank_environment.blank()
    landlock.drop_capabilities()
    landlock.stay_within(
        [walls.folder, *sandbox.devices()], read=walls.reads, listed=LISTED, ports=()
    )


def lower_file_size() -> None:
    """Bound how large a file may get."""
    import resource

    lower(resource.RLIMIT_FSIZE, FILE_BYTES)


def open_blender(walls: Walls) -> BlenderSession:
    """Open Blender, and let nothing be started or reached from then on.

    Raises:
        DeviceError: It cannot render.
        OSError: The system refuses the filter of its calls.
    """
    from worker.blender.session import BlenderSession
    from worker.render.self_test import prove_device

    session = BlenderSession(walls.device, walls.folder, threads=walls.threads)
    prove_device(session)
    seccomp.start_nothing()
    seccomp.reach_nobody()
    return session


def serve(control: Connection, lines: Lines, session: BlenderSession) -> None:
    """Render what is ordered until the other end is closed."""
    while True:
        try:
            order = Order.model_validate_json(control.recv_bytes())
        except (OSError, EOFError):
            return
        control.send_bytes(json.dumps(outcome(order, lines, session)).encode())


def outcome(order: Order, lines: Lines, session: BlenderSession) -> dict[str, Any]:
    """Render one task; return how it went, as it is sent."""
    from worker.render.task import render_task

    try:
        render_task(
            order.task,
            session=session,
            storage=RemoteResults(lines),
            attempt=order.attempt,
            worker=order.worker,
            lease=RemoteLease(lines),
            locate=own_paths,
            sink=RemoteSink(lines),
            show=RemoteShow(lines),
        )
    except FarmError as error:
        return {"error": tell_error(error)}
    except Exception as error:
        log.exception("unexpected error")
        return {"error": tell_error(error)}
    finally:
        session.free_model()  # the next task begins with the file
    return {"done": True}


def speak(output: int) -> None:
    """Let Python print where the farm listens, and let Blender's own chatter go."""
    sys.stdout = os.fdopen(os.dup(output), "w", buffering=1, errors="backslashreplace")
    sys.stderr = os.fdopen(os.dup(output), "w", buffering=1, errors="backslashreplace")
    os.dup2(output, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)


def main(control: Connection, lines: Lines) -> int:
    """Close this process off, say how that went, and serve."""
    walls = Walls.model_validate_json(control.recv_bytes())
    try:
        close_off(walls)
        session = open_blender(walls)
    except OSError as error:
        refusal = RenderError(f"this system cannot close a script off: {error.strerror}")
        control.send_bytes(json.dumps({"error": tell_error(refusal)}).encode())
        return 1
    except FarmError as error:
        control.send_bytes(json.dumps({"error": tell_error(error)}).encode())
        return 1
    from worker.scripts.watching import WATCHES

    WATCHES.append(RemoteWatch(lines))
    control.send_bytes(json.dumps({"ready": True}).encode())
    serve(control, lines, session)
    return 0


if __name__ == "__main__":
    first, *others = map(int, sys.argv[1].split(","))
    speak(1)
    code = main(Connection(first), Lines(map(Connection, others), gone=GONE))
    sys.stderr.flush()
    os._exit(code)  # Blender's own way out may crash
