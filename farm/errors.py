"""Everything this project raises on purpose, sorted by what to do about it.

FarmError
├── SpecError            a person must edit the request
│   └── SetupError       ... or install or free something on this machine
├── TaskError            one task cannot continue; the others can
│   ├── AssetError       the model or HDRI is at fault: the same every time
│   ├── ScriptError      the user's own script is at fault: the same every time
│   ├── UnsettledError   the things of a scene do not come to rest: the same every time
│   ├── RenderError      the renderer refused: worth another attempt
│   ├── GpuMemoryError   ... since the GPU has too little memory: another GPU may have more
│   ├── UnusablePictureError  views that came out wrong: worth another attempt; the others are kept
│   │   ├── OutOfFrameError  ... since nothing of the model is in them: the same every time
│   │   └── ChangedViewError  ... since they are not the views any more that a dataset has
│   ├── ProductError     a product of another task is missing or damaged: it is made again
│   ├── StorageError     the shared storage is full or away: not the task's fault
│   │   └── UnreadableJobError  ... or what it has of one job cannot be read here: others can
│   ├── StaleAttempt     somebody else holds this task now: drop the work
│   └── Interrupted      the worker stops: finish what is rendered, hand the rest back
├── DeviceError          this worker cannot use its device
├── RequestRefusedError  the farm's server said no; its sentence says what to do
│   ├── LoginError       no login, or a token that the server does not take
│   └── NotFoundError    the requested thing does not exist
├── TransferError        files that did not arrive whole: run the same command again to resume
├── StreamError          samples that cannot be handed on; its sentence says what to change
├── DamagedLedgerError   the data of one job in Redis is damaged: the others continue
└── UnreachableError     Redis, or the farm's server, is away: wait for it
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class FarmError(Exception):
    """Base of all; its text is one sentence that a user can act on."""


class SpecError(FarmError):
    """A spec, flag or file name that a person must change."""


class SetupError(SpecError):
    """Something that a person must install, start or free on this machine."""


class TaskError(FarmError):
    """A task that cannot continue. `cause` is the key under which attempts are counted."""

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


class ScriptError(TaskError):
    """A user's script that fails, or does what it may not; the text begins with its file."""

    cause = "script"
    retry = False


class UnsettledError(TaskError):
    """Things of a scene that do not come to rest, however often they are let go."""

    cause = "unsettled"
    retry = False


class RenderError(TaskError):
    """A view that Cycles did not deliver."""

    cause = "render"


class GpuMemoryError(TaskError):
    """A view that does not fit into the GPU's memory."""

    cause = "gpu_memory"


class UnusablePictureError(TaskError):
    """Views whose pictures must not count; the other views of their task do."""

    cause = "picture"


class OutOfFrameError(UnusablePictureError):
    """Views in which nothing of the model is to be seen."""

    cause = "out_of_frame"
    retry = False


class ChangedViewError(UnusablePictureError):
    """Views that would not come out as a dataset has them: nothing is added to those."""

    cause = "changed"
    retry = False


class ProductError(TaskError):
    """A product that is missing or damaged; the task that makes it is put back."""

    cause = "product"

    def __init__(self, product: str, made_by: int | str, reason: str) -> None:
        super().__init__(product, made_by, reason)  # every argument, so that it can be sent
        self.product = product
        self.made_by = int(made_by)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.product}: {self.reason}; task {self.made_by} makes it again"


class StorageError(TaskError):
    """Storage that cannot be written or read now."""

    cause = "storage"


class UnreadableJobError(StorageError):
    """What is kept of a job cannot be read here; the others can."""


class StaleAttempt(TaskError):
    """A task that the ledger has given to another attempt."""

    cause = "stale"
    retry = False


class Interrupted(TaskError):
    """An attempt that ends after the current view because its worker was asked to stop."""

    cause = "interrupted"
    retry = False


class DeviceError(FarmError):
    """A device that cannot be used as asked; the worker must stop, loudly."""


class RequestRefusedError(FarmError):
    """A request that the farm's server did not grant; `status` is HTTP's number for why."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence, status)  # every argument, so that it pickles
        self.sentence = sentence
        self.status = status

    def __str__(self) -> str:
        return self.sentence


class LoginError(RequestRefusedError):
    """No login, or one that the server does not take."""


class NotFoundError(RequestRefusedError):
    """A job, task or file that the server does not have."""


class TransferError(FarmError):
    """Files that could not be transferred whole."""


class StreamError(FarmError):
    """Samples that cannot be sent, or that are not what they should be."""


class DamagedLedgerError(FarmError):
    """Damaged data in Redis; it is renamed, and everything else continues."""

    def __init__(self, kind: str, name: str, reason: str) -> None:
        super().__init__(kind, name, reason)  # every argument, so that it pickles
        self.kind = kind
        """`job`, `worker`, `node`, `message`, or `key` for what all share."""
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"in Redis, the {self.kind} {self.name!r} is damaged: {self.reason}"


class UnreachableError(FarmError):
    """Redis or the farm's server is away; whatever waits for it continues when it is back."""


@contextmanager
def needing(what: str, remedy: str) -> Iterator[None]:
    """Turn a missing package that code inside imports into a sentence.

    Args:
        what: Beginning of the sentence, such as `a worker needs`.
        remedy: What installs the package.

    Raises:
        SetupError: A package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise SetupError(f"{what} {error.name}, which is not installed: {remedy}") from None
