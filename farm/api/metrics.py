"""The metrics for Prometheus, in a registry of our own."""

from __future__ import annotations

import logging
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import Scope

from farm.errors import UnreachableError
from farm.ledger import JobState, Ledger, TaskState, WorkerStatus
from farm.ledger.model import node_of
from farm.queue import TaskQueue

log = logging.getLogger(__name__)


class FarmCollector(Collector):
    """Asks the ledger and the queue whenever metrics are read."""

    def __init__(self, ledger: Ledger, queue: TaskQueue) -> None:
        self.ledger = ledger
        self.queue = queue

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily("farm_redis_up", "1 while Redis answers")
        try:
            found = list(self._ask())
        except UnreachableError as error:
            log.warning("%s; metrics are missing", error)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from found

    def _ask(self) -> Iterator[GaugeMetricFamily]:
        jobs = self.ledger.jobs()
        states = Tally(job.state for job in jobs)
        yield labelled(
            "farm_jobs", "Jobs by state", "state", {state: states[state] for state in JobState}
        )
        tasks = {state: sum(job.counts[state] for job in jobs) for state in TaskState}
        yield labelled("farm_tasks", "Tasks of all jobs by state", "state", tasks)
        workers = self.ledger.workers()
        devices = Tally(worker.info.get("device", "") for worker in workers)
        yield labelled("farm_workers", "Live workers, by device", "device", devices)
        yield from crew_metrics(workers, self.ledger.now_s())
        yield plain("farm_views_done", "Rendered views", sum(job.views_done for job in jobs))
        waiting = sum(job.counts[TaskState.PENDING] for job in jobs if job.state in FED)
        waiting += sum(job.counts[TaskState.QUEUED] for job in jobs if not job.over)
        yield plain("farm_tasks_waiting", "Tasks of running jobs that no worker has yet", waiting)
        in_hand = sum(job.counts[TaskState.RUNNING] for job in jobs if not job.over)
        yield plain(
            "farm_tasks_unfinished",
            "Tasks that workers have or could have: as many workers would find work",
            waiting + in_hand,
        )
        with self.ledger.sparing():
            inboxes = [worker.info.get("inbox") for worker in workers]
            messages = sum(self.queue.length(each) for each in [None, *filter(None, inboxes)])
            yield plain("farm_queue_messages", "Messages that no worker has fetched", messages)
        damaged = GaugeMetricFamily(
            "farm_damaged", "Damaged values in Redis that were renamed, by kind", labels=["kind"]
        )
        for kind, count in self.ledger.aside().counts.items():
            damaged.add_metric([kind], count)
        yield damaged
        dropped = sum(job.dropped for job in jobs)
        yield plain("farm_results_dropped", "Results that arrived too late", dropped)


FED = (JobState.QUEUED, JobState.RUNNING)


class Metrics:
    """The registry and the counters of requests."""

    def __init__(self, ledger: Ledger, queue: TaskQueue) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(FarmCollector(ledger, queue))
        self.requests = Counter(
            "farm_api_requests",
            "Requests by method, route and status",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "farm_api_request_seconds",
            "Response times in seconds, by route",
            ("route",),
            registry=self.registry,
            buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600),
        )

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request under its route's pattern: the number of paths is unlimited."""
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)


METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})


def crew_metrics(workers: Sequence[WorkerStatus], now_s: float) -> Iterator[GaugeMetricFamily]:
    """Yield what is known of live workers: of each by its node, which outlives restarts."""
    shut = sum(worker.quarantine is not None for worker in workers)
    yield plain("farm_workers_quarantined", "Live workers in quarantine, which get no tasks", shut)
    drained = sum(worker.drain is not None for worker in workers)
    yield plain("farm_workers_drained", "Live workers that somebody has drained", drained)
    for name, help_text, measure in MEASURES:
        gauge = GaugeMetricFamily(name, help_text, labels=["worker"])
        told = {node_of(worker.worker): measure(worker, now_s) for worker in workers}
        for node, value in told.items():
            if value is not None:
                gauge.add_metric([node], value)
        yield gauge


MEASURES: tuple[tuple[str, str, Callable[[WorkerStatus, float], float | None]], ...] = (
    (
        "farm_worker_sampling_ratio",
        "Part of the last five minutes in which Cycles traced paths",
        WorkerStatus.sampled_lately,
    ),
    (
        "farm_worker_gpu_temperature_celsius",
        "Temperature of the GPU",
        lambda worker, _now_s: worker.gauges.temperature_c,
    ),
    (
        "farm_worker_gpu_power_watts",
        "Power that the GPU takes",
        lambda worker, _now_s: worker.gauges.power_w,
    ),
    (
        "farm_worker_gpu_memory_used_bytes",
        "Memory of the GPU that is in use",
        lambda worker, _now_s: worker.gauges.memory_used_bytes,
    ),
    (
        "farm_worker_gpu_memory_total_bytes",
        "Memory of the GPU",
        lambda worker, _now_s: worker.gauges.memory_total_bytes,
    ),
)
"""Of each worker: the name of a metric, its help, and how it is found."""


def labelled(
    name: str,
    help_text: str,
    label: str,
    values: dict[JobState, int] | dict[TaskState, int] | Tally[str],
) -> GaugeMetricFamily:
    """Return a gauge with one value per label."""
    gauge = GaugeMetricFamily(name, help_text, labels=[label])
    for key, value in values.items():
        gauge.add_metric([str(key)], value)
    return gauge


def plain(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    """Return a gauge with one value."""
    return GaugeMetricFamily(name, help_text, value=value)
