"""Views that were rendered before, set up once more: what recipes tell of that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from farm.spec.job import Job
from farm.spec.recipes import Setup
from farm.spec.record import ViewRecord
from farm.spec.task import Need, RenderTask, view_id


class Again(NamedTuple):
    """How views are set up that have a record."""

    setup: Setup
    then: Setup | None = None
    """How they were when they were rendered, where that had other words: ids are made of it."""
    product: str | None = None
    """What they needed then."""
    maker: RenderTask | None = None
    """What makes that once more, where it is needed again."""
    setup_s: float = 0.0
    """Seconds that it takes to set the scene beyond a task's own limit."""
    needs_light: bool = False
    """Labels, too, take all assets: an environment stands for something, or is found by place."""


def makes(job: Job, record: ViewRecord, *, then: Setup, product: str | None = None) -> bool:
    """Say whether a setup makes a view of a record's id.

    Args:
        job: Has the settings by which it was rendered.
        record: What is known of the view.
        then: What the views of its task shared.
        product: What they needed.
    """
    task = RenderTask(
        job_id="",
        index=0,
        task_id="",
        title="",
        group="",
        dataset="",
        recipe=record.view.kind,
        assets=record.assets,
        setup=then,
        render=job.render,
        passes=record.passes_at_first,
        views=(),
        needs=Need(product=product, made_by=0) if product else None,
    )
    views = (record.view.model_copy(update={"name": name}) for name in names_of(record))
    return any(view_id(task, view) == record.view_id for view in views)


def names_of(record: ViewRecord) -> Sequence[str]:
    """Return what a view may have been called before it was merged with others."""
    name = record.view.name
    return [name[at:] for at in range(len(name)) if at == 0 or name[at - 1] == "_"]
