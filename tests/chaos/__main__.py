"""`make chaos`: minutes of faults with a five-minute outage and some real renders, then the audit.

CHAOS_SECONDS (600) says for how long, CHAOS_SEED which faults. Exit code 0: everything held.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import tempfile
import time
from pathlib import Path

from farm.spec.job import Job
from farm.spec.recipes.sod import SodAugmented
from tests.builders import a_job
from tests.chaos.farm import ChaosFarm
from tests.chaos.net import NamespaceNet, ProxyNet, namespaces_are_here
from tests.chaos.real import real_job
from tests.chaos.report import shortcomings, table
from tests.chaos.schedule import REDIS, Fault, draw_faults

WORKERS = 4
LEASE_TTL_S = 10.0
"""As it is by default."""
LIMIT_S = 60.0
"""A dead worker's task must be done by another within so long."""
OUTAGE_S = 300.0
PATIENCE_S = 6.0
"""The next fault waits for its views for so long; during an outage there are none."""


def main() -> int:
    seconds = float(os.environ.get("CHAOS_SECONDS", "600"))
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(10**6))
    why_not = namespaces_are_here()
    if why_not:
        print(f"no network namespaces here ({why_not}): a proxy on the loopback cuts instead")
    net = ProxyNet() if why_not else NamespaceNet()
    print(f"seed {seed}, {seconds:.0f} s, {WORKERS} workers, {net.name}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    kept = bool(os.environ.get("CHAOS_KEEP"))
    with tempfile.TemporaryDirectory(prefix="farm-chaos-", delete=not kept) as name:
        folder = Path(name)
        with ChaosFarm(folder, net, workers=WORKERS, lease_ttl_s=LEASE_TTL_S) as farm:
            try:
                return rampage(farm, seed=seed, seconds=seconds)
            except KeyboardInterrupt:
                print("interrupted: all is stopped", flush=True)
                return 130


def rampage(farm: ChaosFarm, *, seed: int, seconds: float) -> int:
    """Inject faults until the time is up; tell how it went."""
    started = time.monotonic()
    farm.supply = small_job
    farm.submit(small_job(0))
    if real := real_job(farm.folder):
        farm.submit(real)
    faults = draw_faults(seed, workers=WORKERS, views_between=150)
    outage_at = started + (seconds - OUTAGE_S) / 3 if seconds > 1.2 * OUTAGE_S else float("inf")
    end = started + seconds
    while time.monotonic() < end:
        if time.monotonic() > outage_at:
            outage_at = float("inf")
            outage = Fault("outage", 0, 0, False, True, OUTAGE_S / LEASE_TTL_S)
            show(outage, started)
            farm.inject(outage)
        fault = next(faults)
        if farm.busy("redis") and fault.kind in REDIS:
            continue  # it is away already
        wait_for_views(farm, fault.after_views, until=min(end, outage_at))
        show(fault, started)
        injection = farm.inject(fault)
        if fault.alone and not farm.busy("redis"):
            farm.wait_for(lambda it=injection: it.recovered_s, f"recovery from {fault.kind}")
    violations = farm.finish()
    print("\n".join(table(farm, violations, seed=seed)))
    wrong = shortcomings(farm, violations, limit_s=LIMIT_S)
    for sentence in wrong:
        print(f"VIOLATED {sentence}")
    print(f"invariants violated: {len(wrong)}", flush=True)
    return 1 if wrong else 0


def wait_for_views(farm: ChaosFarm, views: int, *, until: float) -> None:
    goal, end = farm.reader.views + views, min(time.monotonic() + PATIENCE_S, until)
    farm.wait_for(
        lambda: farm.reader.views >= goal or time.monotonic() >= end, f"{views} views more"
    )


def show(fault: Fault, started: float) -> None:
    print(f"{time.monotonic() - started:6.1f} s  {fault.kind}", flush=True)


def small_job(number: int) -> Job:
    recipe = SodAugmented(pitch=5, yaw_per_pitch=36)
    return a_job(models=5, hdrs=3, recipe=recipe, views_per_task=3, seed=number, dataset_name="x")


if __name__ == "__main__":
    sys.exit(main())
