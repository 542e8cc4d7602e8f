"""What attempts logged."""

from __future__ import annotations

from itertools import takewhile

from farm.api.problems import not_found
from farm.job_store import log_key
from farm.spec.wire import TaskInfo
from farm.storage import Storage

TAIL_BYTES = 4 << 20
"""Most bytes of a log that are shown: its end."""


def read_log(storage: Storage, job_id: str, task: TaskInfo, attempt: int | None) -> bytes:
    """Return the log of an attempt, or of the newest that left one.

    Raises:
        ApiProblem: There is no log.
    """
    number = attempt or newest_attempt(storage, job_id, task.task_id)
    if number is not None:
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


def newest_attempt(storage: Storage, job_id: str, task_id: str) -> int | None:
    """Return the highest number among the attempts that left a log.

    After a restart of the farm, attempts are numbered from a thousand on, or from far above.
    """
    begin, end = log_key(job_id, task_id, 0).removesuffix("0.log"), ".log"
    keys = storage.keys(begin.rpartition("/")[0], after=begin)
    own = takewhile(lambda key: key.startswith(begin), keys)
    numbers = (key.removeprefix(begin).removesuffix(end) for key in own)
    return max((int(number) for number in numbers if number.isdecimal()), default=None)
