"""One Celery message's worth of work."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from farm.spec import release_0_1
from farm.spec.asset import Asset
from farm.spec.base import Spec, digest
from farm.spec.left_out import is_empty, is_none
from farm.spec.passes import PassName
from farm.spec.recipes import AnySetup, AnyView
from farm.spec.recipes.base import of_role
from farm.spec.render import ResolvedRender
from farm.spec.stream import TaskStream
from farm.spec.view import View

PRODUCT_PATTERN = r"^products/[0-9a-f]{64}$"


class Need(Spec):
    """What another task has made for this one."""

    product: str = Field(pattern=PRODUCT_PATTERN)
    """Storage key prefix."""
    made_by: int = Field(ge=0, le=2**40)
    """Index of the task of the same job that makes it."""
    path: str = ""
    """The folder with its files, on the machine that renders; only set there."""


class Addition(Spec):
    """What a task adds to views that a dataset has already, instead of rendering new ones."""

    passes: tuple[PassName, ...]
    """What the views lack."""
    proof: tuple[PassName, ...]
    """What is rendered beside and must be equal to the views' files: so they are the same views."""
    any_blender: bool = False
    """Another version of Blender will do, as long as the proof holds."""


class RenderTask(Spec):
    """A batch of views that share their assets, or a product that others need: plain numbers."""

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
    """None where the task makes a product."""
    product: str | None = Field(default=None, pattern=PRODUCT_PATTERN)
    """Storage key prefix of what the task makes instead of pictures, named by its content."""
    needs: Need | None = None
    """What must be there before the task begins."""
    setup_s: float = Field(default=0.0, ge=0.0, le=1e6)
    """Seconds that it takes to set the scene or make the product: the time limit is so much
    longer."""
    affinity: str | None = Field(
        default=None,
        max_length=200,
        exclude_if=is_none,  # workers of before do not know the field
    )
    """Key of a thing that workers may keep from task to task, such as a scene."""
    stream: TaskStream | None = Field(default=None, exclude_if=is_none)
    """Where its views are streamed instead of stored: how."""
    adds: Addition | None = Field(default=None, exclude_if=is_none)
    """What is added to its views, which are recorded already; `passes` are those, and the proof."""
    maker: RenderTask | None = Field(default=None, exclude_if=is_none)
    """Of such a task: what makes the product that it needs, if that is not there any more."""
    trace: bool = Field(default=False, exclude_if=is_empty)
    """Take down where its time goes; no view depends on it."""

    @model_validator(mode="after")
    def _product_or_views(self) -> Self:
        if self.product and self.views:
            raise ValueError("a task makes a product or views, not both")
        return self

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


NOT_SEEN = {"index", "kind", "moment", "relit"}
"""Fields of a view that do not change its picture."""


def view_id(task: RenderTask, view: View) -> str:
    """Return what a view's pixels depend on, as a hash: equal ids mean equal pictures."""
    moves = view.frame is not None
    return digest(
        task.recipe,
        *([task.needs.product] if task.needs else ()),
        *(asset.content for asset in view.made_of(task.assets)),
        *task.setup.model_dump(mode="json", exclude={"kind"}).values(),
        task.render.model_dump(mode="json", exclude={"previews", "pack"}),
        list(task.passes),
        view.model_dump(mode="json", exclude=NOT_SEEN if moves else {*NOT_SEEN, "frame"}),
    )


def title_of(task: RenderTask, view: View) -> str:
    """Return what people call what a view shows."""
    if view.pose is None:
        return task.title
    return " · ".join(asset.title for asset in view.made_of(task.assets))


def product_key(*contents: object) -> str:
    """Return where what is made of `contents` is kept: the same for all jobs that make it."""
    return f"products/{digest(*contents)}"


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
