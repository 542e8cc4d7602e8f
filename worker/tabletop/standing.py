"""Which models stand in a scene."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm.spec.asset import Asset
from farm.spec.recipes.tabletop import Prop, Setup
from farm.spec.task import RenderTask
from worker.tabletop.boards import board
from worker.tabletop.shapes import shape

if TYPE_CHECKING:  # which imports Blender
    from worker.blender.session import BlenderSession


def standing(
    task: RenderTask, session: BlenderSession
) -> tuple[tuple[Asset, ...], tuple[int | None, ...]]:
    """Return the models of a scene, the table first, and the place of each among the assets;
    None of one that the farm itself brings.
    """
    assert isinstance(task.setup, Setup)
    surface, props = task.setup.surface, task.setup.props
    table = (
        session.own_model("board.obj", board(surface.size_m))
        if surface.asset is None
        else task.assets[surface.asset]
    )
    models = (table, *(model_of(prop, task, session) for prop in props))
    return models, (surface.asset, *(prop.asset for prop in props))


def model_of(prop: Prop, task: RenderTask, session: BlenderSession) -> Asset:
    """Return the model of a thing."""
    if prop.asset is not None:
        return task.assets[prop.asset]
    assert prop.shape is not None
    assert prop.size_m is not None
    return session.own_model(f"{prop.shape}.obj", shape(prop.shape, prop.size_m))
