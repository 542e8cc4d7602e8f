"""Workers that are stopped, restarted and killed: what is rendered is not rendered again."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter

import psutil
import pytest

from farm.ledger import JobState, TaskState
from tests.support.farms import whole_farm
from tests.support.farms.whole_farm import Farm, kill
from tests.support.waiting import wait_for

pytest.importorskip("OpenEXR", reason="the worker's packages are not installed")

VIEWS = 12
TASKS = 4
COUNTING = {"FARM_RENDERER": "tests.support.farms.counting:open_counting"}


@pytest.fixture
def farm(redis_url, tmp_path, monkeypatch):
    monkeypatch.setattr(whole_farm, "VIEWS", VIEWS)
    with Farm(redis_url, tmp_path) as running:
        yield running


def renders(farm: Farm) -> Counter[str]:
    """View -> how often it was rendered."""
    notes = (farm.storage / "renders").glob("*")
    return Counter({note.name: len(note.read_text().splitlines()) for note in notes})


def attempts(farm: Farm, view: int) -> list[str]:
    lines = (farm.storage / "renders" / name(view)).read_text().splitlines()
    return [line.split()[0] for line in lines]


def name(view: int) -> str:
    return f"view_{view:03d}"


def wait_rendering(farm: Farm, view: int) -> None:
    """Wait until a view is in hand and all before it are done."""

    def there() -> bool:
        job = farm.ledger.job("job")
        return (farm.storage / "renders" / name(view)).exists() and job.views_done >= view

    wait_for(there, f"{name(view)} is in hand, those before are done\n{farm.words()}")


def all_once() -> Counter[str]:
    return Counter({name(view): 1 for view in range(TASKS * VIEWS)})


def test_a_worker_that_is_asked_to_stop_finishes_the_view_in_hand_and_hands_back_the_rest(farm):
    farm.tell(f"hold-{name(5)}")
    first = farm.start_worker(**COUNTING)
    farm.add_job(tasks=TASKS)
    wait_rendering(farm, 5)
    first.send_signal(signal.SIGTERM)
    wait_for(lambda: "Warm shutdown" in farm.words() or "shutdown" in farm.words(), "it heard")
    farm.start_worker(**COUNTING)
    wait_for(lambda: name(VIEWS) in renders(farm), "the other one has the next task")
    assert first.poll() is None
    assert renders(farm)[name(5)] == 1, "nobody else has the view in hand"
    farm.free(f"hold-{name(5)}")

    assert first.wait(timeout=120) == 0
    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: TASKS}
    assert renders(farm) == all_once()
    assert "rest of the task handed back job=job index=0 attempt=1" in farm.words()
    assert attempts(farm, 5) == ["1"]
    assert attempts(farm, 6) != ["1"], "resumed at the view"
    assert farm.ledger.job("job").views_done == TASKS * VIEWS


def test_a_rolling_restart_of_all_workers_renders_every_view_once(farm):
    held = [5, VIEWS + 5]  # one of each worker's first task
    farm.tell(*(f"hold-{name(view)}" for view in held))
    for _ in range(2):
        farm.start_worker(**COUNTING)
    farm.add_job(tasks=TASKS)
    wait_for(lambda: all(name(view) in renders(farm) for view in held), "both have a view in hand")
    for asked, view in enumerate(held, start=1):
        worker = at_work(farm, view)
        worker.send_signal(signal.SIGTERM)
        wait_for(lambda many=asked: farm.words().count("Warm shutdown") == many, "it heard")
        farm.start_worker(**COUNTING)
        farm.free(f"hold-{name(view)}")
        assert worker.wait(timeout=120) == 0

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: TASKS}
    assert renders(farm) == all_once()
    assert all(attempts(farm, view + 1) != ["1"] for view in held), "others resumed at the view"
    job = farm.ledger.job("job")
    assert (job.views_done, job.dropped) == (TASKS * VIEWS, 0)


def at_work(farm: Farm, view: int) -> subprocess.Popen[bytes]:
    """Return the worker whose renderer has a view in hand."""
    (renderer,) = in_hand(farm, view)
    owner = psutil.Process(int(renderer)).ppid()
    (worker,) = [each for each in farm.workers if each.pid == owner]
    return worker


@pytest.mark.parametrize("victim", ["renderer", "worker"])
@pytest.mark.parametrize("heir", ["itself", "another"])
def test_after_a_kill_only_the_view_in_hand_is_rendered_again(farm, victim, heir):
    farm.tell(f"hold-{name(7)}")
    first = farm.start_worker(**COUNTING)
    farm.add_job(tasks=TASKS)
    wait_rendering(farm, 7)
    (child,) = [
        each for each in psutil.Process(first.pid).children() if f"{each.pid}" in in_hand(farm, 7)
    ]
    if heir == "another":
        farm.start_worker(**COUNTING)
        wait_for(lambda: name(VIEWS) in renders(farm), "the other one works")
    kill(first.pid if victim == "worker" else child.pid)
    if (victim, heir) == ("worker", "itself"):
        farm.start_worker(**COUNTING)
    wait_for(lambda: renders(farm)[name(7)] == 2, "it is rendered again", story=farm.words)
    farm.free(f"hold-{name(7)}")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: TASKS}
    assert renders(farm) == all_once() + Counter({name(7): 1})
    assert farm.ledger.job("job").views_done == TASKS * VIEWS


def in_hand(farm: Farm, view: int) -> list[str]:
    """Return the process ids of the renderers that had a view."""
    lines = (farm.storage / "renders" / name(view)).read_text().splitlines()
    return [line.split()[1] for line in lines]


def test_a_renderer_that_does_not_stop_in_time_is_ended_and_its_task_handed_back(farm):
    farm.tell(f"hold-{name(3)}")
    first = farm.start_worker(FARM_STOP_TIMEOUT_S="1", **COUNTING)
    farm.add_job(tasks=1)
    wait_rendering(farm, 3)
    first.send_signal(signal.SIGTERM)

    assert first.wait(timeout=120) == 0
    assert farm.ledger.job("job").counts[TaskState.RUNNING] == 0
    assert farm.ledger.failures("job") == [], "nobody is charged"
    assert farm.ledger.job("job").views_done == 3, "what was done counts"
    assert list(farm.scratch.iterdir()) == []
