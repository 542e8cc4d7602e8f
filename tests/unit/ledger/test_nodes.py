"""A node that fails where others succeed costs a job nothing; a bad job shuts out no node."""

from __future__ import annotations

import pytest

from farm.ledger import JobState, Ledger, TaskState
from farm.ledger.policy import (
    ELSEWHERE_BUSY_S,
    ELSEWHERE_S,
    LONGEST_PAUSE_S,
    SUSPICIOUS,
    TURNED_AWAY_S,
    pause_s,
)
from farm.ledger.stores.store import Store
from farm.spec.task import Ticket

JOB = "job"
BAD, GOOD = "bad@host#1", "good@host#1"


class Turned(Ledger):
    """A ledger whose clock stands still until a test turns it, wherever it is kept."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.at_s = store.now_s()
        store.now_s = lambda: self.at_s  # type: ignore[method-assign]

    def later(self, seconds: float) -> None:
        self.at_s += seconds


@pytest.fixture
def farm(ledger) -> Turned:
    turned = Turned(ledger.store)
    turned.add_job(JOB, tasks=12, views=12)
    for worker in (BAD, GOOD):
        turned.heartbeat(worker, {}, ttl_s=100_000)
    return turned


def take(farm: Ledger, worker: str) -> Ticket:
    """The next task that this worker may have."""
    for ticket in farm.take(JOB, 12):
        if farm.claim(ticket, worker):
            for other in farm.queued(JOB):
                farm.release(other.ticket)
            return ticket
    raise AssertionError("there is none for it")


def fail(farm: Ledger, worker: str = BAD, cause: str = "render") -> Ticket:
    ticket = take(farm, worker)
    farm.fail(ticket, cause, "it did not work")
    return ticket


def succeed(farm: Ledger, worker: str = GOOD) -> Ticket:
    ticket = take(farm, worker)
    assert farm.complete(ticket)
    return ticket


def shut_out(farm: Turned) -> list[Ticket]:
    """Bring BAD into quarantine; return the attempts that it has spoilt."""
    succeed(farm)
    spoilt = [fail(farm) for _ in range(SUSPICIOUS)]
    ((node, _),) = farm.nodes.judge()
    assert node == "bad@host"
    return spoilt


def charges(farm: Ledger) -> dict[int, list[str]]:
    return {s.index: [each.charge for each in s.attempts] for s in farm.failures(JOB)}


def kinds(farm: Ledger) -> set[str]:
    return {each for several in charges(farm).values() for each in several}


def take_again(farm: Turned, limit: int) -> list[Ticket]:
    """What comes next, when all that was refused to somebody may be given out again."""
    farm.later(TURNED_AWAY_S + 0.1)
    return farm.take(JOB, limit)


def test_a_node_that_fails_where_others_succeed_is_shut_out_and_nobody_pays(farm):
    spoilt = shut_out(farm)

    quarantine = farm.nodes.quarantine(BAD)
    assert quarantine.sentence == (
        "3 tasks in a row failed on it (render) while others complete them"
    )
    assert farm.nodes.quarantine(GOOD) is None
    assert {w.worker: bool(w.quarantine) for w in farm.workers()} == {BAD: True, GOOD: False}
    assert charges(farm) == {ticket.index: ["refunded"] for ticket in spoilt}
    assert not any(any(r.charges.values()) for r in farm.store.records(JOB).values())
    assert farm.nodes.judge() == [], "once"
    assert farm.nodes.conducts()["bad@host"].quarantine.owed == ()


def test_who_is_shut_out_gets_no_task_and_charges_nobody(farm):
    succeed(farm)
    in_hand = take(farm, BAD)
    spoilt = [fail(farm) for _ in range(SUSPICIOUS)]
    farm.nodes.judge()
    farm.fail(in_hand, "killed", "signal 11")
    (ticket,) = farm.take(JOB, 1)

    assert not farm.claim(ticket, BAD)
    assert farm.nodes.judge() == []
    assert charges(farm) == {t.index: ["refunded"] for t in [in_hand, *spoilt]}
    assert farm.take(JOB, 12), "the others go on"


def test_a_task_that_a_bad_node_has_ended_goes_on_and_so_does_its_job(ledger):
    """J: completed > running"""
    farm = Turned(ledger.store)
    farm.add_job(JOB, tasks=4, views=4)
    farm.heartbeat(BAD, {}, ttl_s=1000)  # alone, as long as it takes
    ended = [take(farm, BAD) for _ in range(3)]
    for number in range(3):
        for at, ticket in enumerate(ended):
            assert farm.fail(ticket, "killed", "signal 11")
            if number < 2:
                (ended[at],) = farm.take(JOB, 1)
                assert farm.claim(ended[at], BAD)
    assert farm.job(JOB).counts[TaskState.SET_ASIDE] == 3
    succeed(farm)
    assert farm.settle(JOB) is JobState.COMPLETED

    assert [node for node, _ in farm.nodes.judge()] == ["bad@host"]
    job = farm.job(JOB)
    assert (job.state, job.counts[TaskState.PENDING]) == (JobState.RUNNING, 3)


def test_a_task_that_fails_everywhere_shuts_nobody_out(farm):
    succeed(farm, BAD)
    succeed(farm)
    ticket = take(farm, BAD)
    for worker in (GOOD, BAD):
        farm.fail(ticket, "killed", "signal 11")
        (ticket,) = farm.take(JOB, 1)
        assert farm.claim(ticket, worker)
    farm.fail(ticket, "killed", "signal 11")

    assert farm.nodes.judge() == []
    assert charges(farm) == {ticket.index: ["counts"] * 3}
    assert farm.job(JOB).counts[TaskState.SET_ASIDE] == 1


def test_a_job_that_fails_everywhere_shuts_nobody_out(farm):
    for _ in range(SUSPICIOUS):
        fail(farm, BAD)
        fail(farm, GOOD)

    assert farm.nodes.judge() == []
    assert kinds(farm) == {"counts"}


def test_tasks_that_failed_elsewhere_too_say_nothing_against_a_node(farm):
    """One of many models is bad, and every node gets some of its tasks."""
    succeed(farm)
    tickets = [fail(farm) for _ in range(SUSPICIOUS)]
    again = take_again(farm, SUSPICIOUS)
    assert [t.index for t in again] == [t.index for t in tickets]
    for ticket in again:
        assert farm.claim(ticket, GOOD)
        farm.fail(ticket, "render", "it did not work")
    succeed(farm)

    assert farm.nodes.judge() == []


def test_success_of_another_job_proves_nothing(farm):
    farm.add_job("other", tasks=1, views=1)
    (ticket,) = farm.take("other", 1)
    farm.claim(ticket, GOOD)
    farm.complete(ticket)
    for _ in range(SUSPICIOUS):
        fail(farm)

    assert farm.nodes.judge() == []


def test_a_task_that_went_well_elsewhere_proves_who_was_at_fault(farm):
    tickets = [fail(farm) for _ in range(SUSPICIOUS)]
    assert farm.nodes.judge() == [], "so far nobody can know"
    for ticket in take_again(farm, SUSPICIOUS):
        assert ticket.index in [each.index for each in tickets]
        farm.claim(ticket, GOOD)
        farm.complete(ticket)

    assert [node for node, _ in farm.nodes.judge()] == ["bad@host"]


@pytest.mark.parametrize("cause", ["asset", "out_of_frame", "disk", "storage"])
def test_what_is_no_nodes_fault_is_never_held_against_one(farm, cause):
    succeed(farm)
    for _ in range(SUSPICIOUS):
        ticket = take(farm, BAD)
        farm.fail(ticket, cause, "why")
        farm.release(ticket)

    assert farm.nodes.judge() == []
    assert farm.nodes.conducts().keys() == {"good@host"}


@pytest.mark.parametrize("cause", ["device", "lost", "gpu_memory", "timeout", "unknown"])
def test_a_node_is_known_again_when_its_worker_was_started_anew(farm, cause):
    succeed(farm)
    for number in range(SUSPICIOUS):
        fail(farm, f"bad@host#{number}", cause)

    assert [node for node, _ in farm.nodes.judge()] == ["bad@host"]
    assert farm.nodes.quarantine("bad@host#another")


def test_success_wipes_the_slate(farm):
    succeed(farm)
    for _ in range(SUSPICIOUS - 1):
        fail(farm)
    succeed(farm, BAD)
    fail(farm)

    assert farm.nodes.judge() == []


def test_a_node_comes_back_when_it_has_passed(farm):
    shut_out(farm)
    farm.nodes.passed(BAD)

    assert farm.nodes.quarantine(BAD) is None
    farm.later(ELSEWHERE_BUSY_S + 1)
    assert take(farm, BAD)


def test_a_node_that_fails_again_and_again_rests_longer_and_longer(farm):
    shut_out(farm)
    pauses = []
    for _ in range(9):
        quarantine = farm.nodes.quarantine(BAD)
        pauses.append(round(quarantine.try_from_s - farm.now_s()))
        farm.later(quarantine.try_from_s - farm.now_s())
        farm.nodes.failed(BAD, "its test card is off")

    assert pauses == [0, 30, 60, 120, 240, 480, 960, 1800, 1800]
    assert pauses == [round(pause_s(times)) for times in range(1, 10)]
    assert max(pauses) == LONGEST_PAUSE_S
    assert farm.nodes.quarantine(BAD).sentence == (
        "it does not render correctly: its test card is off"
    )


def test_a_node_that_passed_and_fails_again_rests_longer_until_it_did_a_task(farm):
    shut_out(farm)
    farm.nodes.passed(BAD)
    farm.later(ELSEWHERE_BUSY_S + 1)
    for _ in range(SUSPICIOUS):
        fail(farm)
    assert farm.nodes.judge()
    assert farm.nodes.quarantine(BAD).times == 2
    farm.nodes.passed(BAD)
    farm.later(ELSEWHERE_BUSY_S + 1)
    succeed(farm, BAD)

    assert farm.nodes.conducts()["bad@host"].quarantine is None


def lone(ledger) -> Turned:
    farm = Turned(ledger.store)
    farm.add_job(JOB, tasks=12, views=12)
    farm.heartbeat(BAD, {}, ttl_s=1000)
    for _ in range(SUSPICIOUS):
        fail(farm)
        for ticket in farm.take(JOB, 1):
            farm.claim(ticket, BAD)  # else the same one comes again
    assert [node for node, _ in farm.nodes.judge()] == ["bad@host"]
    assert "refunded" not in kinds(farm), "nobody knows yet"
    return farm


def test_a_lone_node_warms_up_and_then_the_failures_count(ledger):
    farm = lone(ledger)
    farm.nodes.passed(BAD)
    assert kinds(farm) == {"counts"}
    farm.later(ELSEWHERE_BUSY_S + 1)
    for _ in range(SUSPICIOUS):
        fail(farm)

    assert farm.nodes.judge() == [], "it has shown that it can render: it is the job"


def test_a_lone_node_that_is_found_bad_has_cost_nothing(ledger):
    farm = lone(ledger)
    farm.nodes.failed(BAD, "black")

    assert kinds(farm) == {"refunded"}
    assert farm.nodes.conducts()["bad@host"].quarantine.owed == ()


def test_a_cancelled_or_forgotten_job_is_left_alone(farm):
    succeed(farm)
    for _ in range(SUSPICIOUS):
        fail(farm)
    farm.cancel(JOB)
    farm.settle(JOB)
    farm.nodes.judge()
    assert farm.job(JOB).state is JobState.CANCELLED
    farm.forget(JOB)

    assert farm.nodes.judge() == []


def test_what_a_judge_left_undone_is_done_by_the_next(farm, monkeypatch):
    succeed(farm)
    for _ in range(SUSPICIOUS):
        fail(farm)
    with monkeypatch.context() as broken:
        broken.setattr(farm.nodes, "_refund", lambda suspect: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            farm.nodes.judge()
    assert kinds(farm) == {"counts"}
    farm.nodes.judge()

    assert kinds(farm) == {"refunded"}


def test_a_clean_slate_is_not_paid_for_twice(farm):
    succeed(farm)
    spoilt = [fail(farm) for _ in range(SUSPICIOUS)]
    for ticket in take_again(farm, 1):  # ends at once
        farm.claim(ticket, GOOD)
        farm.fail(ticket, "asset", "there is nothing to render")
    farm.retry(JOB)
    farm.nodes.judge()

    assert charges(farm)[spoilt[0].index] == ["free", "free"]


@pytest.mark.parametrize("verb", ["claim", "fail", "release", "complete"])
def test_what_is_given_back_stays_so_while_the_task_moves(farm, verb):
    succeed(farm)
    for _ in range(SUSPICIOUS):
        fail(farm)
    (ticket, *_) = take_again(farm, 1)
    if verb != "claim":
        assert farm.claim(ticket, GOOD)
    shift, judge = farm.store.shift, Ledger(farm.store).nodes

    def judge_in_between(job_id, order):
        farm.store.shift = shift
        assert judge.judge()
        return shift(job_id, order)

    farm.store.shift = judge_in_between
    given = {"claim": (GOOD,), "fail": ("killed", "signal 11")}.get(verb, ())
    assert getattr(farm, verb)(ticket, *given)

    told = charges(farm).get(ticket.index)
    assert told == {"fail": ["refunded", "counts"], "complete": None}.get(verb, ["refunded"])


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"suspects":7}', '{"quarantine":{}}'])
def test_notes_that_somebody_damaged_stop_nobody(farm, text):
    farm.store.swap_conduct("bad@host", "", text)
    fail(farm)
    succeed(farm)
    farm.nodes.judge()

    assert farm.nodes.quarantine(BAD) is None
    assert "good@host" in farm.nodes.conducts()
    for _ in range(SUSPICIOUS):
        fail(farm)
    assert [node for node, _ in farm.nodes.judge()] == ["bad@host"]


def test_notes_of_a_node_are_forgotten_after_a_day(farm):
    succeed(farm)
    fail(farm)
    farm.later(90_000)
    farm.nodes.judge()

    assert farm.nodes.conducts() == {}


# elsewhere first


@pytest.mark.parametrize("cause", ["timeout", "killed", "lost", "render", "memory"])
def test_a_task_is_tried_by_another_worker_first(farm, cause):
    failed = fail(farm, BAD, cause)
    (again,) = farm.take(JOB, 1)
    assert again.index == failed.index

    assert not farm.claim(again, BAD)
    assert not farm.claim(again, BAD), "also when its message comes twice"
    assert failed.index not in [t.index for t in farm.take(JOB, 3)], "it is not sent again at once"
    farm.later(TURNED_AWAY_S + 0.1)
    (newest,) = farm.take(JOB, 1)
    assert newest.index == failed.index
    assert farm.claim(newest, GOOD)


@pytest.mark.parametrize(("tasks", "bound_s"), [(12, ELSEWHERE_BUSY_S), (1, ELSEWHERE_S)])
def test_nobody_waits_for_another_worker_for_ever(ledger, tasks, bound_s):
    """The other one may be busy for hours; who has other things to do waits longer."""
    farm = Turned(ledger.store)
    farm.add_job(JOB, tasks=tasks, views=tasks)
    for worker in (BAD, GOOD):
        farm.heartbeat(worker, {}, ttl_s=100_000)
    failed = fail(farm)
    farm.later(bound_s - 5)
    (again, *_) = farm.take(JOB, tasks)
    assert again.index == failed.index
    assert not farm.claim(again, BAD)
    farm.later(6)
    (again,) = farm.take(JOB, 1)

    assert again.index == failed.index
    assert farm.claim(again, BAD)


def test_what_waits_for_a_task_is_nothing_else_to_do(farm):
    """Nothing else can be done before it: the other node may be busy for long."""
    waits_for = dict.fromkeys(range(1, 12), 0).get
    (maker,) = farm.take(JOB, 12, waits_for=waits_for)
    assert farm.claim(maker, BAD)
    farm.fail(maker, "killed", "signal 11")
    farm.later(ELSEWHERE_S + 1)
    (again,) = farm.take(JOB, 12, waits_for=waits_for)

    assert farm.claim(again, BAD)


def test_tasks_that_are_kept_for_others_as_well_are_nothing_else_to_do(farm):
    """A node that failed at all that is left, and is well again, would be idle for long."""
    while farm.job(JOB).counts[TaskState.PENDING] > 3:
        succeed(farm)
    asked_for = fail(farm, cause="asset")
    farm.retry_these(JOB, [asked_for.index], elsewhere=True)
    failed = {fail(farm, cause="killed").index for _ in range(2)}
    farm.later(ELSEWHERE_S - 5)
    assert not any(farm.claim(ticket, BAD) for ticket in farm.take(JOB, 3))
    farm.later(6)

    assert {t.index for t in farm.take(JOB, 3) if farm.claim(t, BAD)} == failed


@pytest.mark.parametrize("away", ["gone", "shut", "tried"])
def test_a_task_is_not_kept_for_workers_that_cannot_help(farm, away):
    ticket = take(farm, BAD)
    if away == "gone":
        farm.farewell(GOOD)
    if away == "shut":
        shut = '{"quarantine":{"sentence":"","since_s":1e12,"try_from_s":1e12}}'
        farm.store.swap_conduct("good@host", "", shut)
    if away == "tried":
        farm.fail(ticket, "render", "it did not work")
        (ticket,) = farm.take(JOB, 1)
        assert farm.claim(ticket, GOOD)
    farm.fail(ticket, "render", "it did not work")
    (again,) = farm.take(JOB, 1)

    assert farm.claim(again, BAD)


def test_a_task_whose_own_fault_it_is_or_that_was_handed_back_is_kept_for_nobody(farm):
    ticket = take(farm, BAD)
    farm.release(ticket)
    (again,) = farm.take(JOB, 1)
    assert farm.claim(again, BAD)
    farm.fail(again, "disk", "full")
    (again,) = farm.take(JOB, 1)

    assert farm.claim(again, BAD)


def test_a_claim_whose_answer_was_lost_is_not_undone_by_a_quarantine(farm):
    succeed(farm)
    held = take(farm, BAD)
    for _ in range(SUSPICIOUS):
        fail(farm)
    farm.nodes.judge()

    assert farm.claim(held, BAD), "it holds it"


def test_the_time_is_asked_once_however_many_nodes_are_judged(farm, monkeypatch):
    for number in range(12):
        succeed(farm, f"gpu0@host{number}#1")
    asked = []
    now_s = farm.store.now_s
    monkeypatch.setattr(farm.store, "now_s", lambda: asked.append(1) or now_s())

    farm.nodes.judge()

    assert len(asked) == 1
