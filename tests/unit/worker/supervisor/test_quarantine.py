"""What a worker in quarantine does, with a ledger in memory and a proof that a test decides."""

from __future__ import annotations

import threading

import pytest

from farm.errors import UnreachableError
from farm.ledger import Ledger
from farm.ledger.stores.memory_store import MemoryStore
from farm.queue import QUEUE, inbox_of
from farm.spec.task import Ticket
from tests.support.waiting import wait_for
from worker.supervisor.quarantine import QuarantineGate, prove_in_child

WORKER = "w@host#1"
INBOX = inbox_of(WORKER)
SHUT = '{"quarantine":{"sentence":"bad","since_s":1.0,"try_from_s":1.0}}'


class Consumer:
    """As much of Celery's as the gate knows."""

    def __init__(self) -> None:
        self.queues = {QUEUE, INBOX}
        self.task_consumer = self
        self.pool = self

    def consuming_from(self, queue: str) -> bool:
        return queue in self.queues

    def cancel_task_queue(self, queue: str) -> None:
        self.queues.remove(queue)

    def add_task_queue(self, queue: str) -> None:
        self.queues.add(queue)

    @property
    def listening(self) -> bool:
        assert self.queues in (set(), {QUEUE, INBOX})
        return bool(self.queues)


class Proofs:
    """What warm-ups find, one after the other; each waits until it is let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.answers: list[str | None] = []
        self.go = threading.Semaphore(0)

    def __call__(self) -> str | None:
        self.begun += 1
        self.go.acquire()
        return self.answers.pop(0)

    def answer(self, found: str | None) -> None:
        self.answers.append(found)
        self.go.release()


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger(MemoryStore())
    ledger.add_job("job", tasks=2, views=2)
    return ledger


@pytest.fixture
def proofs() -> Proofs:
    return Proofs()


@pytest.fixture
def gate(ledger, proofs) -> QuarantineGate:
    return QuarantineGate(ledger, WORKER, proofs, queues=(INBOX, QUEUE))


@pytest.fixture
def consumer() -> Consumer:
    return Consumer()


def shut_out(ledger: Ledger) -> None:
    assert ledger.store.swap_conduct("w@host", "", SHUT)


def look_until(gate: QuarantineGate, condition, what: str) -> None:
    def there() -> bool:
        gate.refresh()
        return bool(condition())

    wait_for(there, what)


def test_a_worker_listens_until_it_is_shut_out_and_again_when_it_has_passed(
    ledger, proofs, gate, consumer
):
    gate.refresh()
    gate.apply_to(consumer, idle=True)
    assert consumer.listening

    shut_out(ledger)
    gate.refresh()
    gate.apply_to(consumer, idle=False)
    assert not consumer.listening
    proofs.answer(None)
    look_until(gate, lambda: not gate.shut, "it passed")
    gate.apply_to(consumer, idle=True)
    assert consumer.listening
    assert proofs.begun == 1


def test_a_failed_warm_up_is_told_and_rests_before_the_next(ledger, proofs, gate):
    shut_out(ledger)
    gate.refresh()
    proofs.answer("its test card is off by 0.9")
    look_until(gate, lambda: ledger.nodes.quarantine(WORKER).failed_proofs, "it was told")

    for _ in range(5):
        gate.refresh()
    assert gate.shut
    assert proofs.begun == 1
    assert "off by 0.9" in ledger.nodes.quarantine(WORKER).sentence


def test_a_worker_warms_up_when_the_task_in_its_hands_is_over(ledger, proofs, gate):
    (ticket,) = ledger.take("job", 1)
    ledger.claim(ticket, WORKER)
    shut_out(ledger)
    gate.refresh()
    assert (gate.shut, proofs.begun) == (True, 0)
    ledger.complete(Ticket(job_id="job", index=0, attempt=1))
    look_until(gate, lambda: proofs.begun, "it warms up")
    proofs.answer(None)


def test_what_was_found_is_told_when_the_ledger_is_back(ledger, proofs, gate, monkeypatch):
    shut_out(ledger)
    gate.refresh()
    with monkeypatch.context() as outage:

        def away(*_):
            raise UnreachableError("away")

        outage.setattr(ledger.store, "conduct", away)
        proofs.answer(None)
        with pytest.raises(UnreachableError):
            look_until(gate, lambda: False, "never")
    look_until(gate, lambda: not gate.shut, "it was told")
    assert proofs.begun == 1


def test_a_drained_worker_is_deaf_and_keeps_its_renderer(ledger, proofs, gate, consumer):
    """Whoever works on its machine wants it quiet: it does not warm up either."""
    ledger.drains.drain("w@host", by="ann")
    shut_out(ledger)
    gate.refresh()
    gate.apply_to(consumer, idle=False)
    assert not consumer.listening
    assert proofs.begun == 0

    ledger.store.swap_conduct("w@host", SHUT, "")
    ledger.drains.undrain("w@host")
    gate.refresh()
    gate.apply_to(consumer, idle=False)
    assert consumer.listening


def test_a_warm_up_that_was_put_off_by_a_drain_follows_it(ledger, proofs, gate):
    ledger.drains.drain("w@host", by="ann")
    shut_out(ledger)
    gate.refresh()
    ledger.drains.undrain("w@host")
    proofs.answer(None)

    look_until(gate, lambda: not gate.shut, "it passed")
    assert proofs.begun == 1


def test_between_two_connections_there_is_nothing_to_obey(ledger, gate, consumer):
    shut_out(ledger)
    gate.refresh()
    consumer.task_consumer = None

    gate.apply_to(consumer, idle=True)


@pytest.mark.parametrize(
    ("renderer", "found"),
    [
        ("tests.unit.worker.supervisor.test_quarantine:open_well", None),
        (
            "tests.unit.worker.supervisor.test_quarantine:open_badly",
            "cannot be opened: ValueError: no",
        ),
    ],
)
def test_a_proof_in_a_fresh_process_says_what_is_wrong(tmp_path, monkeypatch, renderer, found):
    monkeypatch.setenv("FARM_RENDERER", renderer)
    problem = prove_in_child(tmp_path)

    assert problem is None if found is None else found in problem
    assert list(tmp_path.iterdir()) == []


def test_a_proof_that_does_not_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_RENDERER", "tests.unit.worker.supervisor.test_quarantine:open_never")

    assert prove_in_child(tmp_path, timeout_s=0.5) == "the warm-up did not end within 0 s"


def open_well(settings):
    return None


def open_badly(settings):
    raise ValueError("no")


def open_never(settings):
    threading.Event().wait()
