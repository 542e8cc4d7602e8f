"""A bad node among good ones, and what it does to get back; only the renderer is a stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.errors import DeviceError
from farm.ledger import JobState, Ledger, TaskState
from farm.ledger.model import Conduct, Quarantine
from farm.ledger.policy import SUSPICIOUS
from farm.ledger.stores.memory_store import MemoryStore
from farm.local.private_farm import raise_if_unfit
from tests.support.farms.whole_farm import Farm
from tests.support.waiting import wait_for

HELD, FIRST_OF_BAD = 5, 6


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """What the bad node's stand-in obeys."""
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "broken").touch()
    (folder / f"hold-{FIRST_OF_BAD}").touch()
    return folder


@pytest.fixture
def farm_of_two(farm: Farm, bad: Path) -> Farm:
    """One node has done tasks and is busy with one, another is about to fail its first."""
    farm.tell(f"hold-{HELD}")
    farm.start_worker()
    farm.add_job(tasks=20)
    farm.wait_started(HELD)
    farm.start_worker(STAND_IN_FOLDER=str(bad))
    started = bad / "started" / f"{FIRST_OF_BAD}.1"
    wait_for(started.exists, "the bad node has a task", story=farm.words)
    return farm


def noted(farm: Farm) -> Quarantine | None:
    conducts = farm.ledger.nodes.conducts().items()
    return next((each.quarantine for node, each in conducts if node.startswith("w1@")), None)


def charges(farm: Farm) -> list[str]:
    stories = farm.ledger.failures("job")
    return [each.charge for story in stories for each in story.attempts]


def test_a_bad_node_burns_no_job_and_comes_back_when_it_renders_again(farm_of_two, bad):
    farm = farm_of_two
    (bad / "hold-open").touch()
    (bad / f"hold-{FIRST_OF_BAD}").unlink()
    wait_for(lambda: noted(farm), "it is shut out", story=farm.words)
    wait_for(lambda: set(charges(farm)) == {"refunded"}, "nobody pays")
    assert len(charges(farm)) >= SUSPICIOUS
    (shut,) = [each for each in farm.ledger.workers() if each.quarantine]
    assert shut.worker.startswith("w1@")
    wait_for(lambda: "warming up" in farm.words(), "it warms up")

    (bad / "broken").unlink()
    (bad / "hold-open").unlink()
    wait_for(lambda: "out of quarantine" in farm.words(), "it is back", story=farm.words)
    wait_for(lambda: noted(farm) is None, "it did a task", story=farm.words)
    farm.free(f"hold-{HELD}")
    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 20}
    spoilt = {path.name for path in (bad / "started").iterdir()}
    assert any(name.endswith(".1") for name in spoilt - {f"{FIRST_OF_BAD}.1"})


def test_a_node_that_does_not_render_the_known_frame_stays_out(farm_of_two, bad):
    farm = farm_of_two
    (bad / "no-device").touch()
    (bad / f"hold-{FIRST_OF_BAD}").unlink()
    wait_for(lambda: noted(farm) and noted(farm).failed_proofs, "it failed", story=farm.words)
    begun = len(list((bad / "started").iterdir()))

    assert noted(farm).sentence == "it does not render correctly: optix:7 is not there"
    farm.free(f"hold-{HELD}")
    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 20}
    assert len(list((bad / "started").iterdir())) == begun, "it was given nothing more"
    bad_worker = farm.workers[1]
    bad_worker.terminate()
    assert bad_worker.wait(timeout=120) == 0


def test_a_worker_without_others_warms_up_and_then_its_failures_count(farm, bad):
    farm.start_worker(STAND_IN_FOLDER=str(bad))
    (bad / f"hold-{FIRST_OF_BAD}").unlink()
    farm.add_job(tasks=4)

    assert farm.wait_state(JobState.FAILED) == {TaskState.FAILED: 4}
    assert "out of quarantine" in farm.words()
    assert set(charges(farm)) == {"counts"}


def test_a_quarantine_outlives_an_outage_of_redis(farm_of_two, bad, redis_server):
    farm = farm_of_two
    (bad / "hold-open").touch()
    (bad / f"hold-{FIRST_OF_BAD}").unlink()
    wait_for(lambda: "warming up" in farm.words(), "it warms up", story=farm.words)
    begun = len(list((bad / "started").iterdir()))
    redis_server.stop()
    wait_for(lambda: not farm.dispatcher.reachable, "the dispatcher noticed")
    redis_server.start()
    farm.free(f"hold-{HELD}")
    wait_for(lambda: farm.ledger.job("job").counts[TaskState.DONE] > HELD + 2, "the good one works")
    assert len(list((bad / "started").iterdir())) == begun, "it still takes nothing"

    (bad / "broken").unlink()
    (bad / "hold-open").unlink()
    wait_for(lambda: "out of quarantine" in farm.words(), "it is back", story=farm.words)
    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 20}
    farm.tell("hold-0")  # the good one waits if it is the first
    farm.add_job(tasks=8, job_id="next")
    wait_for(lambda: noted(farm) is None, "it did a task", story=farm.words)
    farm.free("hold-0")


def test_a_run_on_one_machine_ends_when_no_worker_renders_what_it_should():
    """Else it would wait for ever: nobody mends the machine meanwhile."""
    ledger = Ledger(MemoryStore())
    raise_if_unfit(ledger)
    for node in ("a@h", "b@h"):
        ledger.heartbeat(f"{node}#1", {}, ttl_s=60)
        shut = Quarantine(sentence="it may be bad", since_s=1, try_from_s=1)
        noted = Conduct(quarantine=shut).model_dump_json()
        ledger.store.swap_conduct(node, "", noted)
        raise_if_unfit(ledger)
        ledger.nodes.failed(node, "its test card is off by 0.9")
        if node == "a@h":
            ledger.heartbeat("b@h#1", {}, ttl_s=60)
            raise_if_unfit(ledger)

    with pytest.raises(DeviceError, match="does not render correctly: its test card is off"):
        raise_if_unfit(ledger)


def test_a_worker_that_dies_while_it_warms_up_leaves_nothing(farm_of_two, bad):
    farm = farm_of_two
    (bad / "hold-open").touch()
    before = len(list((bad / "visible").iterdir()))
    (bad / f"hold-{FIRST_OF_BAD}").unlink()
    wait_for(lambda: len(list((bad / "visible").iterdir())) > before, "it warms up")
    pids = [int(path.name) for path in (bad / "visible").iterdir()]
    farm.workers[1].kill()

    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "all ended")
