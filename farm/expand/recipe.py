"""The doors of expansion: they find the recipe's own module by its name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Protocol

from farm.spec.base import Spec
from farm.spec.job import Job
from farm.spec.task import RenderTask, dataset_key


class Count(Spec):
    """How big a job is."""

    tasks: int
    views: int


class Expansion(Protocol):
    """What `farm/expand/<recipe>.py` offers."""

    def count(self, job: Job) -> Count:
        """Return how many tasks and views the job has, without making them."""

    def task(self, job: Job, index: int) -> RenderTask:
        """Make task `index`, looking at no other."""

    def datasets(self, job: Job) -> Iterator[str]:
        """Yield the key prefix of every dataset the job writes to.

        Raises:
            SpecError: Two datasets would be one.
        """


def count(job: Job) -> Count:
    """Return how many tasks and views `job` has."""
    return _expansion(job).count(job)


def render_task(job: Job, index: int) -> RenderTask:
    """Make task `index` of `job`: the same in every process, whatever the other tasks are."""
    task = _expansion(job).task(job, index)
    return task.model_copy(update={"dataset": dataset_key(job.prefix, task.dataset)})


def expand(job: Job) -> Iterator[RenderTask]:
    """Yield the tasks of `job`, lazily and in order."""
    return (render_task(job, index) for index in range(count(job).tasks))


def datasets(job: Job) -> Iterator[str]:
    """Yield the storage prefix of every dataset of `job`; "" is the storage's root."""
    return (dataset_key(job.prefix, name) for name in _expansion(job).datasets(job))


def _expansion(job: Job) -> Expansion:
    module = importlib.import_module(f"farm.expand.{job.spec.recipe.kind}")
    expansion: Expansion = module.EXPANSION
    return expansion
