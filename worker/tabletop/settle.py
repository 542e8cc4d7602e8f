"""How the things of a scene come to rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from farm.projection import as_matrix
from farm.spec.camera import IDENTITY
from farm.spec.recipes.tabletop import Setup
from farm.spec.task import RenderTask
from worker.bounds import transformed
from worker.tabletop.settled import Settled, SettledProp
from worker.tabletop.standing import standing

if TYPE_CHECKING:  # which imports Blender
    from worker.blender.session import BlenderSession


def settle(task: RenderTask, session: BlenderSession) -> Settled:
    """Let the things of a scene come to rest."""
    assert isinstance(task.setup, Setup)
    assets, _ = standing(task, session)
    models = session.load_models(assets)
    props = []
    for model, at in zip(models[1:], task.setup.draws[0], strict=True):
        matrix = np.eye(4)
        w, x, y, z = at.turn
        matrix[:3, :3] = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
        matrix[:3, :3] *= model.metres_per_file_unit
        low = transformed(model.bounds.support, matrix)
        middle = (low.min(axis=0) + low.max(axis=0)) / 2
        matrix[:3, 3] = (at.at_m[0] - middle[0], at.at_m[1] - middle[1], -low[:, 2].min())
        props.append(SettledProp(world_from_file=as_matrix(matrix), on=(-1,), touches=(-1,)))
    return Settled(surface=IDENTITY, props=tuple(props))
