"""A renderer that writes text instead of pictures and does what a test asks for.

`hold-<index>` in the storage folder (or in STAND_IN_FOLDER) makes a task wait before its first
view, `stuck-<index>` for ever and deaf; `crash-<index>`, `fail-<index>`, `lose-device-<index>` and
`no-device` are what their names say; `broken` fails every task after its `hold`, `hold-open` delays
the renderer's start. `leak-<index>` keeps 100 MB for good; `bloat-<index>` goes with the one
renderer that because of it takes memory until it is killed; `fork-<index>` starts 200 processes
that sleep.
`started/<index>.<attempt>` holds the process id of the renderer, `visible/<process id>` what it
renders on and the GPUs that it sees.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import NoReturn

from farm.errors import AssetError, DeviceError, RenderError
from farm.settings import Settings
from farm.spec.task import RenderTask
from farm.storage import FolderStorage, open_storage
from worker.attempt.celery_task import Renderer
from worker.attempt.lease import LedgerLease

LEAKS: list[bytes] = []


def open_stand_in(settings: Settings) -> Renderer:
    root = Path(os.environ.get("STAND_IN_FOLDER", settings.storage))
    storage, notes = open_storage(settings.storage), FolderStorage(root)
    pause = threading.Event()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "everything")
    notes.put(f"visible/{os.getpid()}", f"{settings.device} {visible}".encode())
    while (root / "hold-open").exists():
        pause.wait(0.02)
    if (root / "no-device").exists():
        raise DeviceError("optix:7 is not there")

    def render(task: RenderTask, *, attempt: int, worker: str, lease: LedgerLease) -> None:
        obey(root, task)
        notes.put(f"started/{task.index}.{attempt}", str(os.getpid()).encode())
        while (root / f"stuck-{task.index}").exists():
            pause.wait(0.02)
        for view in task.views:
            lease.confirm()
            while (root / f"hold-{task.index}").exists():
                pause.wait(0.02)
                lease.confirm()
            if (root / "broken").exists():
                raise RenderError("Cycles refused")
            storage.put(f"{task.dataset}/{view.name}.txt", f"attempt {attempt}".encode())
            lease.view_done()

    return render


def obey(root: Path, task: RenderTask) -> None:
    if (root / f"crash-{task.index}").exists():
        os.kill(os.getpid(), signal.SIGSEGV)
    if (root / f"fail-{task.index}").exists():
        raise AssetError("vase.blend", "there is nothing to render")
    if (root / f"lose-device-{task.index}").exists():
        raise RenderError("Cycles refused: Error: Launch failed in CUDA queue synchronize (x)")
    if (root / f"leak-{task.index}").exists():
        LEAKS.append(b"\1" * 100_000_000)
    if (root / f"fork-{task.index}").exists():
        multiply()
    if (bloat := root / f"bloat-{task.index}").exists():
        bloat.unlink()
        grow()


def grow() -> NoReturn:
    while True:
        LEAKS.append(b"\1" * 20_000_000)
        threading.Event().wait(0.01)


def multiply() -> None:
    for _ in range(200):
        if not os.fork():
            os.execlp("sleep", "sleep", "600")
    threading.Event().wait(60)
