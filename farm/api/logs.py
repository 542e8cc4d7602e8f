"""What attempts logged."""

from __future__ import annotations

from farm.api.problems import not_found
from farm.job_store import log_key
from farm.spec.wire import TaskInfo
from farm.storage import Storage

ATTEMPTS = 30
"""Most attempts that are searched for a log if none is named."""
TAIL_BYTES = 4 << 20
"""Most bytes of a log that are shown: its end."""


def read_log(storage: Storage, job_id: str, task: TaskInfo, attempt: int | None) -> bytes:
    """Return the log of an attempt, or of the newest that left one.

    Raises:
        ApiProblem: There is no log.
    """
    wanted = [attempt] if attempt else range(ATTEMPTS, 0, -1)
    for number in wanted:
        key = log_key(job_id, task.task_id, number)
        size_bytes = storage.size(key)
        if size_bytes is not None:
            start = max(size_bytes - TAIL_BYTES, 0)
            return b"".join(storage.read(key, start=start))
    which = f"attempt {attempt} of task" if attempt else "task"
    raise not_found(
        f"a log of {which} {task.index} of job {job_id}",
        f"it is written when the attempt ends; for the task's failures: farm status {job_id}",
    )
