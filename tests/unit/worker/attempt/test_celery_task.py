from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from farm.errors import (
    AssetError,
    DeviceError,
    RenderError,
    SetupError,
    StaleAttempt,
    StorageError,
    UnreachableError,
)
from farm.ledger import JobState, Ledger, TaskState
from farm.ledger.stores.memory_store import MemoryStore
from farm.queue import RENDER_TASK, create_celery
from farm.settings import Settings, load_settings
from farm.spec.task import RenderMessage
from farm.storage import FolderStorage
from tests.builders import a_task

tasks = pytest.importorskip(
    "worker.attempt.celery_task", reason="the worker's parts are not installed"
)
door = pytest.importorskip("worker.attempt.lease")
Throughput = pytest.importorskip("worker.attempt.throughput").Throughput
JobShare = pytest.importorskip("worker.attempt.job_share").JobShare


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger(MemoryStore())
    ledger.add_job("job", tasks=1, views=3)
    return ledger


def a_message(ledger: Ledger) -> RenderMessage:
    (ticket,) = ledger.take("job", 1)
    return RenderMessage(ticket=ticket, task=a_task())


def state(ledger: Ledger) -> str:
    (found,) = [task.value for task, count in ledger.job("job").counts.items() if count]
    return found


def rendering(error: BaseException | None = None):
    """A renderer that does two views and ends as told."""

    def render(task, *, attempt, worker, lease):
        for _ in range(2):
            lease.confirm()
            lease.view_done()
        if error:
            raise error

    return render


def test_a_task_that_is_rendered_is_done(ledger):
    tasks.perform(a_message(ledger), ledger=ledger, render=rendering(), worker="w")

    assert state(ledger) == "done"
    assert ledger.job("job").views_done == 2


@pytest.mark.parametrize("error", [None, RenderError("it is black")])
def test_what_an_attempt_took_is_told_however_it_ends(ledger, error):
    told = []
    share = JobShare(lambda job, each: told.append((job, each.views)), "w@host#1")

    tasks.perform(
        a_message(ledger), ledger=ledger, render=rendering(error), worker="w", share=share
    )

    assert told == [("job", 2)]


def test_an_attempt_is_written_down_before_it_begins(ledger):
    def render(task, *, attempt, worker, lease):
        (held,) = ledger.running("job")
        assert (held.worker, held.ticket.attempt) == ("w", 1)

    tasks.perform(a_message(ledger), ledger=ledger, render=render, worker="w")
    assert state(ledger) == "done"


@pytest.mark.parametrize(
    ("error", "cause", "sentence", "after"),
    [
        pytest.param(
            AssetError("vase.blend", "is empty"),
            "asset",
            "vase.blend: is empty",
            "failed",
            id="asset",
        ),
        pytest.param(RenderError("no pixels"), "render", "no pixels", "pending", id="render"),
        pytest.param(StorageError("disk full"), "storage", "disk full", "pending", id="storage"),
        pytest.param(KeyError("uv"), "unknown", "KeyError: 'uv'", "pending", id="a bug"),
        pytest.param(
            StorageError("x.png: cannot be written: No space left on device"),
            "disk",
            "a disk is full; make room, and the job resumes by itself "
            "(x.png: cannot be written: No space left on device)",
            "pending",
            id="disk",
        ),
    ],
)
def test_what_goes_wrong_is_told_by_cause(ledger, error, cause, sentence, after):
    tasks.perform(a_message(ledger), ledger=ledger, render=rendering(error), worker="w")

    (story,) = ledger.failures("job")
    assert (story.attempts[0].cause, story.attempts[0].sentence) == (cause, sentence)
    assert state(ledger) == after
    assert ledger.job("job").views_done == 2, "those that were rendered are kept"


def test_a_device_that_fails_costs_the_task_nothing_and_stops_the_worker(ledger):
    with pytest.raises(DeviceError):
        tasks.perform(
            a_message(ledger), ledger=ledger, render=rendering(DeviceError("gone")), worker="w"
        )
    assert state(ledger) == "pending"
    assert ledger.failures("job") == []


@pytest.mark.parametrize(
    "error",
    [RenderError("Cycles refused: Error: Illegal address in cuCtxSynchronize() (queue.cpp:232)")],
)
def test_a_device_that_is_lost_while_rendering_stops_the_worker(ledger, error):
    with pytest.raises(DeviceError, match=r"the device is lost.*Illegal address"):
        tasks.perform(a_message(ledger), ledger=ledger, render=rendering(error), worker="w")

    assert state(ledger) == "pending", "others try it, but not for ever: it may be to blame"
    assert ledger.failures("job")[0].attempts[0].cause == "device"


