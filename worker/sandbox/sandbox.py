"""What the renderer's process may write, read, start and reach once it has files of strangers."""

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
from worker.assets.cache import cache_folder
from worker.sandbox import blank_environment, landlock, seccomp
from worker.sandbox.runtime_files import LISTED, REPLACED, software

log = logging.getLogger(__name__)

REDIS_PORT = 6379
DEVICES = (
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/kfd",
)  # fmt: skip
DEVICE_PATTERNS = ("nvidia*", "nvidia-caps/*", "dri/*", "dxg")
OWN_THREADS = Path("/proc/self/task")
"""Drivers give their threads names."""
BEST_VERSION = landlock.TRUNCATES
"""Before it, Linux lets a process cut off files that it may not write."""


@dataclass
class Sandbox:
    """The walls around a renderer, which stay where they were built."""

    places: list[Path]
    """What it may write, and read."""
    ports: list[int] | None
    reads: list[Path] | None = None
    """What it may read beside; None: all."""
    built: dict[Path, tuple[int, int] | None] = field(default_factory=dict)
    """What each place was when the walls were built: its device and number there."""

    def close(self) -> None:
        """Let this process reach its places and ports only.

        Raises:
            OSError: This system does not offer it.
        """
        kept = (*self.places, *map(Path, REPLACED)) if self.reads is not None else self.places
        self.built = {place: identity(place) for place in kept}
        if threads() > 1:
            log.warning(
                "%d threads were running before the walls went up and stay outside", threads() - 1
            )
        landlock.drop_capabilities()
        landlock.stay_within(
            [*self.places, *devices()], read=self.reads, listed=LISTED, ports=self.ports
        )

    @property
    def misplaced(self) -> Path | None:
        """A place that is another one by now, such as a storage that was mounted again."""
        moved = (place for place, was in self.built.items() if identity(place) != was)
        return next(moved, None)


def sandbox_of(settings: Settings, shared: Path | None = None) -> Sandbox:
    """Return the walls of a worker's renderer; its places are made where they are not there.

    Args:
        settings: The worker's.
        shared: Where it finds the assets of its task; None: it finds them itself, and reads all.
    """
    places = list(places_of(settings) if shared is None else own_places(settings))
    for place in places:
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:  # whoever wants to write there will say so
            log.warning("%s is missing and cannot be made: %s", place, error.strerror)
    url = settings.redis_url.get_secret_value()
    redis = urlsplit(url)
    is_near = shared is not None or not is_bucket(settings.storage)
    ports = [redis.port or REDIS_PORT] if redis.scheme.startswith("redis") and is_near else None
    if shared is None:
        return Sandbox(places, ports)
    return Sandbox(places, ports, [*software(url), shared, *settings.shared_folders])


def places_of(settings: Settings) -> Iterator[Path]:
    """Yield the folders that a renderer writes to that finds its assets itself."""
    yield from own_places(settings)
    yield cache_folder(settings.cache)
    if not is_bucket(settings.storage):
        yield from folders_of(Path(settings.storage).absolute())


def own_places(settings: Settings) -> Iterator[Path]:
    """Yield the folders that a renderer alone writes to."""
    if settings.scratch:
        yield settings.scratch
    if settings.stream_folder:
        yield settings.stream_folder
    yield Path(tempfile.gettempdir())
    if settings.device != "cpu":
        yield from kernel_caches()


def folders_of(storage: Path) -> Iterator[Path]:
    """Yield what is written of a storage: where a farm keeps its library, not the library."""
    if next(storage.glob("jobs/*/spec.json"), None) is None:
        yield storage  # one's own folder of datasets
        return
    yield storage / "datasets"
    yield storage / "jobs"
    yield storage / "products"


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


def threads() -> int:
    """Return how many threads this process has."""
    try:
        return sum(1 for _ in OWN_THREADS.iterdir())
    except OSError:
        return 1


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
            "renderer may write and read wherever its user may"
        )
    if version < BEST_VERSION:
        return "this system's Landlock does not keep files from being cut off (Linux 6.2 does)"
    return None


def check(settings: Settings) -> None:
    """Tell once, before anything is rendered, where a renderer may do more than it should.

    Raises:
        SetupError: It may, and the settings forbid it.
    """
    lacks = shortcoming()
    if settings.sandbox == "off":
        log.warning("FARM_SANDBOX=off: a renderer may write wherever its user may")
    elif lacks and settings.sandbox == "require":
        raise SetupError(f"FARM_SANDBOX=require: {lacks}; upgrade it, or set FARM_SANDBOX=auto")
    elif lacks:
        log.warning("%s", lacks)
    if settings.read_wall == "require":
        check_read_wall(settings)
    elif not has_read_wall(settings):
        log.warning("a renderer may read wherever its user may (FARM_READ_WALL)")


def check_read_wall(settings: Settings) -> None:
    """Make sure that there is a wall around what a renderer reads.

    Raises:
        SetupError: There is none.
    """
    if settings.sandbox == "off":
        raise SetupError("FARM_READ_WALL=require needs the sandbox: leave out FARM_SANDBOX=off")
    if not landlock.version():
        raise SetupError(
            f"FARM_READ_WALL=require: {shortcoming()}; upgrade it, or set FARM_READ_WALL=auto"
        )


def has_read_wall(settings: Settings) -> bool:
    """Tell whether there is a wall around what a renderer reads."""
    return "off" not in (settings.sandbox, settings.read_wall) and landlock.version() > 0


def close_off(settings: Settings, shared: Path | None = None) -> Sandbox | None:
    """Put this process behind walls, for good; None where there are none.

    Threads that are there already stay outside: call it before anything starts one.

    Args:
        settings: The worker's.
        shared: Where it finds the assets of its task, behind a wall around what it reads.

    Raises:
        SetupError: There are none, and the settings require them.
    """
    if settings.sandbox == "off":
        return None
    sandbox = sandbox_of(settings, shared)
    blank_environment.blank()
    try:
        sandbox.close()
    except OSError as error:
        if settings.sandbox == "require":
            raise SetupError(f"FARM_SANDBOX=require: no sandbox: {error.strerror}") from error
        if settings.read_wall == "require" and shared is not None:
            raise SetupError(f"FARM_READ_WALL=require: no wall: {error.strerror}") from error
        return None
    log.info("renderer writes only below %s", ", ".join(map(str, sandbox.places)))
    if shared is not None:
        log.info("renderer reads only there, its software, and its task's assets on %s", shared)
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
