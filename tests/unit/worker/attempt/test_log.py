import logging
import threading

import pytest

from farm.spec.task import RenderMessage, Ticket
from farm.storage import FolderStorage
from tests.builders import a_task

task_logs = pytest.importorskip("worker.attempt.log")
log = logging.getLogger("some.part")
KEY = "jobs/job/log/vase-studio-0000.2.log"


@pytest.fixture(autouse=True)
def everything(caplog):
    caplog.set_level(logging.INFO)


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


@pytest.fixture
def message():
    return RenderMessage(ticket=Ticket(job_id="job", index=0, attempt=2), task=a_task())


def kept(storage):
    return storage.get(KEY).decode()


def test_what_is_logged_meanwhile_is_kept(storage, message):
    log.info("before")
    with task_logs.task_log(message, storage):
        log.info("one")
        thread = threading.Thread(target=lambda: log.warning("two"))
        thread.start()
        thread.join()
    log.info("after")

    lines = kept(storage).splitlines()
    assert [line.split()[-1] for line in lines] == ["one", "two"]
    assert "WARNING some.part two" in lines[1]


def test_it_is_kept_whatever_happens(storage, message):
    def fail():
        try:
            {}["lost"]
        except KeyError:
            log.warning("unexpected", exc_info=True)
            raise

    with pytest.raises(KeyError), task_logs.task_log(message, storage):
        fail()

    assert "Traceback" in kept(storage)
    assert "KeyError: 'lost'" in kept(storage)


def test_it_is_bounded(storage, message):
    with task_logs.task_log(message, storage):
        for number in range(5000):
            log.info("line %d %s", number, "x" * 5000)

    lines = kept(storage).splitlines()
    assert "line 0 " in lines[0]
    assert "line 4999 " in lines[-1]
    assert "... 4500 lines left out ..." in lines
    assert max(map(len, lines)) == task_logs.LINE_LENGTH


def test_no_secret_is_kept(storage, message, monkeypatch):
    monkeypatch.setenv("FARM_REDIS_URL", "redis://:geheim99@redis:6379/0")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    with task_logs.task_log(message, storage):
        log.warning("cannot reach redis://:geheim99@redis:6379/0 nor http://me:pass@host/")
        log.warning("signed with wJalrXUtnFEMI")

    text = kept(storage)
    assert "geheim99" not in text
    assert "wJalrXUtnFEMI" not in text
    assert ":pass@" not in text
    assert "signed with ***" in text


def test_a_storage_that_is_full_does_not_harm_the_task(storage, message, caplog):
    (storage.root / "jobs").write_bytes(b"in the way")
    with task_logs.task_log(message, storage):
        log.info("one")

    assert "the log of a task cannot be kept" in caplog.text


def test_without_a_storage_nothing_is_kept(message):
    with task_logs.task_log(message, None):
        log.info("one")
