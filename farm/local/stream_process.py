"""`python -m farm.local.stream_process`: a private farm for streams, which ends with its owner.

The owner writes lines to its standard input: an `Order`, then a job for each stream. It answers
with an `Answer`, then with the id of each job that has begun. It ends when its input ends, or when
its owner is gone, however that happens.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from farm import expand
from farm.dispatcher import Dispatcher
from farm.errors import FarmError, StorageError, UnreachableError
from farm.feeding.book import StreamBook
from farm.feeding.feed import StreamFeed
from farm.ledger import Ledger, open_ledger
from farm.ledger.inboxes import Affinity
from farm.ledger.steps import WaitsFor
from farm.local.private_farm import PrivateFarm, private_farm, raise_if_unfit
from farm.queue import CeleryQueue
from farm.spec.base import Spec
from farm.spec.job import Job
from farm.spec.task import RenderTask


class Order(Spec):
    """What kind of farm is to be started."""

    devices: tuple[str, ...]
    """One for each worker."""
    words_file: str
    """Where it writes why it ended by itself."""


class Answer(Spec):
    """Where the farm is."""

    redis_url: str
    samples: str | None
    """Folder in memory through which samples go."""
    bound_bytes: int


class StreamJobs:
    """The streams of this farm; the dispatcher asks for their tasks."""

    def __init__(self, ledger: Ledger, book: StreamBook) -> None:
        self.ledger = ledger
        self.book = book
        self.jobs: dict[str, Job] = {}
        self.error: Exception | None = None
        """Why a stream could not begin."""

    def add(self, job: Job) -> None:
        """Begin a stream."""
        assert job.stream is not None
        self.jobs[job.job_id] = job
        count = expand.count(job)
        self.ledger.add_job(job.job_id, tasks=count.tasks, views=count.views)
        self.book.open(job.job_id, job.stream, stride=job.spec.views_per_task)

    def task(self, job_id: str, index: int) -> RenderTask:
        return expand.render_task(self._job(job_id), index)

    def steps(self, job_id: str) -> WaitsFor | None:
        return expand.waits_for(self._job(job_id))

    def affinity(self, job_id: str) -> Affinity | None:
        return expand.affinity(self._job(job_id))

    def _job(self, job_id: str) -> Job:
        try:
            return self.jobs[job_id]
        except KeyError:
            raise StorageError(f"{job_id} is not a stream of this farm") from None


def main() -> None:
    """Run until the owner is gone."""
    owner, stop = os.getppid(), threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the owner ends it in its time
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    order = Order.model_validate_json(sys.stdin.readline())
    try:
        with private_farm(list(order.devices), None, streams=True) as farm:
            serve(farm, sys.stdin, stop, lambda: os.getppid() == owner)
    except FarmError as error:
        Path(order.words_file).write_text(str(error), encoding="utf-8")
        raise SystemExit(1) from None
    finally:
        if os.getppid() != owner:
            Path(order.words_file).unlink(missing_ok=True)


def serve(
    farm: PrivateFarm, orders: TextIO, stop: threading.Event, is_owned: Callable[[], bool]
) -> None:
    """Feed the workers of a farm until `stop` is set, or nobody owns it."""
    bound_bytes = farm.stream_bytes
    ledger, book = open_ledger(farm.redis.url), StreamBook(farm.redis.url, bound_bytes=bound_bytes)
    jobs, queue = StreamJobs(ledger, book), CeleryQueue(farm.redis.url)
    dispatcher = Dispatcher(
        ledger,
        queue,
        jobs.task,
        steps_of=jobs.steps,
        affinity_of=jobs.affinity,
        streams=StreamFeed(ledger, book),
    )
    answer = Answer(
        redis_url=farm.redis.url,
        samples=str(farm.stream_folder) if farm.stream_folder else None,
        bound_bytes=bound_bytes,
    )
    print(answer.model_dump_json(), flush=True)  # noqa: T201  the answer that the owner waits for
    threading.Thread(target=take_orders, args=(orders, jobs, stop), daemon=True).start()
    try:
        while not stop.is_set() and is_owned():
            farm.supervise()
            with suppress(UnreachableError):  # Redis is starting again
                if dispatcher.step():
                    raise_if_unfit(ledger)
            dispatcher.rest(stop)
    finally:
        queue.close()
    if jobs.error is not None:
        raise FarmError(f"the stream cannot begin: {jobs.error}") from jobs.error


def take_orders(orders: TextIO, jobs: StreamJobs, stop: threading.Event) -> None:
    """Begin the streams that the owner asks for; stop when it asks no more."""
    try:
        for line in orders:
            job = Job.model_validate_json(line)
            jobs.add(job)
            print(job.job_id, flush=True)  # noqa: T201  the owner waits for it
    except Exception as error:  # noqa: BLE001  the door of the thread: the owner must hear of it
        jobs.error = error
    finally:
        stop.set()


if __name__ == "__main__":
    main()
