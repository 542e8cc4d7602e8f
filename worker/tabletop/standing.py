"""Which models stand in a scene."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm.spec.asset import Asset
from farm.spec.recipes.tabletop import Setup
from farm.spec.task import RenderTask
from worker.tabletop.boards import board

if TYPE_CHECKING:  # which imports Blender
    from worker.blender.session import BlenderSession


def standing(
    task: RenderTask, session: BlenderSession
) -> tuple[tuple[Asset, ...], tuple[int | None, ...]]:
    """Return the models of a scene, the table first, and the place of each among the assets."""
    assert isinstance(task.setup, Setup)
    surface, props = task.setup.surface, task.setup.props
    places = (surface.asset, *(prop.asset for prop in props))
    plain = session.own_model("board.obj", board(surface.size_m))
    return tuple(plain if place is None else task.assets[place] for place in places), places
