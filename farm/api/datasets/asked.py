"""What a job asks for, counted as what its views cover is: the targets of its bars and its dome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from farm import expand
from farm.dataset.stats.gather import PITCHES, YAWS, clipped, field_of, rows_of
from farm.spec.base import Spec
from farm.spec.job import Job
from farm.spec.task import RenderTask

LOOKED_AT = 500
"""Most tasks that are made to count what they ask for."""
MORE = ("yaw_per_pitch", "yaw", "scenes", "views")
"""Settings of recipes by which there are more views that show the same; the first counts."""


class AskedAsset(Spec):
    """An asset, and in how many views it is to be."""

    role: str
    name: str
    views: int


class Asked(Spec):
    """What a job asks for, when all of its tasks are done."""

    views: int
    exact: bool
    """All tasks were counted; else some, and the numbers are theirs, scaled."""
    assets: tuple[AskedAsset, ...]
    categories: dict[str, int]
    """Things of each class, as far as that is known before they are seen."""
    dome: tuple[tuple[int, ...], ...] | None
    """Things by the side from which they are to be seen; None where only the render tells."""
    more: str | None = None
    """A setting for more views of the same, as the command line takes it."""


def asked_of(job: Job) -> Asked:
    """Return what a job asks for."""
    total = expand.count(job)
    counts = AskedCounts()
    for index in spread(total.tasks):
        counts.add(expand.render_task(job, index))
    exact = counts.views == total.views
    scale = total.views / counts.views if counts.views else 0.0
    return counts.result(job, total.views, exact=exact, scale=1.0 if exact else scale)


def spread(tasks: int) -> Iterator[int]:
    """Yield numbers of tasks, all or an even part; in no step with how they alternate."""
    if tasks <= LOOKED_AT:
        yield from range(tasks)
        return
    yield from sorted(int(place * 0.6180339887 % 1 * tasks) for place in range(LOOKED_AT))


class AskedCounts:
    """Counts what tasks ask for."""

    def __init__(self) -> None:
        self.views = 0
        self.assets: Counter[tuple[str, str]] = Counter()
        self.categories: Counter[str] = Counter()
        self.dome = np.zeros((PITCHES, YAWS), dtype=np.int64)

    def add(self, task: RenderTask) -> None:
        """Count a task."""
        count = len(task.views)
        self.views += count
        for key in {(asset.role, asset.name) for asset in task.assets}:
            self.assets[key] += count
        for asset in expand.things(task):
            self.categories[asset.credit.category or "object"] += count
        for yaw_deg, pitch_deg in expand.sides(task):
            row = field_of(clipped(pitch_deg / 90), PITCHES)
            self.dome[row, field_of(clipped(yaw_deg % 360 / 360), YAWS)] += 1

    def result(self, job: Job, views: int, *, exact: bool, scale: float) -> Asked:
        """Return what was counted, scaled to all views."""
        return Asked(
            views=views,
            exact=exact,
            assets=tuple(
                AskedAsset(role=role, name=name, views=round(count * scale))
                for (role, name), count in sorted(self.assets.items())
            ),
            categories={
                name: round(count * scale) for name, count in self.categories.most_common()
            },
            dome=rows_of(np.rint(self.dome * scale).astype(np.int64)) if self.dome.any() else None,
            more=more_of(job),
        )


def more_of(job: Job) -> str | None:
    """Return a setting for twice as many views of the same, where the recipe has one."""
    recipe = job.spec.recipe
    for name in MORE:
        value = getattr(recipe, name, None)
        if isinstance(value, int) and not isinstance(value, bool):
            return f"--set recipe.{name}={2 * value}"
    return None
