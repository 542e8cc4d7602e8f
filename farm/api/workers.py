"""The workers that live, and those that were lost, as the ledger knows them."""

from __future__ import annotations

from collections.abc import Collection

from farm.api.access.owners import may_see, owner_of
from farm.api.services import Services
from farm.ledger import Ledger, WorkerStatus
from farm.ledger.model import node_of
from farm.ledger.waiting import drain_words, quarantine_words
from farm.spec.wire import LostWorker, TokenInfo, WorkerInfo, WorkerState

OF_OTHERS = "a task of others"


def list_workers(ledger: Ledger) -> tuple[WorkerInfo, ...]:
    """Return every worker with a live heartbeat, with the task that it holds."""
    now_s, found = ledger.now_s(), ledger.workers()
    holders = holders_among(ledger, found)
    return tuple(worker_info(one, now_s=now_s, holders=holders) for one in found)


def holders_among(ledger: Ledger, workers: Collection[WorkerStatus]) -> Collection[str] | None:
    """Return who holds a task, where it matters: a renderer that died could not say that it holds
    none, and a drained worker would seem to hold its task for ever."""
    doubtful = any(worker.drain and worker.task for worker in workers)
    return ledger.in_hand().keys() if doubtful else None


def worker_info(
    one: WorkerStatus, *, now_s: float, holders: Collection[str] | None = None
) -> WorkerInfo:
    """Return what is told of a worker."""
    holds = holders is None or one.worker in holders
    task = one.task if holds else None
    return WorkerInfo(
        worker=one.worker,
        node=node_of(one.worker),
        name=one.info.get("name", one.worker),
        host=one.info.get("host", ""),
        device=one.info.get("device", ""),
        hardware=one.info.get("hardware", ""),
        state=state_of(one, task),
        task=task,
        title=one.title if task else "",
        views_per_s=one.views_per_s,
        view_megasamples=one.view_megasamples,
        sampling_share=one.sampled_lately(now_s),
        temperature_c=one.gauges.temperature_c,
        power_w=one.gauges.power_w,
        gpu_memory_used_bytes=one.gauges.memory_used_bytes,
        gpu_memory_total_bytes=one.gauges.memory_total_bytes,
        quarantine=quarantine_words(one.quarantine, now_s) if one.quarantine else None,
        drained=drain_words(one.drain) if one.drain else None,
        up_s=one.up_s,
        last_seen_s=max(round(now_s - one.seen_s, 3), 0.0),
    )


def state_of(worker: WorkerStatus, task: str | None) -> WorkerState:
    """Return the word for how a worker stands."""
    if worker.drain:
        return "draining" if task else "drained"
    if worker.quarantine:
        return "quarantine"
    if worker.is_warming:
        return "warming"
    return "renders" if task else "idle"


def seen_workers(services: Services, caller: TokenInfo) -> tuple[WorkerInfo, ...]:
    """Return every live worker, with as much of its task as the caller may know."""
    found = list_workers(services.ledger)
    return tuple(as_seen(services, caller, worker) for worker in with_pictures(services, found))


def with_pictures(services: Services, workers: tuple[WorkerInfo, ...]) -> tuple[WorkerInfo, ...]:
    """Add where the newest picture of each worker is."""
    if services.glimpses is None:
        return workers
    newest = services.glimpses.newest_of([one.worker for one in workers])
    places = {worker: f"/v1/jobs/{job}/newest/{number}" for worker, (job, number) in newest.items()}
    return tuple(one.model_copy(update={"picture": places.get(one.worker)}) for one in workers)


def as_seen(services: Services, caller: TokenInfo, worker: WorkerInfo) -> WorkerInfo:
    """Return a worker, with as much of its task as the caller may know."""
    changes: dict[str, object] = {}
    if worker.task and not may_know(services, caller, worker.task.partition("/")[0]):
        changes |= {"task": OF_OTHERS, "title": ""}
    if worker.picture and not may_know(services, caller, worker.picture.split("/")[3]):
        changes["picture"] = None
    return worker.model_copy(update=changes) if changes else worker


def may_know(services: Services, caller: TokenInfo, job_id: str) -> bool:
    """Say whether somebody may know of a job; a job that is gone is no secret."""
    if services.settings.shared:
        return True
    owner = owner_of(services, job_id)
    return owner is None or may_see(services, caller, owner)


def lost_workers(services: Services, caller: TokenInfo) -> tuple[LostWorker, ...]:
    """Return the workers that were lost within the last day, the newest first."""
    found = sorted(services.ledger.lost_workers(), key=lambda one: -one.seen_s)
    living = {node_of(worker.worker) for worker in services.ledger.workers()} if found else set()
    return tuple(lost_worker(services, caller, one, living) for one in found)


def lost_worker(
    services: Services, caller: TokenInfo, one: WorkerStatus, living: Collection[str]
) -> LostWorker:
    """Return what is told of a worker that was lost."""
    seen = one.task is None or may_know(services, caller, one.task.partition("/")[0])
    node = node_of(one.worker)
    return LostWorker(
        worker=one.worker,
        node=node,
        name=one.info.get("name", one.worker),
        host=one.info.get("host", ""),
        device=one.info.get("device", ""),
        lost_s=one.seen_s,
        task=one.task if seen else OF_OTHERS,
        title=one.title if seen else "",
        is_back=node in living,
    )