def test_a_message_that_comes_twice_is_rendered_once(ledger):
    message = a_message(ledger)
    tasks.perform(message, ledger=ledger, render=rendering(), worker="w")

    tasks.perform(message, ledger=ledger, render=rendering(AssertionError("again")), worker="x")

    assert state(ledger) == "done"


def test_a_cancelled_job_ends_the_attempt_at_its_next_view(ledger):
    seen = []

    def render(task, *, attempt, worker, lease):
        for view in task.views:
            lease.confirm()
            seen.append(view.index)
            ledger.cancel("job")

    tasks.perform(a_message(ledger), ledger=ledger, render=render, worker="w")

    assert seen == [0]
    assert ledger.settle("job") is JobState.CANCELLED


def test_a_message_of_another_version_fails_its_task_with_a_reason(ledger):
    body = a_message(ledger).model_dump(mode="json")
    del body["task"]["recipe"]

    tasks.refuse(body, ledger=ledger, worker="w", reason="Field required")

    (story,) = ledger.failures("job")
    assert story.attempts[0].sentence == "the worker cannot read the task: Field required"


def test_what_was_rendered_waits_out_an_outage():
    answers = iter([UnreachableError("away"), UnreachableError("away"), "done"])
    slept = []

    def verb():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert door.insist(verb, sleep=slept.append) == "done"
    assert slept == [0.1, 0.2]


def test_a_render_goes_on_while_the_ledger_is_away(ledger, monkeypatch):
    message = a_message(ledger)
    lease = door.LedgerLease(ledger, message.ticket)

    def away(*_):
        raise UnreachableError("away")

    monkeypatch.setattr(ledger, "confirm", away)
    monkeypatch.setattr(ledger, "progress", away)
    lease.confirm()
    lease.view_done()

    assert lease.views_done == 1


def test_nothing_is_written_before_the_ledger_has_said_whose_the_task_is(ledger, monkeypatch):
    """Who was cut off may be the only one who does not know that somebody else renders now."""
    message = a_message(ledger)
    assert ledger.claim(message.ticket, "w")
    lease = door.LedgerLease(ledger, message.ticket)
    confirm, asked = ledger.confirm, []

    def away_at_first(ticket):
        asked.append(ticket)
        if len(asked) < 3:
            raise UnreachableError("away")
        return confirm(ticket)

    monkeypatch.setattr(ledger, "confirm", away_at_first)
    monkeypatch.setattr(door, "SECURE_S", 600.0)  # however long a busy machine stops here
    lease.secure()
    lease.secure()
    assert len(asked) == 3, "its word is good for a moment"

    lease.known_s = float("-inf")
    ledger.release(message.ticket)
    with pytest.raises(StaleAttempt):
        lease.secure()


def test_who_wrote_too_late_has_the_task_put_back(ledger):
    """It slept while it wrote; meanwhile another attempt came to its end."""
    message = a_message(ledger)

    def slow(task, *, attempt, worker, lease):
        lease.confirm()
        lease.known_s -= 60
        ledger.release(message.ticket)
        (newer,) = ledger.take("job", 1)
        ledger.claim(newer, "other")
        ledger.complete(newer)
        lease.view_done()
        lease.confirm()

    tasks.perform(message, ledger=ledger, render=slow, worker="w")

    assert ledger.job("job").counts[TaskState.PENDING] == ledger.job("job").tasks


def test_a_renderer_that_cannot_be_opened_is_said_in_a_sentence():
    with pytest.raises(DeviceError, match="no_such_module:open cannot be opened"):
        tasks.open_renderer(Settings(renderer="no_such_module:open"))


def test_the_task_that_the_farm_sends_is_registered_by_the_worker():
    app = create_celery("redis://127.0.0.1:1/0")
    assert RENDER_TASK in app.tasks
    assert app.conf.accept_content == ["json"], "no pickle is ever read"
    assert app.conf.task_acks_late is False


def test_a_wrong_setting_is_named_with_its_variable(monkeypatch):
    monkeypatch.setenv("FARM_THREADS", "many")

    with pytest.raises(SetupError, match="FARM_THREADS"):
        load_settings()


def test_settings_reach_a_child_through_its_environment(monkeypatch):
    settings = load_settings(redis_url="redis://:secret@host:1/0", threads=3)
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)

    assert load_settings() == settings
    assert "secret" not in repr(settings)


