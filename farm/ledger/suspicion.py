"""What attempts say of the node that made them: plain rules over plain data."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from farm.ledger.model import (
    Conduct,
    FailedAttempt,
    Quarantine,
    Suspect,
    TaskRecord,
    node_of,
)
from farm.ledger.policy import ELSEWHERE_BUSY_S, WELL_S, pause_s, policy_of


def read(text: str) -> Conduct:
    """Read what is noted of a node; what cannot be read says nothing."""
    try:
        return Conduct.model_validate_json(text) if text else Conduct()
    except ValidationError:
        return Conduct()


def write(conduct: Conduct) -> str:
    """Write what is noted of a node; nothing that is empty, which Lua would make an object."""
    return conduct.model_dump_json(exclude_defaults=True)


def may_be_nodes(attempt: FailedAttempt) -> bool:
    """Say whether a failure may be its node's fault."""
    return policy_of(attempt.cause).node


def tried_on(record: TaskRecord) -> set[str]:
    """Return the nodes on which a task failed, maybe by their fault."""
    return {node_of(each.worker) for each in record.story if may_be_nodes(each)}


def kept_from(record: TaskRecord) -> set[str]:
    """Return the nodes that are to leave a task to others, as long as there are some."""
    return tried_on(record) | set(record.avoid)


def failed_on_s(record: TaskRecord, node: str) -> float:
    """Return when a task failed on a node last, maybe by its fault; 0 where it never did."""
    own = [a.time_s for a in record.story if node_of(a.worker) == node and may_be_nodes(a)]
    return max(own, default=0.0)


def leaves(record: TaskRecord, node: str, now_s: float) -> bool:
    """Say whether a node leaves a task to others while it has something else to do."""
    failed_s = failed_on_s(record, node)
    return node in record.avoid or (bool(failed_s) and now_s - failed_s <= ELSEWHERE_BUSY_S)


def tasks_of(suspects: Iterable[Suspect]) -> int:
    """Count different tasks."""
    return len({(each.job_id, each.index) for each in suspects})


def do_well(others: Iterable[Conduct], job_id: str, now_s: float) -> bool:
    """Say whether any of these nodes does tasks of a job, and fails at nothing since."""
    return any(
        job_id in other.done and now_s - other.done[job_id] < WELL_S and not other.suspects
        for other in others
    )


def newest_s(conduct: Conduct) -> float:
    """Return when something was noted last."""
    times = [each.time_s for each in conduct.suspects] + list(conduct.done.values())
    if conduct.quarantine:
        times += [conduct.quarantine.since_s, conduct.quarantine.try_from_s]
    return max(times, default=0.0)


def shut(
    conduct: Conduct,
    owed: tuple[Suspect, ...],
    sentence: str,
    *,
    now_s: float,
    on_trial: bool = False,
) -> Conduct:
    """Return what is noted of a node that gets no tasks from now on."""
    times = conduct.quarantine.times + 1 if conduct.quarantine else 1
    quarantine = Quarantine(
        sentence=sentence,
        since_s=now_s,
        try_from_s=now_s + pause_s(times),
        times=times,
        on_trial=on_trial,
        owed=owed,
    )
    return conduct.model_copy(update={"quarantine": quarantine, "suspects": ()})
