"""A whole farm of real processes, with a stand-in for the renderer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from farm.dispatcher import Dispatcher
from farm.ledger import JobState, Ledger, TaskState, open_ledger
from farm.ledger.inboxes import Affinity
from farm.ledger.steps import WaitsFor
from farm.queue import CeleryQueue
from farm.spec.task import RenderTask
from tests.builders import a_task
from tests.support.waiting import wait_for

VIEWS = 2
LEASE_TTL_S = 6.0
"""A worker that its machine holds up for seconds is not lost yet: that would be one more attempt.
It is heard every other second."""
RUN_WORKER = "import typer; from worker.cli import worker; typer.run(worker)"


def task_of(job_id: str, index: int) -> RenderTask:
    return a_task(index, job_id=job_id, views=VIEWS)


class Farm:
    """Ledger, queue and dispatcher in this process; workers as processes of their own."""

    def __init__(
        self,
        redis_url: str,
        folder: Path,
        *,
        lease_ttl_s: float = LEASE_TTL_S,
        task_of: Callable[[str, int], RenderTask] = task_of,
        steps_of: Callable[[str], WaitsFor | None] = lambda job_id: None,
        affinity_of: Callable[[str], Affinity | None] = lambda job_id: None,
    ) -> None:
        self.redis_url = redis_url
        self.storage = folder / "storage"
        self.scratch = folder / "scratch"
        self.storage.mkdir(exist_ok=True)
        self.scratch.mkdir(exist_ok=True)
        self.log = folder / "workers.log"
        self.lease_ttl_s = lease_ttl_s
        self.ledger: Ledger = open_ledger(redis_url)
        self.queue = CeleryQueue(redis_url)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.ended = threading.Event()
        self.dispatcher = Dispatcher(
            self.ledger,
            self.queue,
            task_of,
            steps_of=steps_of,
            affinity_of=affinity_of,
            lease_ttl_s=lease_ttl_s,
        )
        self.thread = threading.Thread(target=self.dispatcher.run, args=(self.ended,))

    def __enter__(self) -> Farm:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()
        for process in self.workers:
            process.kill()
            process.wait()
        self.queue.close()
        self.ledger.store.client.close()

    def start_worker(
        self, *flags: str, parent: list[str] | None = None, **settings: str
    ) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", RUN_WORKER, "--name", f"w{len(self.workers)}", *flags]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*(parent or []), *command],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=os.environ | self.environment() | settings,
                start_new_session=True,
            )
        self.workers.append(process)
        return process

    def environment(self) -> dict[str, str]:
        return {
            "FARM_REDIS_URL": self.redis_url,
            "FARM_STORAGE": str(self.storage),
            "FARM_SCRATCH": str(self.scratch),
            "FARM_DEVICE": "cpu",
            "FARM_LEASE_TTL_S": str(self.lease_ttl_s),
            "FARM_RENDERER": "tests.support.farms.stand_in:open_stand_in",
        }

    def add_job(self, tasks: int, job_id: str = "job") -> None:
        self.ledger.add_job(job_id, tasks=tasks, views=tasks * VIEWS)

    def tell(self, *orders: str) -> None:
        for order in orders:
            (self.storage / order).touch()

    def free(self, order: str) -> None:
        (self.storage / order).unlink()

    def wait_started(self, index: int, attempt: int = 1) -> int:
        """Wait until a task's nth attempt, or a later one, is in hand; return the renderer's id.

        A slow machine may take a lease back before anybody began, which uses up an attempt.
        """
        folder = self.storage / "started"

        def ids() -> dict[int, int]:
            files = folder.glob(f"{index}.*")
            return {int(file.suffix[1:]): int(file.read_text()) for file in files}

        what = f"attempt {attempt} of task {index} started"
        wait_for(lambda: max(ids(), default=0) >= attempt, what, story=self.words)
        return ids()[max(ids())]

    def wait_state(self, state: JobState, job_id: str = "job") -> dict[TaskState, int]:
        """Wait until a job is in a state; return the tasks in each state."""

        def there() -> bool:
            job = self.ledger.job(job_id)
            return job is not None and job.state is state

        try:
            wait_for(there, f"job {state}")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.ledger.job(job_id)}\n{self.words()}") from None
        job = self.ledger.job(job_id)
        assert job is not None
        return {task: count for task, count in job.counts.items() if count}

    def causes(self, index: int) -> list[str]:
        stories = {story.index: story for story in self.ledger.failures("job")}
        return [attempt.cause for attempt in stories[index].attempts]

    def attempts(self, index: int) -> int:
        """Return how many attempts of a task have begun."""
        return len(list((self.storage / "started").glob(f"{index}.*")))

    def words(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
