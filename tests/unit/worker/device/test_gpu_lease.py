import pytest

from farm.errors import DeviceError, SpecError, UnreachableError
from farm.ledger import Ledger
from farm.ledger.stores.memory_store import MemoryStore
from tests.support.waiting import wait_for
from worker.device.device import Device
from worker.device.gpu_lease import Claimant
from worker.supervisor.heartbeat import Heartbeat

TTL_S = 10.0


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s

    def sleep(self, seconds):
        self.now_s += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return MemoryStore(clock=clock)


@pytest.fixture
def worker(store, clock):
    return lambda name: Claimant(Ledger(store), name, TTL_S, sleep=clock.sleep)


def find(claimant, text="auto", *, require_gpu=False):
    return claimant.find(text, require_gpu=require_gpu)


def test_workers_of_one_host_get_different_gpus(fake_gpus, worker):
    fake_gpus("L40S,L40S,A10")

    claims = [find(worker(name)) for name in "abc"]

    assert [str(claim.device) for claim in claims] == ["optix:0", "optix:1", "optix:2"]
    assert [claim.visible for claim in claims] == [f"GPU-{n:04d}-fake" for n in range(3)]
    assert claims[2].hardware == "A10"


def test_one_worker_too_many_is_told_who_holds_what(fake_gpus, worker, clock):
    fake_gpus("L40S,A10")
    leases = [find(worker(name)).lease for name in ("process 7", "process 8")]

    def sleep(seconds):  # the others live
        clock.sleep(seconds)
        for lease in leases:
            lease.renew()

    late = Claimant(leases[0].ledger, "process 9", TTL_S, sleep=sleep)
    with pytest.raises(DeviceError) as told:
        find(late)

    assert "GPU-0000-fake (L40S) is held by process 7" in str(told.value)
    assert "GPU-0001-fake (A10) is held by process 8" in str(told.value)


def test_the_gpu_of_a_dead_worker_is_taken_when_its_lease_ends(fake_gpus, worker):
    fake_gpus("L40S")
    find(worker("dead")).lease.renew()

    assert find(worker("next")).visible == "GPU-0000-fake"


def test_a_gpu_that_was_given_back_is_free_at_once(fake_gpus, worker, clock):
    fake_gpus("L40S")
    find(worker("first")).lease.give_back()

    find(worker("second"))

    assert clock.now_s == 100.0


def test_a_gpu_that_is_asked_for_by_name_is_shared_and_seen(fake_gpus, worker):
    fake_gpus("A,B")

    claims = [find(worker(name), "cuda:0") for name in ("a", "b")]

    assert [claim.device for claim in claims] == [Device("cuda", 0)] * 2
    assert find(worker("c")).visible == "GPU-0001-fake"
    claims[1].lease.renew()


def test_only_visible_gpus_are_taken(fake_gpus, worker, monkeypatch):
    fake_gpus("A,B,C")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,1")

    assert find(worker("a")).visible == "GPU-0002-fake"
    assert find(worker("b"), "optix:1").visible == "GPU-0001-fake"


@pytest.mark.parametrize("gpus", ["none", ""])
def test_a_machine_without_gpus_renders_on_the_cpu_unless_that_is_forbidden(
    fake_gpus, worker, gpus
):
    fake_gpus(gpus)

    assert find(worker("a")).device == Device("cpu")
    assert find(worker("a")).visible == ""
    with pytest.raises(DeviceError, match="no GPU is visible, and FARM_REQUIRE_GPU is set"):
        find(worker("a"), require_gpu=True)
    with pytest.raises(DeviceError, match="the device is cpu, but FARM_REQUIRE_GPU is set"):
        find(worker("a"), "cpu", require_gpu=True)


def test_hidden_gpus_are_named_as_the_reason(fake_gpus, worker, monkeypatch):
    fake_gpus("A")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    with pytest.raises(DeviceError, match="CUDA_VISIBLE_DEVICES='' hides all"):
        find(worker("a"), require_gpu=True)


def test_a_broken_driver_is_never_replaced_by_the_cpu(fake_gpus, worker):
    fake_gpus("broken")

    with pytest.raises(DeviceError, match="does not answer"):
        find(worker("a"))
    assert find(worker("a"), "cpu").device == Device("cpu")


def test_what_is_not_there_is_said(fake_gpus, worker):
    fake_gpus("A")

    with pytest.raises(DeviceError, match="optix:1 is not available: the driver lists A"):
        find(worker("a"), "optix:1")
    with pytest.raises(SpecError, match="is not auto, cpu"):
        find(worker("a"), "gpu")


def test_a_start_waits_for_redis(fake_gpus, store, clock):
    fake_gpus("A")
    ledger = Ledger(store)
    away = [True, True]

    class Ledgers:
        def lease(self, *args):
            if away:
                away.pop()
                raise UnreachableError("away")
            return ledger.lease(*args)

    assert find(Claimant(Ledgers(), "a", TTL_S, sleep=clock.sleep)).visible == "GPU-0000-fake"


def test_a_heart_keeps_the_gpu_and_gives_it_back(fake_gpus, store, clock):
    fake_gpus("A")
    ledger, name = Ledger(store), "device:GPU-0000-fake"
    lease = find(Claimant(ledger, "a", 0.3)).lease
    heartbeat = Heartbeat(ledger, "w", {}, ttl_s=0.3, on_deadly_start=print, device=lease)
    heartbeat.start()
    _, first_end_s = store.leases[name]
    clock.now_s += 0.2
    wait_for(lambda: store.leases[name][1] > first_end_s, "the lease is renewed")
    clock.now_s += 0.2

    assert ledger.lease(name, "b", 1) == "a", "the first lease would be over"
    heartbeat.stop()
    assert ledger.lease(name, "b", 1) == "b"


def test_a_worker_whose_gpu_was_taken_meanwhile_gives_up(fake_gpus):
    fake_gpus("A")
    ledger, told = Ledger(MemoryStore()), []
    lease = find(Claimant(ledger, "a", 60)).lease
    ledger.unlease("device:GPU-0000-fake", "a")  # Redis forgot it
    ledger.lease("device:GPU-0000-fake", "b", 60)
    heartbeat = Heartbeat(ledger, "w", {}, ttl_s=60, on_deadly_start=told.append, device=lease)
    heartbeat.start()
    heartbeat.stop()

    assert set(told) == {"GPU-0000-fake (A) was taken by b"}
    assert ledger.lease("device:GPU-0000-fake", "c", 1) == "b"
