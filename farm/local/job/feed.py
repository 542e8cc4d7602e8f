"""One job on a private farm: its workers fed with tasks, and watched, until it is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import farm.dataset.preview.sheet  # noqa: F401 - will be needed, and now there is time for it
from farm.dispatcher import Dispatcher
from farm.errors import SetupError, UnreachableError
from farm.ledger import JobStatus, Ledger, TaskState, open_ledger
from farm.ledger.waiting import Steps, behind_makers, held_back
from farm.local.job.finish import FailedTask
from farm.local.job.status import Speed, Status
from farm.local.job.work import Work
from farm.local.private_farm import raise_if_unfit
from farm.queue import CeleryQueue
from farm.spec.task import RenderTask

if TYPE_CHECKING:
    from farm.dataset.records.resume import Finished
    from farm.local.private_farm import PrivateFarm

POLL_S = 0.2
"""Longest time between two looks at how the job stands."""
POLL_SHARE = 0.04
"""... and as a share of the time since it began: what is over soon is noticed sooner."""
LOST = (TaskState.FAILED, TaskState.SET_ASIDE)


class JobFeed:
    """Feeds the workers of a farm with the tasks of one job."""

    def __init__(self, farm: PrivateFarm, work: Work, finished: Finished) -> None:
        """Add the job to the farm's ledger.

        Args:
            farm: It runs.
            work: What to render.
            finished: The part of it that is rendered already.
        """
        self.farm = farm
        self.work = work
        self.finished = finished
        self.count = count = work.count
        self.ledger: Ledger = open_ledger(farm.redis.url)
        self.ledger.add_job(
            work.job_id,
            tasks=count.tasks,
            views=count.views,
            done=finished.tasks,
            views_done=finished.views_of_tasks,
            kept=finished.kept,
        )
        self.queue = CeleryQueue(farm.redis.url)

    def close(self) -> None:
        """Close the connections of the queue."""
        self.queue.close()

    def failed(self) -> Iterator[FailedTask]:
        """Yield the tasks that are not done and will not be."""
        for story in self.ledger.failures(self.work.job_id):
            if story.state in LOST:
                task = self.work.task(story.index)
                yield FailedTask(task, story.attempts[-1].sentence)

    def until_over(self, *, report: Callable[[Status], None], stop: threading.Event) -> None:
        """Feed the workers until the job is over or `stop` is set.

        Raises:
            FarmError: The job cannot be rendered here.
        """
        dispatcher = Dispatcher(
            self.ledger,
            self.queue,
            self._task,
            steps_of=lambda _: self.work.waits_for,
            affinity_of=lambda _: self.work.affinity,
        )
        speed, began = Speed(), time.monotonic()
        while not stop.wait(min(pause_s(time.monotonic() - began), dispatcher.pause_s)):
            self.farm.supervise()
            dispatcher.step()
            try:
                status, over = self._status(speed)
            except UnreachableError:
                continue  # Redis is starting again
            report(status)
            if over:
                return
            raise_if_unfit(self.ledger)

    def _status(self, speed: Speed) -> tuple[Status, bool]:
        job = self.ledger.job(self.work.job_id)
        if job is None:
            raise SetupError(
                "the job has vanished from its Redis; run the same command again: rendered "
                "views are kept"
            )
        rate = speed.rate(job.views_done - self.finished.views)
        failed = sum(job.counts[state] for state in LOST)
        given_up = round(failed * self.count.views / self.count.tasks)  # roughly: tasks differ
        left = max(self.count.views - job.views_done - given_up, 0)
        status = Status(
            views=self.count.views,
            views_there=job.views_done,
            tasks=self.count.tasks,
            tasks_done=job.counts[TaskState.DONE],
            tasks_failed=failed,
            views_per_s=rate,
            eta_s=left / rate if rate else None,
            waits_for=held_back(self.ledger, job) or self._behind_makers(job),
        )
        return status, job.over

    def _behind_makers(self, job: JobStatus) -> str | None:
        asked = self.work.waits_for
        if asked is None or job.views_done > self.finished.views:
            return None  # what goes on is worth more to be told
        steps = Steps(asked, lambda index: self.work.task(index).title)
        return behind_makers(self.ledger, job, steps)

    def _task(self, job_id: str, index: int) -> RenderTask:
        assert job_id == self.work.job_id
        return self.work.task(index)


def pause_s(elapsed_s: float) -> float:
    """Return how long to wait before looking again at a job that began so long ago."""
    return min(POLL_S, POLL_SHARE * elapsed_s)
