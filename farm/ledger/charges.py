"""What counts against a task, and where that leads."""

from __future__ import annotations

from farm.ledger.model import FailedAttempt, TaskRecord, TaskState
from farm.ledger.policy import STORY_LENGTH, Policy, policy_of


def clean(record: TaskRecord) -> TaskRecord:
    """Return a record of which nothing counts against its task any more."""
    story = tuple(
        each.model_copy(update={"charge": "free"}) if each.charge == "counts" else each
        for each in record.story
    )
    return record.model_copy(update={"charges": {}, "story": story, "avoid": ()})


def charged(
    record: TaskRecord, failure: FailedAttempt, policy: Policy
) -> tuple[TaskState, TaskRecord]:
    """Return where a failure leads, and the record that tells of it."""
    charges, target = dict(record.charges), TaskState.PENDING
    if policy.cap is not None:
        charges[policy.then] = charges.get(policy.then, 0) + 1
        target = policy.then if charges[policy.then] >= policy.cap else TaskState.PENDING
    story = (*record.story, failure)[-STORY_LENGTH:]
    return target, record.model_copy(update={"charges": charges, "story": story})


def without_charge(record: TaskRecord, attempt: int) -> TaskRecord | None:
    """Return a record of which one attempt counts no more; None where it did not count."""
    found = [each for each in record.story if each.attempt == attempt and each.charge == "counts"]
    if not found:
        return None
    then = policy_of(found[0].cause).then
    charges = record.charges | {then: max(record.charges.get(then, 0) - 1, 0)}
    story = tuple(
        each.model_copy(update={"charge": "refunded"}) if each in found else each
        for each in record.story
    )
    return record.model_copy(update={"charges": charges, "story": story, "edits": record.edits + 1})


def is_ended(record: TaskRecord, state: TaskState) -> bool:
    """Say whether what still counts against a task is enough for the state in which it ended."""
    causes = [policy_of(each.cause) for each in record.story if each.charge == "counts"]
    caps = [each.cap for each in causes if each.then is state and each.cap is not None]
    return record.charges.get(state, 0) >= min(caps, default=1)
