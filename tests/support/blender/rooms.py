"""A room with a pillar, of boxes whose distance to a point is plain arithmetic."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from farm.spec.scene_facts import SceneFacts
from tests.support.blender.scenes import add_box, blend_file

HALF, HIGH, THICK = 4.0, 3.0, 0.2
SOLIDS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "Floor": ((2 * HALF, 2 * HALF, THICK), (0, 0, -THICK / 2)),
    "Ceiling": ((2 * HALF, 2 * HALF, THICK), (0, 0, HIGH + THICK / 2)),
    "East": ((THICK, 2 * HALF, HIGH), (HALF, 0, HIGH / 2)),
    "West": ((THICK, 2 * HALF, HIGH), (-HALF, 0, HIGH / 2)),
    "North": ((2 * HALF, THICK, HIGH), (0, HALF, HIGH / 2)),
    "South": ((2 * HALF, THICK, HIGH), (0, -HALF, HIGH / 2)),
    "Pillar": ((0.6, 0.6, HIGH), (1.5, 0.5, HIGH / 2)),
    "Statue": ((0.5, 0.5, 1.0), (-1.0, -0.5, 0.5)),
}
"""Name -> sides, middle."""
STILL = SceneFacts(fps=24, frame_start=1, frame_end=1)


def write_room(path: Path, *, without: tuple[str, ...] = ()) -> Path:
    """Write the room, with an even light in it."""
    with blend_file(path) as scene:
        for name, (size, at) in SOLIDS.items():
            if name not in without:
                add_box(scene, size=size, at=at, name=name)
        scene.world = bpy.data.worlds.new("light")
        scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (1, 1, 1, 1)
    return path


def distance_to(name: str, points: np.ndarray) -> np.ndarray:
    """Return how far points (N, 3) are from a box; 0 inside."""
    size, at = SOLIDS[name]
    outside = np.abs(points - np.array(at)) - np.array(size) / 2
    return np.linalg.norm(np.maximum(outside, 0.0), axis=-1)
