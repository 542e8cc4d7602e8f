"""Nodes that are not trusted: quarantine, what it gives back, and who tries a task again."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from farm.ledger.charges import is_ended, without_charge
from farm.ledger.damage import Sparing, known_codes
from farm.ledger.drains import Drains
from farm.ledger.model import (
    CANCELLED_JOB,
    FED_JOB,
    STATES,
    Conduct,
    JobState,
    Quarantine,
    Suspect,
    TaskRecord,
    TaskState,
    node_of,
)
from farm.ledger.policy import ELSEWHERE_BUSY_S, ELSEWHERE_S, SUSPICIOUS, pause_s
from farm.ledger.reading import read_status
from farm.ledger.steps import put_waiting_back, states_of
from farm.ledger.stores.store import Store, TaskMove, Transition
from farm.ledger.suspicion import (
    do_well,
    failed_on_s,
    leaves,
    newest_s,
    read,
    shut,
    tasks_of,
    tried_on,
    write,
)

KEPT_S = 86400.0
"""What is noted of a node is forgotten after a day without news of it."""
ENDED = (TaskState.FAILED, TaskState.SET_ASIDE)
GOES_ON = {JobState.COMPLETED: JobState.RUNNING, JobState.FAILED: JobState.RUNNING}


class Seen(NamedTuple):
    """A task as it stands."""

    state: TaskState
    record: TaskRecord


class Nodes:
    """Judges nodes by how their attempts end, compared with those of others.

    Any number of dispatchers may judge: a note is changed only while it is what the judge saw.
    """

    def __init__(self, store: Store, sparing: Sparing | None = None) -> None:
        self.store = store
        self.sparing = sparing or Sparing()
        self.drains = Drains(store)

    def conducts(self) -> dict[str, Conduct]:
        """Return what is noted of each node."""
        return {node: read(text) for node, text in self.store.conducts().items()}

    def conduct(self, node: str) -> Conduct:
        """Return what is noted of one node."""
        return read(self.store.conduct(node))

    def quarantine(self, worker: str) -> Quarantine | None:
        """Return why a worker gets no tasks; None where it does."""
        conduct = self.conduct(node_of(worker))
        return conduct.quarantine if conduct.shut else None

    def refuses(self, record: TaskRecord, worker: str) -> bool:
        """Say whether a worker must leave a task to others, for now or for a while."""
        node = node_of(worker)
        if self.drains.of(node) or self.conduct(node).shut:
            return True
        if node in record.avoid and self._open_nodes(self.conducts()) - set(record.avoid):
            return True
        if not (failed_s := failed_on_s(record, node)):
            return False
        past_s = self.store.now_s() - failed_s
        if past_s > ELSEWHERE_BUSY_S or not self._open_nodes(self.conducts()) - tried_on(record):
            return False
        return past_s < ELSEWHERE_S or self._has_others(node)

    def judge(self) -> list[tuple[str, str]]:
        """Bring bad nodes into quarantine, give back what they cost; return which, and why."""
        texts, now_s = self.store.conducts(), self.store.now_s()
        conducts = {node: read(text) for node, text in texts.items()}
        told = []
        for node, text in texts.items():
            before, after = conducts[node], self._judged(node, conducts, now_s)
            damaged = before == Conduct()  # nothing would not have been written
            changed = damaged or after != before
            if changed and not self.store.swap_conduct(node, text, write_or_not(after)):
                continue  # something happened meanwhile: next time
            if damaged:
                self.store.keep_aside("node", node, text)
            conducts[node] = after
            if after.shut and not before.shut and after.quarantine:
                told.append((node, after.quarantine.sentence))
            self._settle(node, after)
        return told

    def passed(self, worker: str) -> None:
        """End a quarantine: the known frame came out right. What was on trial counts."""
        node = node_of(worker)
        self._settle(node, self.conduct(node))
        self._change(node, lambda was: {"over": True, "on_trial": False, "owed": ()})

    def failed(self, worker: str, sentence: str) -> None:
        """Prolong a quarantine: the known frame did not come out right. Nothing counts."""
        node, now_s = node_of(worker), self.store.now_s()
        self._change(
            node,
            lambda was: {
                "times": was.times + 1,
                "failed_proofs": was.failed_proofs + 1,
                "try_from_s": now_s + pause_s(was.times + 1),
                "sentence": f"it does not render correctly: {sentence}",
                "on_trial": False,
            },
        )
        self._settle(node, self.conduct(node))

    # What the verbs above are made of

    def _open_nodes(self, conducts: dict[str, Conduct]) -> set[str]:
        living = {node_of(worker) for worker in self.store.beating()} - self.drains.all().keys()
        return {node for node in living if not conducts.get(node, Conduct()).shut}

    def _has_others(self, node: str) -> bool:
        """Say whether tasks are in the queue that a node need not leave to other nodes.

        What is pending does not count: it may wait for the very task that is refused.
        """
        now_s = self.store.now_s()
        for job_id in self.store.job_ids():
            with self.sparing():
                meta = self.store.meta(job_id)
                job = read_status(job_id, meta) if meta else None
                if job and job.state in FED_JOB and job.held_until_s <= now_s:
                    queued = job.counts[TaskState.QUEUED]
                    if queued and queued > self._left_to_others(job_id, node, now_s):
                        return True
        return False

    def _left_to_others(self, job_id: str, node: str, now_s: float) -> int:
        """Count the tasks of a job in the queue that are for other nodes than this one."""
        records = self.store.records(job_id)
        left = [at for at, record in records.items() if leaves(record, node, now_s)]
        states = states_of(self.store, job_id, left).values()
        return sum(state is TaskState.QUEUED for state in states)

    def _judged(self, node: str, conducts: dict[str, Conduct], now_s: float) -> Conduct:
        """Return what is to be noted of a node from now on."""
        conduct = conducts[node]
        if conduct.shut and conduct.quarantine:  # what was in its hands then
            owed = (*conduct.quarantine.owed, *conduct.suspects)
            quarantine = conduct.quarantine.model_copy(update={"owed": owed})
            return conduct.model_copy(update={"suspects": (), "quarantine": quarantine})
        if newest_s(conduct) < now_s - KEPT_S:
            return Conduct()
        if tasks_of(conduct.suspects) < SUSPICIOUS:
            return conduct
        doubtful = tuple(each for each in conduct.suspects if self._only_on(node, each))
        others = [other for name, other in conducts.items() if name != node]
        proven = tuple(each for each in doubtful if self._goes_well(each, others, now_s))
        if tasks_of(proven) >= SUSPICIOUS:
            count, cause = tasks_of(proven), proven[-1].cause
            words = f"{count} tasks in a row failed on it ({cause}) while others complete them"
            return shut(conduct, proven, words, now_s=now_s)
        alone = conduct.quarantine is None and not self._open_nodes(conducts) - {node}
        if alone and tasks_of(doubtful) >= SUSPICIOUS:
            count, cause = tasks_of(doubtful), doubtful[-1].cause
            words = (
                f"{count} tasks in a row failed on it ({cause}); the fault may be its own or theirs"
            )
            return shut(conduct, doubtful, words, now_s=now_s, on_trial=True)
        return conduct

    def _only_on(self, node: str, suspect: Suspect) -> bool:
        """Say whether a task failed on no other node, which would speak for this one."""
        seen = self._see(suspect)
        return seen is not None and tried_on(seen.record) <= {node}

    def _goes_well(self, suspect: Suspect, others: list[Conduct], now_s: float) -> bool:
        """Say whether others did this task, or do those of its job."""
        seen = self._see(suspect)
        done = seen is not None and seen.state is TaskState.DONE
        return done or do_well(others, suspect.job_id, now_s)

    def _see(self, suspect: Suspect) -> Seen | None:
        with self.sparing():
            code = known_codes(suspect.job_id, self.store.states(suspect.job_id, suspect.index, 1))
            records = self.store.records(suspect.job_id, [suspect.index])
            record = records.get(suspect.index, TaskRecord())
            return Seen(STATES[code], record) if code else None
        return None

    def _settle(self, node: str, conduct: Conduct) -> None:
        """Give back what a node in quarantine has cost; twice is once."""
        quarantine = conduct.quarantine
        if quarantine is None or quarantine.on_trial or not quarantine.owed:
            return
        for suspect in quarantine.owed:
            with self.sparing():
                self._refund(suspect)
        for job_id in {suspect.job_id for suspect in quarantine.owed}:
            with self.sparing():
                put_waiting_back(self.store, job_id)
        paid = quarantine.owed
        self._change(node, lambda was: {"owed": tuple(s for s in was.owed if s not in paid)})

    def _refund(self, suspect: Suspect) -> None:
        """Take back the charge of an attempt; the task continues if that was what ended it."""
        while seen := self._see(suspect):
            state, record = seen
            after = without_charge(record, suspect.attempt)
            if after is None:
                return
            revived = state in ENDED and not is_ended(after, state)
            target = TaskState.PENDING if revived else state
            move = TaskMove(suspect.index, state, record.attempt, target, after, record.edits)
            ripple = GOES_ON if revived else {}
            order = Transition([move], frozenset(JobState) - CANCELLED_JOB, ripple)
            if self.store.shift(suspect.job_id, order)[0] or self._see(suspect) == seen:
                return  # done; or the job is cancelled

    def _change(self, node: str, change: Callable[[Quarantine], dict[str, object]]) -> None:
        while text := self.store.conduct(node):
            conduct = read(text)
            if not conduct.shut or conduct.quarantine is None:
                return
            quarantine = conduct.quarantine.model_copy(update=change(conduct.quarantine))
            after = conduct.model_copy(update={"quarantine": quarantine})
            if self.store.swap_conduct(node, text, write(after)):
                return


def write_or_not(conduct: Conduct) -> str:
    """Write what is noted of a node; the empty text where that is nothing."""
    return "" if conduct == Conduct() else write(conduct)
