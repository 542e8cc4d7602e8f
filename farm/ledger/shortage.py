"""What holds a job back, although nothing is wrong with it."""

from __future__ import annotations

from farm.ledger.ledger import Ledger
from farm.ledger.model import JobStatus
from farm.ledger.policy import policy_of


def shortage(ledger: Ledger, job: JobStatus) -> str | None:
    """Return what all tasks of a job would meet now, such as a full disk; None where nothing."""
    if job.held_until_s <= ledger.now_s():
        return None
    attempts = [
        attempt
        for story in ledger.failures(job.job_id)
        for attempt in story.attempts
        if policy_of(attempt.cause).hold_s
    ]
    return max(attempts, key=lambda attempt: attempt.time_s).sentence if attempts else None
