"""Everything this project raises on purpose, sorted by what to do about it.

FarmError
├── SpecError            a person must edit what was asked for
│   └── SetupError       ... or install or free something on this machine
├── TaskError            one task cannot go on; the others can
│   ├── AssetError       the model or HDRI is at fault: the same every time
│   ├── RenderError      the renderer refused: worth another attempt
│   ├── StorageError     the shared storage is full or away: not the task's fault
│   └── StaleAttempt     somebody else holds this task now: drop the work
├── DeviceError          this worker cannot use its device
└── UnreachableError     Redis is away: wait, it comes back
"""

from __future__ import annotations


class FarmError(Exception):
    """Base of all; its text is one sentence that a user can act on."""


class SpecError(FarmError):
    """A spec, flag or file name that a person must change."""


class SetupError(SpecError):
    """Something that a person must install, start or free on this machine."""


class TaskError(FarmError):
    """A task that cannot go on. `cause` is the key under which attempts are counted."""

    cause = "unknown"
    retry = True


class AssetError(TaskError):
    """An asset that fails the same way every time."""

    cause = "asset"
    retry = False

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)  # every argument, so that it pickles
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class RenderError(TaskError):
    """A view that Cycles did not deliver."""

    cause = "render"


class StorageError(TaskError):
    """Storage that cannot be written or read now."""

    cause = "storage"


class StaleAttempt(TaskError):
    """An attempt that the ledger has given to somebody else."""

    cause = "stale"
    retry = False


class DeviceError(FarmError):
    """A device that cannot be used as asked; the worker must stop, loudly."""


class UnreachableError(FarmError):
    """Redis, which is away now; what waits for it goes on when it is back."""
