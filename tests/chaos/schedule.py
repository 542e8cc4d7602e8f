"""Which faults hit a run, all drawn from one seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

WORKER = (
    "kill child",
    "kill worker",
    "kill container",
    "freeze child",
    "freeze worker",
    "freeze long",
    "cut worker",
    "cut worker long",
    "stop worker",
    "rolling restart",
)
DISPATCHER = ("kill dispatcher", "freeze dispatcher", "stop dispatcher", "cut dispatcher")
REDIS = (
    "restart redis",
    "kill redis",
    "lose a second",
    "pause redis",
    "cut redis",
    "empty redis",
    "new redis",
)
KINDS = (*WORKER, *DISPATCHER, *REDIS)

LENGTHS = {
    "freeze child": 0.5,
    "freeze worker": 0.5,
    "freeze long": 2.5,
    "cut worker": 0.5,
    "cut worker long": 2.5,
    "freeze dispatcher": 1.5,
    "cut dispatcher": 1.0,
    "pause redis": 0.7,
    "cut redis": 1.0,
}
"""How long a fault lasts, in times to live of a lease; others are over at once."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong."""

    kind: str
    worker: int
    """Whom it hits, where it hits a worker."""
    after_views: int
    """So many views are rendered between the fault before and this one."""
    alone: bool
    """The next one waits until the farm has recovered from this one."""
    silently: bool
    """A cut network says nothing to those who use it."""
    length: float
    """Times to live of a lease."""


def draw_faults(seed: int, *, workers: int, views_between: int) -> Iterator[Fault]:
    """Yield faults without end; every kind comes once before any comes again."""
    rng = random.Random(seed)
    while True:
        for kind in rng.sample(KINDS, len(KINDS)):
            yield Fault(
                kind=kind,
                worker=rng.randrange(workers),
                after_views=round(views_between * rng.uniform(0.5, 1.5)),
                alone=rng.random() < 0.6,
                silently=rng.random() < 0.5,
                length=LENGTHS.get(kind, 0.0) * rng.uniform(0.8, 1.2),
            )


def first_faults(seed: int, count: int, *, workers: int, views_between: int) -> list[Fault]:
    """Return the first `count` faults of a seed."""
    return list(islice(draw_faults(seed, workers=workers, views_between=views_between), count))
