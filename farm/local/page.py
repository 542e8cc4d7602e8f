"""The page of a job that renders on this machine: the farm's API, reached from here alone.

It sees the job's datasets where they are, and keeps whatever else it needs in a temporary folder.
Whoever opens it may look, and change nothing: the run is steered from its terminal.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from farm import expand
from farm.api.browser.codes import SignInCodes
from farm.api.server import make_server
from farm.api.services import Services
from farm.api.settings import load_api_settings
from farm.dataset.records.resume import Finished
from farm.errors import SetupError
from farm.glimpses import GlimpseBook
from farm.job_store import JobStore, end_of, prefix_of
from farm.ledger import open_ledger
from farm.library import Library
from farm.local.processes.redis_server import PrivateRedis
from farm.local.processes.temp_folders import temp_folder
from farm.queue import CeleryQueue
from farm.spec.job import Job
from farm.storage import FolderStorage
from farm.tallies.book import TallyBook
from farm.tokens import TokenBook

HOST = "127.0.0.1"
READER = "you"
"""Who looks, as the page says it."""


@dataclass(frozen=True)
class JobPage:
    """A page that is being served."""

    job_id: str
    url: str
    """Of the API."""
    redis: PrivateRedis
    """Holds the state of the job, which the page shows."""
    services: Services
    token: str

    @property
    def place(self) -> str:
        """The page's address, for whoever is logged in."""
        return f"{self.url}/jobs/{self.job_id}"

    def address(self) -> str:
        """Return an address that logs one browser in, once, and leads to the page."""
        code = self.services.codes.give(self.token)
        return f"{self.url}/enter/{code}?next={quote(f'/jobs/{self.job_id}')}"

    def finish(self) -> None:
        """Let the page say that the job is over and its datasets are finished."""
        self.services.ledger.settle(self.job_id)
        status = self.services.ledger.job(self.job_id)
        if status is not None and status.over:
            self.services.book.save_end(self.job_id, end_of(status))


@contextmanager
def job_page(job: Job, storage: FolderStorage, finished: Finished) -> Iterator[JobPage]:
    """Serve the page of a job whose datasets are in `storage`; in the end nothing of it is left.

    Raises:
        SetupError: Redis does not start, or no port can be had.
    """
    with ExitStack() as ending:
        folder = ending.enter_context(temp_folder())
        redis = ending.enter_context(PrivateRedis(folder / "redis"))
        services = ending.enter_context(services_of(folder, redis.url))
        write_down(services, job, storage, finished)
        token, _ = services.tokens.create(READER, "read")
        port = ending.enter_context(serving(services))
        yield JobPage(job.job_id, f"http://{HOST}:{port}", redis, services, token)


@contextmanager
def services_of(folder: Path, redis_url: str) -> Iterator[Services]:
    """Yield the parts of a farm of one job, in a folder of its own."""
    storage = FolderStorage(folder / "page")
    with (
        closing(CeleryQueue(redis_url)) as queue,
        closing(GlimpseBook(redis_url)) as glimpses,
        closing(TallyBook(redis_url)) as tallies,
    ):
        yield Services(
            ledger=open_ledger(redis_url),
            queue=queue,
            storage=storage,
            library=Library(storage),
            book=JobStore(storage),
            tokens=TokenBook(storage),
            settings=load_api_settings(spool=folder / "spool"),
            glimpses=glimpses,
            tallies=tallies,
            codes=SignInCodes(good_s=float("inf")),  # whoever reads the terminal may be slow
        )


def write_down(services: Services, job: Job, storage: FolderStorage, finished: Finished) -> None:
    """Make a job known to the page, with its datasets where they are."""
    place = services.storage.local_path(prefix_of(job.job_id))
    assert place is not None
    place.parent.mkdir(parents=True)
    place.symlink_to(storage.root, target_is_directory=True)
    services.book.save(job.model_copy(update={"prefix": prefix_of(job.job_id)}))
    count = expand.count(job)
    services.ledger.add_job(
        job.job_id,
        tasks=count.tasks,
        views=count.views,
        name=job.spec.dataset_name or storage.root.name,
        recipe=job.spec.recipe.kind,
        done=finished.tasks,
        views_done=finished.views_of_tasks,
        kept=finished.kept,
    )


@contextmanager
def serving(services: Services) -> Iterator[int]:
    """Serve the API from a thread; yield its port.

    Raises:
        SetupError: No port can be had.
    """
    with socket.socket() as listener:
        try:
            listener.bind((HOST, 0))
            listener.listen()  # who comes before the server has begun waits for it
        except OSError as error:
            raise SetupError(f"{HOST}: no port can be had: {error.strerror}") from None
        port = int(listener.getsockname()[1])
        server = make_server(services, host=HOST, port=port)
        thread = threading.Thread(target=server.run, args=([listener],), name="page", daemon=True)
        thread.start()
        try:
            yield port
        finally:
            services.job_feed.close()
            server.should_exit = True
            thread.join()
