"""The live workers, as the ledger knows them."""

from __future__ import annotations

from farm.api.access.owners import may_see, owner_of
from farm.api.services import Services
from farm.ledger import Ledger
from farm.ledger.waiting import quarantine_words
from farm.spec.wire import TokenInfo, WorkerInfo

OF_OTHERS = "a task of others"


def list_workers(ledger: Ledger) -> tuple[WorkerInfo, ...]:
    """Return every worker with a live heartbeat, with the task that it holds."""
    now_s = ledger.now_s()
    return tuple(
        WorkerInfo(
            worker=one.worker,
            name=one.info.get("name", one.worker),
            host=one.info.get("host", ""),
            device=one.info.get("device", ""),
            task=one.task,
            views_per_s=one.views_per_s,
            view_megasamples=one.view_megasamples,
            quarantine=quarantine_words(one.quarantine, now_s) if one.quarantine else None,
            last_seen_s=max(round(now_s - one.seen_s, 3), 0.0),
        )
        for one in ledger.workers()
    )


def seen_workers(services: Services, caller: TokenInfo) -> tuple[WorkerInfo, ...]:
    """Return every live worker, with as much of its task as the caller may know."""
    found = list_workers(services.ledger)
    if services.settings.shared:
        return found
    return tuple(as_seen(services, caller, worker) for worker in found)


def as_seen(services: Services, caller: TokenInfo, worker: WorkerInfo) -> WorkerInfo:
    """Return a worker, with as much of its task as the caller may know."""
    owner = owner_of(services, worker.task.partition("/")[0]) if worker.task else None
    if owner is None or may_see(services, caller, owner):
        return worker
    return worker.model_copy(update={"task": OF_OTHERS})
