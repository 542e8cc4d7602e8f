"""Which log of a task is shown."""

import pytest

from farm.api.logs import read_log
from farm.api.problems import ApiProblem
from farm.job_store import log_key
from farm.spec.wire import TaskInfo
from farm.storage import FolderStorage

TASK = TaskInfo(index=1, task_id="vase-0001", state="done", title="vase", views=2)


@pytest.fixture
def logs(tmp_path):
    """Puts a log of each number on a storage."""

    def put(*numbers, task_id=TASK.task_id):
        storage = FolderStorage(tmp_path)
        for number in numbers:
            storage.put(log_key("job", task_id, number), str(number).encode())
        return storage

    return put


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param((9, 10), id="ten goes after nine"),
        pytest.param((1, 2, 3, 1425), id="after a restart of the farm"),
        pytest.param((1425, 13_071), id="after many restarts"),
    ],
)
def test_the_newest_attempts_log_is_shown(logs, numbers):
    assert read_log(logs(*numbers), "job", TASK, None) == str(numbers[-1]).encode()


def test_a_log_of_one_attempt_is_shown_if_asked_for(logs):
    storage = logs(1, 2)

    assert read_log(storage, "job", TASK, 1) == b"1"
    with pytest.raises(ApiProblem, match="attempt 3 of task 1"):
        read_log(storage, "job", TASK, 3)


def test_other_tasks_and_files_of_others_are_not_taken_for_it(logs):
    storage = logs(7, task_id="vase-00011")
    storage.put("jobs/job/log/vase-0001.notes.log", b"")

    with pytest.raises(ApiProblem, match="a log of task 1 of job job"):
        read_log(storage, "job", TASK, None)
