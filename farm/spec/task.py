"""One Celery message's worth of work."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from farm.spec import release_0_1
from farm.spec.asset import Asset
from farm.spec.base import Spec, digest
from farm.spec.passes import PassName
from farm.spec.recipes import AnySetup, AnyView
from farm.spec.recipes.base import of_role
from farm.spec.render import ResolvedRender
from farm.spec.view import View


class RenderTask(Spec):
    """A batch of views that share their assets: self-contained, plain numbers."""

    job_id: str
    index: int
    """Place in the job, from 0."""
    task_id: str
    """The same for every job that asks for the same views, such as `vase-studio-0000`."""
    title: str
    """What people call what is rendered: `vase · studio`."""
    group: str
    """Views of one group show the same things: no two splits share it."""
    dataset: str
    """Storage key prefix of the dataset; empty for the storage's root."""
    recipe: str
    """Name of the recipe that knows how to set the scene."""
    assets: tuple[Asset, ...]
    """Sorted by role, as the recipe lists them."""
    setup: AnySetup
    """What the views share beside the assets."""
    render: ResolvedRender
    passes: tuple[PassName, ...]
    allow_empty_masks: bool = False
    """Views in which nothing is to be seen count, too."""
    views: tuple[AnyView, ...]

    @model_validator(mode="before")
    @classmethod
    def _of_any_release(cls, data: Any) -> Any:
        return release_0_1.task_of(data)

    def of(self, role: str) -> tuple[Asset, ...]:
        """Return the assets that are taken for `role`."""
        return of_role(self.assets, role)


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


NOT_SEEN = {"index", "kind"}
"""Fields of a view that do not change its picture."""


def view_id(task: RenderTask, view: View) -> str:
    """Return what a view's pixels depend on, as a hash: equal ids mean equal pictures."""
    moves = view.frame is not None
    return digest(
        task.recipe,
        *(asset.content for asset in task.assets),
        *task.setup.model_dump(mode="json", exclude={"kind"}).values(),
        task.render.model_dump(mode="json", exclude={"previews"}),
        list(task.passes),
        view.model_dump(mode="json", exclude=NOT_SEEN if moves else {*NOT_SEEN, "frame"}),
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
