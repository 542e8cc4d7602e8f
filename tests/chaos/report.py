"""What is told of a run: a line per kind of fault, what was rendered twice, what was lost."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from farm import expand
from tests.chaos.audit import Violation
from tests.chaos.farm import ChaosFarm
from tests.chaos.injection import Injection
from tests.chaos.schedule import DISPATCHER, REDIS, WORKER


def shortcomings(
    farm: ChaosFarm, violations: Sequence[Violation], *, limit_s: float = math.inf
) -> list[str]:
    """Return a sentence for each thing that must not be."""
    late = [
        f"{kind}: recovered after {max(found):.0f} s, not within {limit_s:.0f} s"
        for kind, found in recoveries(farm).items()
        if found and max(found) > limit_s
    ]
    if farm.reader.twice > in_flight(farm):
        late.append(f"{farm.reader.twice} views came twice, {in_flight(farm)} were in flight")
    return [*map(str, violations), *late]


def table(farm: ChaosFarm, violations: Sequence[Violation], *, seed: int) -> Iterator[str]:
    """Yield the lines of a run's report."""
    yield f"{'fault':<18} {'times':>5} {'recovered: median':>18} {'max':>8}"
    times = Counter(each.fault.kind for each in farm.injections)
    for kind, seconds in sorted(recoveries(farm).items()):
        told = [f"{of(seconds):.1f} s" if seconds else "-" for of in (statistics.median, max)]
        yield f"{kind:<18} {times[kind]:>5} {told[0]:>18} {told[1]:>8}"
    tasks = sum(expand.count(job).tasks for job in farm.jobs)
    lost = sum(each.count for each in violations if each.name == "every_view_once")
    yield ""
    yield f"faults {len(farm.injections)}, views {len(farm.reader.rendered)}, tasks {tasks}"
    yield f"views rendered twice {farm.reader.twice} (in flight at the faults: {in_flight(farm)})"
    yield f"late results dropped {farm.dropped.total()}, tasks set aside and retried {farm.retried}"
    yield f"losses {lost}"
    yield f"repeat with CHAOS_SEED={seed}"


def in_flight(farm: ChaosFarm) -> int:
    """Return how many views were in flight at all faults together: what may come twice."""
    views = max((job.spec.views_per_task for job in farm.jobs), default=0)
    many = ("rolling restart", "outage", *REDIS)
    return sum(
        views * (len(farm.workers) if each.fault.kind in many else 1)
        for each in farm.injections
        if each.fault.kind not in DISPATCHER
    )


def recoveries(farm: ChaosFarm) -> dict[str, list[float]]:
    """Return, by kind, how many seconds the farm needed after each fault; inf: it did not."""
    found: dict[str, list[float]] = defaultdict(list)
    for each in farm.injections:
        seconds = found[each.fault.kind]
        if each.fault.kind in WORKER and not each.hit:
            continue  # the worker had nothing in hand
        since_s = (each.recovered_s or math.inf) - clock_start(farm, each)
        seconds.append(max(since_s, 0.0))
    return found


def clock_start(farm: ChaosFarm, injection: Injection) -> float:
    """Return since when a recovery counts.

    After a service was away: since it is back. After a fault of a worker: since it began. In both
    cases since another service is back, where one was away meanwhile.
    """
    start = injection.begun_s if injection.fault.kind in WORKER else injection.over_s or math.inf
    end = injection.recovered_s or math.inf
    back = [
        each.over_s
        for each in farm.injections
        if each.fault.kind not in WORKER and each.over_s is not None and start < each.over_s < end
    ]
    return max([start, *back])
