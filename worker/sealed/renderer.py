"""The renderer of tasks whose script is the user's: each job has a process of its own."""

from __future__ import annotations

import errno
import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from farm.errors import AssetError, RenderError, TaskError
from farm.feeding.sink import open_sink
from farm.glimpses import GlimpseBook
from farm.settings import Settings
from farm.spec.asset import Asset
from farm.spec.task import RenderTask
from farm.storage import Storage, open_storage
from worker.assets.cache import cache_folder, own_path
from worker.courier.process import Courier, open_courier
from worker.courier.shared_folder import new_shared_folder
from worker.render.lease import Lease
from worker.render.results import Results
from worker.render.writers.record_book import RecordBook
from worker.render.writers.streamed_views import SampleSink, StreamedViews
from worker.sandbox import landlock, sandbox, seccomp
from worker.sealed.door import Door
from worker.sealed.orders import Order
from worker.sealed.sealed_process import SealedProcess

log = logging.getLogger(__name__)


class SealedRenderer:
    """Renders tasks in processes that have nothing but their job's files."""

    def __init__(self, settings: Settings) -> None:
        self._problem = problem(settings)
        self._settings = settings
        self._storage = open_storage(settings.storage)
        self._sink = open_sink(
            settings.redis_url.get_secret_value(),
            bound_bytes=settings.stream_bytes,
            folder=settings.stream_folder,
        )
        self._glimpses = GlimpseBook(settings.redis_url.get_secret_value())
        self._courier: Courier | None = None
        self._copies: dict[str, Path] = {}
        """Of scripts, by content: where they lie apart from their user's other files."""
        self._process: SealedProcess | None = None
        self._of: tuple[str, tuple[Path, ...]] | None = None

    @property
    def results(self) -> Results:
        """Where logs go, too."""
        return self._storage

    def __call__(self, task: RenderTask, *, attempt: int, worker: str, lease: Lease) -> None:
        """Render a task.

        Raises:
            TaskError: It cannot continue.
        """
        if self._problem is not None:
            raise RenderError(self._problem)
        here = self._brought(task)
        door = Door(
            task,
            self._storage,
            lease,
            attempt=attempt,
            sink=self._sink,
            show=partial(self._glimpses.show, worker=self._settings.worker_id),
        )
        process = self._process_for(task.job_id, here)
        process.render(Order(task=here, attempt=attempt, worker=worker), door)
        check_all_there(task, self._storage, attempt, self._sink)

    def close(self) -> None:
        """End the process, and remove what was made for it."""
        self._end()
        self._glimpses.close()
        while self._copies:
            shutil.rmtree(self._copies.popitem()[1], ignore_errors=True)

    def _end(self) -> None:
        if self._process is not None:
            self._process.close()
        self._process = self._of = None

    def _process_for(self, job_id: str, here: RenderTask) -> SealedProcess:
        """Return the process of a job; that of another one ends."""
        reads = tuple(reads_of(here.assets))
        if self._process is not None and (
            self._of != (job_id, reads) or not self._process.is_alive
        ):
            self._end()
        if self._process is None:
            [script] = here.of("script")
            self._process = SealedProcess(self._settings, script.name, reads)
            self._of = (job_id, reads)
        return self._process

    def _brought(self, task: RenderTask) -> RenderTask:
        """Return a task with the paths of its assets on this machine."""
        library = [asset for asset in task.assets if asset.in_library]
        brought = iter(self._courier_of().hold(library) if library else ())
        assets = tuple(
            asset.model_copy(
                update={"path": str(next(brought) if asset.in_library else own_path(asset))}
            )
            for asset in task.assets
        )
        for asset in assets:
            check_own(asset, self._settings)
            check_readable(asset)
        here = tuple(self._apart(asset) for asset in assets)
        return task.model_copy(update={"assets": here})

    def _apart(self, asset: Asset) -> Asset:
        """Return a script that lies among its user's files where nothing but its modules is.

        Python looks through the folder of a module that it imports.

        Raises:
            AssetError: A module is not there any more.
        """
        if asset.kind != "script" or asset.in_library or not asset.dependencies:
            return asset
        folder = self._copies.get(asset.content)
        source = Path(asset.path)
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="modules-", dir=self._settings.scratch))
            self._copies[asset.content] = folder
            try:
                copy_modules(source, [file.path for file in asset.dependencies], folder)
            except OSError as error:
                raise AssetError(asset.path, f"a module of it: {error.strerror}") from error
        return asset.model_copy(update={"path": str(folder / source.name)})

    def _courier_of(self) -> Courier:
        if self._courier is None:
            folder = new_shared_folder(cache_folder(self._settings.cache))
            self._courier = open_courier(self._settings, folder)
        return self._courier


