"""The one warm Blender of a worker's child, behind its walls."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

from farm.errors import AssetError, DeviceError, TaskError
from farm.ledger import Ledger
from farm.library import Library
from farm.products import Manifest
from farm.settings import Settings
from farm.spec.asset import Asset
from farm.spec.task import Need, RenderTask, Ticket
from farm.storage import open_storage
from worker.assets.cache import AssetCache, Make, cache_folder, own_path
from worker.assets.products import StoredProducts, Workshop
from worker.attempt.lease import LedgerLease, insist
from worker.blender.scratch import LastMade
from worker.courier.channel import GONE, CourierChannel
from worker.courier.shared_folder import new_shared_folder
from worker.render.results import Results
from worker.sandbox import sandbox
from worker.sandbox.sandbox import Sandbox

if TYPE_CHECKING:  # bpy is imported behind the walls, not by whoever imports this
    from farm.feeding.sink import Sink
    from worker.blender.session import BlenderSession
    from worker.render.writers.writer import Show

log = logging.getLogger(__name__)

RENEWED = 0
"""Exit code of a renderer that makes room for a fresh one."""
SUSPECT = (
    "the wall around the files that a renderer reads may be the reason: `farm doctor "
    "--only device` tries with and without it, FARM_READ_WALL=off turns it off"
)


class TaskFiles(Protocol):
    """Where a renderer gets its assets, and leaves its results."""

    @property
    def results(self) -> Results: ...

    @property
    def workshop(self) -> Workshop: ...

    @property
    def problem(self) -> str | None:
        """Why a fresh renderer must take the place of this one; None where it need not."""

    def begin(self, task: RenderTask) -> None:
        """Get ready for a task."""

    def hold(self, assets: Sequence[Asset]) -> list[Path]: ...


@dataclass
class LocalFiles:
    """All is within reach."""

    results: Results
    assets: AssetCache
    workshop: Workshop
    problem: str | None = None

    def begin(self, task: RenderTask) -> None:
        """Nothing stands between it and what it needs."""

    def hold(self, assets: Sequence[Asset]) -> list[Path]:
        return self.assets.hold(assets)


@dataclass
class CourierFiles:
    """A courier brings it; only what was submitted by its path is read where it is."""

    results: CourierChannel
    workshop: Workshop

    @property
    def problem(self) -> str | None:
        return None if self.results.is_open else GONE

    def begin(self, task: RenderTask) -> None:
        self.results.read_back(task)

    def hold(self, assets: Sequence[Asset]) -> list[Path]:
        brought = iter(self.results.hold([asset for asset in assets if asset.in_library]))
        return [next(brought) if asset.in_library else shared_path(asset) for asset in assets]


def shared_path(asset: Asset) -> Path:
    """Return the path that an asset names itself.

    Raises:
        AssetError: Nothing is there, or not for a renderer to read.
    """
    path = own_path(asset)
    try:
        path.open("rb").close()
    except PermissionError as error:
        raise AssetError(
            asset.path,
            "may not be read by this worker's renderer (FARM_READ_WALL): add its folder to "
            "the worker's FARM_SHARED_STORAGE, or submit without --on-shared-storage",
        ) from error
    return path


class CourierShelf:
    """Keeps what is made of assets in the cache, by way of the courier."""

    def __init__(self, channel: CourierChannel) -> None:
        self._channel = channel
        self._last_made = LastMade()

    def made(self, key: str, make: Make) -> Path:
        """Return the folder that `make` filled, now or before; it stays until the next one.

        Raises:
            StorageError: There is no room for it.
        """
        if found := self._channel.find_made(key):
            return found
        folder = self._last_made.made(key, make)
        try:
            kept = self._channel.keep_made(key, folder)
        except TaskError as error:
            log.warning("what was made of an asset was not kept: %s", error)
            return folder
        self._last_made.close()
        return kept


@dataclass
class CourierProducts:
    """Products by way of the courier."""

    channel: CourierChannel

    def is_sound(self, product: str) -> bool:
        return self.channel.product_is_sound(product)

    def hold(self, need: Need | None) -> Path | None:
        return self.channel.hold_product(need)

    def bring(self, product: str, folder: Path) -> Manifest:
        return self.channel.bring_product(product, folder)

    def seal(self, product: str, manifest: Manifest) -> None:
        self.channel.seal_product(product, manifest)


@dataclass
class BlenderRenderer:
    """Renders tasks; `results` is where their logs go, too."""

    session: BlenderSession
    files: TaskFiles
    walls: Sandbox | None
    sink: Sink | None = None
    """Where the views of streams go."""
    show: Show | None = None
    """Where small pictures of finished views go."""

    @property
    def results(self) -> Results:
        return self.files.results

    def __call__(self, task: RenderTask, *, attempt: int, worker: str, lease: LedgerLease) -> None:
        from worker.render.task import render_task

        if self.walls and self.walls.misplaced:
            reason = f"{self.walls.misplaced} has become another place since the renderer started"
            renew(lease.ledger, lease.ticket, reason)
        if self.files.problem:
            renew(lease.ledger, lease.ticket, self.files.problem)
        self.files.begin(task)
        render_task(
            task,
            session=self.session,
            storage=self.results,
            attempt=attempt,
            worker=worker,
            lease=lease,
            locate=self.files.hold,
            workshop=self.files.workshop,
            sink=self.sink,
            show=self.show,
        )


def open_blender(settings: Settings) -> BlenderRenderer:
    """Open the one warm Blender of this process, behind walls that stay.

    Raises:
        FarmError: The device, or the storage, cannot be used.
    """
    assert settings.scratch is not None
    if not sandbox.has_read_wall(settings):
        walls = sandbox.close_off(settings)
        session, own = warm(settings), open_local_files(settings)
        session.environment.shelf = own.assets
        return BlenderRenderer(session, own, walls, sink_of(settings), show_of(settings))
    cache = cache_folder(settings.cache)
    channel, shared = open_channel(settings, cache)
    walls = sandbox.close_off(settings, shared)
    with suspecting_the_wall():
        session = warm(settings)
    channel.greet()
    session.environment.shelf = CourierShelf(channel)
    workshop = Workshop(CourierProducts(channel), Path(tempfile.gettempdir()))
    files = CourierFiles(channel, workshop)
    return BlenderRenderer(session, files, walls, sink_of(settings), show_of(settings))


def sink_of(settings: Settings) -> Sink:
    """Return where the views of streams go; nothing is opened before there is one.

    It imports NumPy, which starts threads: after the walls are up.
    """
    from farm.feeding.sink import open_sink

    return open_sink(
        settings.redis_url.get_secret_value(),
        bound_bytes=settings.stream_bytes,
        folder=settings.stream_folder,
    )


def show_of(settings: Settings) -> Show:
    """Return where small pictures of finished views go."""
    from farm.glimpses import GlimpseBook

    book = GlimpseBook(settings.redis_url.get_secret_value())
    return partial(book.show, worker=settings.worker_id)


def warm(settings: Settings) -> BlenderSession:
    """Open Blender, let it prove that it renders, and let nothing be started any more.

    Raises:
        DeviceError: It cannot render.
    """
    from worker.blender.session import BlenderSession
    from worker.render.self_test import prove_device

    assert settings.scratch is not None
    session = BlenderSession(settings.device, settings.scratch, threads=settings.threads)
    prove_device(session)
    sandbox.start_nothing_more(settings)
    return session


def open_local_files(settings: Settings) -> LocalFiles:
    """Open the storage and the cache for a renderer that reads them itself."""
    storage = open_storage(settings.storage)
    assets = AssetCache(Library(storage), cache_folder(settings.cache), settings.cache_bytes)
    folder = Path(tempfile.gettempdir())  # the worker's own: what is there goes with it
    return LocalFiles(storage, assets, Workshop(StoredProducts(storage, folder), folder))


def open_channel(settings: Settings, cache: Path) -> tuple[CourierChannel, Path]:
    """Start the courier; return how it is asked, and where it brings assets to."""
    assert settings.scratch is not None
    written = list(sandbox.own_places(settings))
    try:
        shared = new_shared_folder(cache, written=written)
    except OSError as error:
        log.warning("%s: cannot be written (%s); assets are copied", cache, error.strerror)
        shared = new_shared_folder(settings.scratch, written=written)
    arguments = [str(shared.folder), str(shared.lock), "links" if shared.links else "copies"]
    environment = os.environ | settings.environment()
    return CourierChannel(arguments, environment=environment, keep=[shared.lock]), shared.folder


@contextlib.contextmanager
def suspecting_the_wall() -> Iterator[None]:
    """Add to a failure that a file which cannot be read may be the reason.

    Raises:
        DeviceError: Something failed.
    """
    try:
        yield
    except DeviceError as error:
        raise DeviceError(f"{error}; {SUSPECT}") from error
    except Exception as error:
        log.warning("Blender cannot be opened", exc_info=True)
        raise DeviceError(f"{type(error).__name__}: {error}; {SUSPECT}") from error


def renew(ledger: Ledger, ticket: Ticket, reason: str) -> NoReturn:
    """Hand the task back and let a fresh process have it; nobody is charged."""
    log.info("renderer renewed reason=%s", reason)
    insist(lambda: ledger.release(ticket))
    raise SystemExit(RENEWED)
