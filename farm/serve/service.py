"""`farm dispatcher`: feed the workers from the submitted jobs until told to stop."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path
from types import FrameType

from farm import expand
from farm.dispatcher import Dispatcher
from farm.errors import StorageError
from farm.feeding.book import StreamBook
from farm.feeding.feed import StreamFeed
from farm.job_store import JobStore
from farm.ledger import Ledger, open_ledger
from farm.ledger.inboxes import Affinity
from farm.ledger.steps import WaitsFor
from farm.queue import CeleryQueue, TaskQueue
from farm.serve.closing import Closer
from farm.settings import Settings
from farm.spec.task import RenderTask
from farm.storage import Storage, open_storage

log = logging.getLogger(__name__)

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class DispatcherService:
    """The dispatcher with the store of jobs, and the thread that finishes them."""

    def __init__(  # noqa: PLR0913 - the parts of a farm, each by its name
        self,
        ledger: Ledger,
        queue: TaskQueue,
        storage: Storage,
        *,
        lease_ttl_s: float,
        alive_file: Path | None = None,
        streams: StreamFeed | None = None,
    ) -> None:
        self.book = JobStore(storage)
        self.closer = Closer(ledger, storage, self.book)
        self.dispatcher = Dispatcher(
            ledger,
            queue,
            self._task,
            steps_of=self._steps,
            affinity_of=self._affinity,
            streams=streams,
            lease_ttl_s=lease_ttl_s,
            on_over=self.closer.close,
            on_aside=self.closer.look_back,
        )
        self.alive_file = alive_file
        self.epoch: str | None = None

    def run(self, stop: threading.Event) -> None:
        """Dispatch until `stop` is set."""
        self.closer.start()
        try:
            self.dispatcher.run(stop, until=self._after_step)
        finally:
            self.closer.stop()

    def _after_step(self) -> bool:
        if self.alive_file is not None:
            self.alive_file.touch()
        if self.dispatcher.epoch != self.epoch:  # we are new here, or Redis is
            self.epoch = self.dispatcher.epoch
            self.closer.look_back()
        return False

    def _task(self, job_id: str, index: int) -> RenderTask:
        job = self.book.load(job_id)
        if job is None:
            raise StorageError(
                f"jobs/{job_id}/spec.json is missing from the farm's storage; "
                f"restore it there, or run: farm cancel {job_id}"
            )
        return expand.render_task(job, index)

    def _steps(self, job_id: str) -> WaitsFor | None:
        job = self.book.load(job_id)
        return expand.waits_for(job) if job else None

    def _affinity(self, job_id: str) -> Affinity | None:
        job = self.book.load(job_id)
        return expand.affinity(job) if job else None


def serve(settings: Settings) -> None:
    """Run the dispatcher until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    redis_url = settings.redis_url.get_secret_value()
    queue = CeleryQueue(redis_url)
    try:
        ledger, storage = open_ledger(redis_url), open_storage(str(settings.storage))
        book = StreamBook(redis_url, bound_bytes=settings.stream_bytes)
        log.info("dispatching storage=%s", storage.place)
        service = DispatcherService(
            ledger,
            queue,
            storage,
            lease_ttl_s=settings.lease_ttl_s,
            alive_file=settings.alive_file,
            streams=StreamFeed(ledger, book),
        )
        service.run(stop)
    finally:
        queue.close()
