"""How views are lit that show models: by an environment, and by lamps beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from farm.spec.camera import turn_matrix
from farm.spec.randomise import Lamp
from farm.spec.view import Light

if TYPE_CHECKING:  # which imports Blender
    from worker.blender.session import BlenderSession


def shine(
    session: BlenderSession, light: Light, lamps: Sequence[Lamp], *, models_shine: bool
) -> tuple[float, bool]:
    """Let environment and lamps shine, the scene being turned under the environment; return the
    factor on the picture, and whether the environment has its true strength in the scene.

    A change of that strength costs Cycles most of a second. Where nothing but lamps shines beside
    the environment, these shine as much less as the picture is made brighter.
    """
    is_true = models_shine or light.strength <= 0.0
    gain = 1.0 if is_true else light.strength
    session.set_light(light.strength if is_true else 1.0)
    turn = turn_matrix(light.rotation_deg)
    session.dressing.light(session.scene, lamps, turn, factor=1.0 / gain)
    return gain, is_true
