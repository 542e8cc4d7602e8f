"""Loading what the views of a task share, or making what other tasks need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from farm.errors import AssetError
from farm.spec.asset import Asset
from farm.spec.passes import PassName
from farm.spec.render import ResolvedRender
from farm.spec.task import RenderTask
from worker.assets.products import Workshop
from worker.blender.view_passes import HIGHEST_INDEX
from worker.recipes import Stage, find_maker, find_recipe
from worker.render.lease import Lease
from worker.render.quality import decided

if TYPE_CHECKING:  # bpy is imported by the process that renders, not by whoever imports this
    from worker.blender.session import BlenderSession

Locate = Callable[[Sequence[Asset]], list[Path]]
"""Returns where the assets of a task are on this machine."""


def set_up(
    task: RenderTask, session: BlenderSession, locate: Locate, workshop: Workshop | None
) -> tuple[Stage, ResolvedRender]:
    """Load what all views of a task share; also return how they are rendered."""
    session.configure(task.render, task.passes)
    stage = prepare(task, session, locate, workshop)
    more = tuple(name for name in stage.label_passes if name not in task.passes)
    settings = decided(task, stage, session)
    if more or settings.quality == "auto":
        session.configure(settings, task.passes + more)
    return stage, settings


def prepare(
    task: RenderTask, session: BlenderSession, locate: Locate, workshop: Workshop | None = None
) -> Stage:
    """Load what all views of a task share."""
    light_evenly_without_hdr(task, session)
    with brought(task, locate, workshop) as here:
        stage = find_recipe(task.recipe).prepare(here, session)
    check_numbers(task, stage)
    return stage


def light_evenly_without_hdr(task: RenderTask, session: BlenderSession) -> None:
    """Take away the environment of the task before, where this one brings none."""
    if not any(asset.kind == "hdr" for asset in task.assets):
        session.light_evenly()


def make_product(
    task: RenderTask,
    session: BlenderSession,
    *,
    lease: Lease,
    locate: Locate,
    workshop: Workshop,
) -> None:
    """Make what a task makes for others, unless it is there as it was made.

    Raises:
        TaskError: It cannot be made or stored.
    """
    assert task.product
    if workshop.products.is_sound(task.product):
        return
    lease.confirm()
    make = find_maker(task.recipe)
    session.configure(task.render, task.passes)
    light_evenly_without_hdr(task, session)
    with brought(task, locate, workshop) as here:
        workshop.make(
            task.product, lambda folder: make(here, session, folder), may_write=lease.secure
        )


@contextmanager
def brought(task: RenderTask, locate: Locate, workshop: Workshop | None) -> Iterator[RenderTask]:
    """Give a task with the paths of its assets and of the product that it needs on this machine.

    Errors name assets as people do.
    """
    paths = locate(task.assets)
    here = tuple(
        asset.model_copy(update={"path": str(path)})
        for asset, path in zip(task.assets, paths, strict=True)
    )
    changes: dict[str, object] = {"assets": here}
    assert workshop is not None or not task.needs
    if workshop:
        changes["needs"] = workshop.hold(task.needs)
    try:
        yield task.model_copy(update=changes)
    except AssetError as error:
        names = {copy.path: asset.path for copy, asset in zip(here, task.assets, strict=True)}
        raise AssetError(names.get(error.path, error.path), error.reason) from error


def check_numbers(task: RenderTask, stage: Stage) -> None:
    """Make sure that labels can tell the model's parts apart.

    Raises:
        AssetError: It has too many.
    """
    parts: dict[PassName, int] = {"index": len(stage.indices), "material": len(stage.materials)}
    for name, count in parts.items():
        if name in (*task.passes, *stage.label_passes) and count > HIGHEST_INDEX:
            needed = name in stage.label_passes
            remedy = "show fewer" if needed else "leave that pass out"
            reason = f"its {count} parts are more than the {name} pass can tell apart: {remedy}"
            raise AssetError(task.title, reason)