def open_sealed(settings: Settings) -> SealedRenderer:
    """Open the renderer of tasks with scripts; where it can close none off, it says so of each."""
    return SealedRenderer(settings)


def problem(settings: Settings) -> str | None:
    """Return why no script can be run here; None where it can."""
    if settings.sandbox == "off":
        return "scripts run behind walls or not at all: leave out FARM_SANDBOX=off"
    if not (landlock.version() and seccomp.offered()):
        return (
            "scripts run behind walls or not at all, and this machine has none: it takes Linux "
            "5.13 or newer with Landlock, on x86-64 or aarch64, in a container that allows it"
        )
    return None


def copy_modules(script: Path, modules: Sequence[str], folder: Path) -> None:
    """Copy a script and the modules that lie beside it into a folder.

    Raises:
        OSError: One cannot be read.
    """
    shutil.copyfile(script, folder / script.name)
    for module in modules:
        if not is_below(module):
            raise FileNotFoundError(errno.ENOENT, "does not lie beside the script")
        (folder / module).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(script.parent / module, folder / module)


def is_below(path: str) -> bool:
    """Say whether a relative path leads to somewhere below where it begins."""
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts


def check_own(asset: Asset, settings: Settings) -> None:
    """Make sure that a file which was submitted where it lies is in a folder that all share.

    A link in such a folder may lead anywhere. On one's own machine all files are one's own.

    Raises:
        AssetError: It is not.
    """
    if asset.in_library or not sandbox.has_read_wall(settings):
        return
    path = Path(asset.path)
    shared = [folder.resolve() for folder in settings.shared_folders]
    for file in (path, *(path.parent / each.path for each in asset.dependencies)):
        if not any(file.resolve().is_relative_to(folder) for folder in shared):
            raise AssetError(
                str(file),
                "may not be read by this worker's renderer (FARM_READ_WALL): add its folder to "
                "the worker's FARM_SHARED_STORAGE, or submit without --on-shared-storage",
            )


def check_readable(asset: Asset) -> None:
    """Make sure that a file is there.

    Raises:
        AssetError: It is not.
    """
    try:
        Path(asset.path).open("rb").close()
    except OSError as error:
        raise AssetError(asset.path, f"cannot be read: {error.strerror}") from error


def reads_of(assets: Sequence[Asset]) -> Iterator[Path]:
    """Yield what a process may read of its job's assets.

    Of the library, what belongs to them. Of a file that was submitted where it lies, what was found
    to belong to it; where nobody looked, its folder, unless that holds all that its user has.
    """
    for asset in assets:
        path = Path(asset.path).resolve()
        yield path
        if asset.in_library:
            yield next((each for each in path.parents if each.name == asset.content), path)
        elif asset.kind == "script" and asset.dependencies:
            yield path.parent  # which was made for it
        elif asset.dependencies:
            yield from ((path.parent / file.path).resolve() for file in asset.dependencies)
        elif asset.kind == "scene" and not Path.home().resolve().is_relative_to(path.parent):
            yield path.parent


def check_all_there(task: RenderTask, storage: Storage, attempt: int, sink: SampleSink) -> None:
    """Make sure that all views of a task are there whose process says that they are.

    Raises:
        TaskError: Some are not.
    """
    book = StreamedViews(task, sink) if task.stream else RecordBook(task, storage, attempt)
    missing = [view.name for view in task.views if not book.has(view)]
    if missing:
        [script] = task.of("script")
        raise TaskError(
            f"{script.name}: its process says that it is done, and {missing[0]} is not there"
        )