def test_a_task_leaves_its_log_and_the_traceback_of_what_nobody_expected(ledger, tmp_path, caplog):
    caplog.set_level("INFO")
    storage = FolderStorage(tmp_path)
    message = a_message(ledger)

    tasks.perform(
        message, ledger=ledger, render=rendering(KeyError("lost")), worker="w", logs=storage
    )

    text = storage.get("jobs/job/log/vase-studio-0000.1.log").decode()
    assert "task started job=job index=0 attempt=1 worker=w" in text
    assert "Traceback" in text
    assert "KeyError: 'lost'" in text
    assert "task failed job=job index=0 attempt=1 cause=unknown" in text


def test_a_message_that_is_refused_leaves_the_log_of_who_renders_it(ledger, tmp_path):
    storage = FolderStorage(tmp_path)
    message = a_message(ledger)
    ledger.claim(message.ticket, "other")

    tasks.perform(message, ledger=ledger, render=rendering(), worker="w", logs=storage)

    assert not list(storage.keys(""))


def test_a_worker_shows_what_it_holds_and_how_fast_it_is(ledger):
    ledger.heartbeat("w", {}, ttl_s=60)
    throughput = Throughput(lambda work: ledger.tell_work("w", work))

    def render(task, *, attempt, worker, lease):
        assert ledger.workers()[0].task == "job/0"
        lease.view_done()

    tasks.perform(
        a_message(ledger), ledger=ledger, render=render, worker="w", throughput=throughput
    )

    (status,) = ledger.workers()
    assert status.task is None
    assert status.views_per_s > 0


def test_views_that_were_found_count_for_the_job_and_not_for_the_speed(ledger):
    message, told = a_message(ledger), []
    ledger.claim(message.ticket, "w")
    lease = door.LedgerLease(ledger, message.ticket, throughput=Throughput(told.append))

    lease.views_found(2)

    assert ledger.job("job").views_done == 2
    assert not told


def a_door(ledger, monkeypatch, **settings):
    """A renderer's door, and the settings that its renderers were opened with."""
    opened = []
    monkeypatch.setattr(tasks, "confine", lambda: None)
    monkeypatch.setattr(tasks, "open_renderer", lambda given: opened.append(given) or rendering())
    door = tasks.RenderDoor()
    door.settings, door.ledger = load_settings(**settings), ledger
    return door, opened


def of_library(message, *, in_library):
    """The same task with assets of the library, or of a shared folder."""
    assets = tuple(
        asset.model_copy(update={"in_library": in_library}) for asset in message.task.assets
    )
    changes = {"assets": assets}
    return message.model_copy(update={"task": message.task.model_copy(update=changes)})


def test_whoever_uploads_a_model_reads_no_shared_folder(ledger, monkeypatch):
    door, opened = a_door(ledger, monkeypatch, shared_storage="/srv/shared")

    door.renderer_for(of_library(a_message(ledger), in_library=True))

    assert [settings.shared_storage for settings in opened] == [""]


def test_a_renderer_makes_room_where_its_walls_are_for_other_assets(ledger, monkeypatch):
    door, opened = a_door(ledger, monkeypatch, shared_storage="/srv/shared")
    message = a_message(ledger)
    first = door.renderer_for(of_library(message, in_library=False))
    assert [settings.shared_storage for settings in opened] == ["/srv/shared"]
    assert door.renderer_for(of_library(message, in_library=False)) is first

    with pytest.raises(SystemExit) as error:
        door.renderer_for(of_library(message, in_library=True))

    assert error.value.code == 0
    assert state(ledger) == "pending", "nobody is charged"


def test_logs_go_where_results_go(ledger, monkeypatch):
    door, _ = a_door(ledger, monkeypatch)
    door._renderer = SimpleNamespace(results="the channel")

    assert door.logs == "the channel"


def test_a_message_of_a_recipe_that_is_not_here_says_what_to_install(ledger):
    body = a_message(ledger).model_dump(mode="json")
    body["task"]["recipe"] = "bench"
    body["task"]["setup"] = {"kind": "bench"}
    with pytest.raises(ValidationError) as caught:
        RenderMessage.model_validate(body)

    reason = tasks.unreadable(body, caught.value)

    assert reason == (
        "recipe 'bench' is not one of 'script', 'sequence', 'sod', 'tabletop'; "
        "install the package that brings it here, too"
    )
