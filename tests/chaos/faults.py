"""How each kind of fault is done: a generator that yields what to wait for before its next step."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tests.chaos.parts import Part
from tests.chaos.schedule import DISPATCHER, REDIS, Fault

if TYPE_CHECKING:
    from tests.chaos.farm import ChaosFarm

Steps = Iterator[float | Callable[[], bool]]
"""Seconds to wait, or what must become true."""


def steps_of(fault: Fault, farm: ChaosFarm) -> Steps:
    """Return the steps of a fault; the first is done when the iterator is asked first."""
    length_s = fault.length * farm.lease_ttl_s
    if fault.kind in REDIS or fault.kind == "outage":
        return REDIS_FAULTS[fault.kind](farm, length_s)
    if fault.kind == "rolling restart":
        return rolling_restart(farm)
    part = farm.dispatcher if fault.kind in DISPATCHER else farm.workers[fault.worker]
    verb = fault.kind.split()[0]
    if verb == "cut":
        return cut(farm, part, length_s, silently=fault.silently)
    if verb == "freeze":
        only = part.renderers() if fault.kind == "freeze child" else part.family()
        return freeze(part, only, length_s)
    if verb == "stop":
        return stop(part)
    return kill(part, fault.kind)


def kill(part: Part, kind: str) -> Steps:
    """Kill the renderer, the main process alone, or all at once, as a container engine does."""
    pids = {
        "kill child": part.renderers,
        "kill container": part.family,
    }.get(kind, lambda: [part.pid])()
    part.signal(signal.SIGKILL, pids)
    if kind != "kill child":
        yield started_again(part)


def stop(part: Part) -> Steps:
    yield_to = started_again(part)
    part.signal(signal.SIGTERM, [part.pid])
    yield yield_to


def freeze(part: Part, pids: list[int], length_s: float) -> Steps:
    part.signal(signal.SIGSTOP, pids)
    yield length_s
    part.signal(signal.SIGCONT, pids)


def cut(farm: ChaosFarm, part: Part, length_s: float, *, silently: bool) -> Steps:
    place = farm.places[part.name]
    place.cut(silently=silently)
    yield length_s
    place.mend()


def rolling_restart(farm: ChaosFarm) -> Steps:
    for part in farm.workers:
        again = started_again(part)
        part.signal(signal.SIGTERM, [part.pid])
        yield again


def started_again(part: Part) -> Callable[[], bool]:
    """Return what says whether a part was started once more than now."""
    times = part.started
    return lambda: part.started > times


def restart_redis(farm: ChaosFarm, length_s: float) -> Steps:
    farm.redis.terminate()
    yield 0.3
    farm.redis.start()


def kill_redis(farm: ChaosFarm, length_s: float) -> Steps:
    farm.redis.kill()
    yield 0.3
    farm.redis.start()


def lose_a_second(farm: ChaosFarm, length_s: float) -> Steps:
    size = farm.redis.log_size()
    yield 1.0
    farm.redis.kill()
    farm.redis.forget_since(size)
    yield 0.1
    farm.redis.start()


def pause_redis(farm: ChaosFarm, length_s: float) -> Steps:
    assert farm.redis.process is not None
    farm.redis.process.send_signal(signal.SIGSTOP)
    yield length_s
    farm.redis.process.send_signal(signal.SIGCONT)


def cut_redis(farm: ChaosFarm, length_s: float) -> Steps:
    farm.net.cut_redis()
    yield length_s
    farm.net.mend_redis()


def empty_redis(farm: ChaosFarm, length_s: float) -> Steps:
    farm.redis.client.flushall()
    yield 0.0


def new_redis(farm: ChaosFarm, length_s: float) -> Steps:
    farm.redis.kill()
    farm.redis.forget_all()
    yield 0.3
    farm.redis.start()


REDIS_FAULTS: dict[str, Callable[[ChaosFarm, float], Steps]] = {
    "restart redis": restart_redis,
    "kill redis": kill_redis,
    "lose a second": lose_a_second,
    "pause redis": pause_redis,
    "cut redis": cut_redis,
    "outage": cut_redis,
    "empty redis": empty_redis,
    "new redis": new_redis,
}
