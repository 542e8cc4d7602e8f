"""What the renderer's process may write, start and reach once it reads files of strangers."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from farm.errors import SetupError
from farm.settings import Settings
from farm.storage import is_bucket
from worker import landlock, seccomp
from worker.cache import cache_folder

log = logging.getLogger(__name__)

REDIS_PORT = 6379
DEVICES = (
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/kfd",
)  # fmt: skip
DEVICE_PATTERNS = ("nvidia*", "nvidia-caps/*", "dri/*")
OWN_THREADS = Path("/proc/self/task")
"""Drivers give their threads names."""
BEST_VERSION = landlock.TRUNCATES
"""Before it, Linux lets a process cut off files that it may not write."""


@dataclass
class Sandbox:
    """The walls around a renderer, which stay where they were built."""

    places: list[Path]
    ports: list[int] | None
    built: dict[Path, tuple[int, int] | None] = field(default_factory=dict)
    """What each place was when the walls were built: its device and number there."""

    def close(self) -> None:
        """Let this process write below `places` only, and connect to `ports` only.

        Raises:
            OSError: This system does not offer it.
        """
        self.built = {place: identity(place) for place in self.places}
        landlock.drop_capabilities()
        landlock.write_only_below([*self.places, *devices()], ports=self.ports)

    @property
    def misplaced(self) -> Path | None:
        """A place that is another one by now, such as a storage that was mounted again."""
        moved = (place for place, was in self.built.items() if identity(place) != was)
        return next(moved, None)


def sandbox_of(settings: Settings) -> Sandbox:
    """Return the walls of a worker's renderer; its places are made where they are not there."""
    places = list(places_of(settings))
    for place in places:
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:  # whoever wants to write there will say so
            log.warning("%s is not there and cannot be made: %s", place, error.strerror)
    redis = urlsplit(settings.redis_url.get_secret_value())
    is_near = redis.scheme.startswith("redis") and not is_bucket(settings.storage)
    return Sandbox(places, [redis.port or REDIS_PORT] if is_near else None)


def places_of(settings: Settings) -> Iterator[Path]:
    """Yield the folders that a renderer writes to."""
    if settings.scratch:
        yield settings.scratch
    yield Path(tempfile.gettempdir())
    yield cache_folder(settings.cache)
    if not is_bucket(settings.storage):
        yield from folders_of(Path(settings.storage).absolute())
    if settings.device != "cpu":
        yield from kernel_caches()


def folders_of(storage: Path) -> Iterator[Path]:
    """Yield what is written of a storage: where a farm keeps its library, not the library."""
    if next(storage.glob("jobs/*/spec.json"), None) is None:
        yield storage  # one's own folder of datasets
        return
    yield storage / "datasets"
    yield storage / "jobs"


def kernel_caches() -> Iterator[Path]:
    """Yield where the driver keeps the kernels that it compiles."""
    user = os.environ.get("USER") or os.environ.get("LOGNAME") or "root"
    yield Path(os.environ.get("CUDA_CACHE_PATH") or Path.home() / ".nv")
    yield Path(os.environ.get("OPTIX_CACHE_PATH") or f"/var/tmp/OptixCache_{user}")


def devices() -> Iterable[Path]:
    """Return what is no file, but opened for writing: GPUs and their like."""
    yield from map(Path, DEVICES)
    yield OWN_THREADS
    for pattern in DEVICE_PATTERNS:
        yield from Path("/dev").glob(pattern)


def identity(place: Path) -> tuple[int, int] | None:
    """Return what tells a folder from another of its name; None where it is not there."""
    try:
        known = place.stat()
    except OSError:
        return None
    return known.st_dev, known.st_ino


def shortcoming() -> str | None:
    """Return what this system lacks to keep a renderer in its own folders; None where nothing."""
    version = landlock.version()
    if not version:
        return (
            "this system has no Landlock (Linux 5.13 or newer), or its container forbids it: a "
            "renderer may write wherever its user may"
        )
    if version < BEST_VERSION:
        return "this system's Landlock does not keep files from being cut off (Linux 6.2 does)"
    return None


def check(settings: Settings) -> None:
    """Tell once, before anything is rendered, where a renderer may write more than it should.

    Raises:
        SetupError: It may, and the settings forbid it.
    """
    lacks = shortcoming()
    if settings.sandbox == "off":
        log.warning("FARM_SANDBOX=off: a renderer may write wherever its user may")
    elif lacks and settings.sandbox == "require":
        raise SetupError(f"FARM_SANDBOX=require: {lacks}; renew it, or set FARM_SANDBOX=auto")
    elif lacks:
        log.warning("%s", lacks)


def close_off(settings: Settings) -> Sandbox | None:
    """Put this process behind walls, for good; None where there are none.

    Raises:
        SetupError: There are none, and the settings require them.
    """
    if settings.sandbox == "off":
        return None
    sandbox = sandbox_of(settings)
    try:
        sandbox.close()
    except OSError as error:
        if settings.sandbox == "require":
            raise SetupError(f"FARM_SANDBOX=require: no sandbox: {error.strerror}") from error
        return None
    log.info("renderer writes only below %s", ", ".join(map(str, sandbox.places)))
    return sandbox


def start_nothing_more(settings: Settings) -> None:
    """Let this process start no process or program from now on; drivers that do have done so.

    Raises:
        SetupError: The system refuses, and the settings require it.
    """
    if settings.sandbox == "off" or not seccomp.offered():
        return
    try:
        seccomp.start_nothing()
    except OSError as error:
        if settings.sandbox == "require":
            raise SetupError(f"FARM_SANDBOX=require: no filter: {error.strerror}") from error


if __name__ == "__main__":  # asked by `farm doctor`, which must not import the worker
    sys.stdout.write(shortcoming() or "")
