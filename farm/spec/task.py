"""One Celery message's worth of work."""

from __future__ import annotations

from pydantic import Field

from farm.spec.asset import Asset
from farm.spec.base import Spec, digest
from farm.spec.passes import PassName
from farm.spec.render import ResolvedRender
from farm.spec.view import View


class RenderTask(Spec):
    """One (model, HDRI, view-batch) of a job: self-contained, plain numbers."""

    job_id: str
    index: int
    """Place in the job, from 0."""
    task_id: str
    """`<model>-<hdr>-<batch:04d>`: the same for every job that asks for the same views."""
    dataset: str
    """Storage key prefix of the dataset; empty for the storage's root."""
    recipe: str
    """Name of the recipe that knows how to set the scene."""
    model: Asset
    hdr: Asset
    render: ResolvedRender
    passes: tuple[PassName, ...]
    file_lights: bool
    """Keep the lights that the model's file brings."""
    allow_empty_masks: bool = False
    """Views in which nothing of the model is to be seen count, too."""
    views: tuple[View, ...]


class Ticket(Spec):
    """The right to try one task: what the ledger hands out and takes back."""

    job_id: str = Field(pattern=r"^[0-9A-Za-z_-]{1,80}$")
    index: int = Field(ge=0, le=2**40)
    attempt: int = Field(ge=0, le=2**52)
    """From 1; only the newest ticket of a task is worth anything."""


class RenderMessage(Spec):
    """The body of the Celery message."""

    ticket: Ticket
    task: RenderTask


def view_id(task: RenderTask, view: View) -> str:
    """Return what a view's pixels depend on, as a hash: equal ids mean equal pictures."""
    return digest(
        task.recipe,
        task.model.content,
        task.hdr.content,
        task.file_lights,
        task.render.model_dump(mode="json", exclude={"previews"}),
        list(task.passes),
        view.model_dump(mode="json", exclude={"index"}),
    )


def dataset_key(dataset: str, *parts: str) -> str:
    """Return the storage key of a file of a dataset."""
    return "/".join(part for part in (dataset, *parts) if part)


def records_key(task: RenderTask, attempt: int = 1) -> str:
    """Return the storage key of an attempt's records of a task: one JSON line per finished view.

    Later attempts have files of their own, so that a late one never writes over another's records.
    """
    if attempt == 1:
        return dataset_key(task.dataset, ".records", f"{task.task_id}.jsonl")
    return dataset_key(task.dataset, ".records", task.task_id, f"{attempt:010d}.jsonl")
