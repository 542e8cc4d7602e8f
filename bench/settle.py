"""How long twelve things take to settle, beside Bullet on all of their corners.

    python -m bench.settle [--scenes 20] [--things 12]

Ours: hulls of few corners and convex parts, until all rests, lifted to contact and measured on the
true surfaces, draws that fail included. The baselines, in the same Blender: the same things let go
at the same places as Blender's shapes CONVEX_HULL and MESH of all corners, with Blender's own
margins, for the 240 frames that people bake; how far they hover or sink is measured likewise.
Seconds are of one core.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import bpy
import numpy as np
from mathutils import Matrix

from farm.errors import UnsettledError
from farm.spec.recipes.tabletop import Placement
from tests.support import table_things as things
from worker.blender.physics.fall import FRICTION, STILL_M, a_world, add_box, add_walls, rigid_matrix
from worker.blender.physics.solid import Solid
from worker.blender.session import BlenderSession
from worker.tabletop.boards import board
from worker.tabletop.bodies import Body, rotation_of
from worker.tabletop.contacts import gap_m
from worker.tabletop.settle import settle
from worker.tabletop.tops import Table, table_of

TABLE_M = (1.0, 0.7)
FALLEN_M = 0.1
FRAMES, MOST_S = 240, 60.0
"""Frames of a baseline, and seconds after which it is given up."""
BASELINES = {"CONVEX_HULL": 5, "MESH": 1}
"""Blender's shapes, and how many scenes fall as such."""
MESHES = 4
"""Things that fall as meshes: more of them take minutes a frame."""
KINDS = {
    "box": things.a_box(0.1, 0.08, 0.06),
    "ball": things.a_ball(0.05, 96),
    "can": things.a_can(0.035, 0.12, 96),
    "book": things.a_box(0.2, 0.14, 0.03),
    "bowl": things.a_bowl(0.08, 0.006, 48),
    "ring": things.a_ring(0.05, 0.015, 96, 48),
}
"""From 8 to 4,600 corners."""


class Baseline(NamedTuple):
    """How a scene ended."""

    seconds: float
    frames: int
    moving: int
    off_mm: float
    """How far the thing that is worst hovers above what is beneath it, or is sunk into that."""


def main() -> None:
    """Settle scenes, ours and the plain way; print seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=20)
    parser.add_argument("--things", type=int, default=12)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        session = BlenderSession("cpu", Path(folder), threads=1)
        compare(session, Path(folder), scenes=arguments.scenes, count=arguments.things)
        session.close()


def compare(session: BlenderSession, folder: Path, *, scenes: int, count: int) -> None:
    """Settle the same scenes each way."""
    assets = [things.write_obj(folder / f"{name}.obj", mesh) for name, mesh in KINDS.items()]
    chosen = [assets[place % len(assets)] for place in range(count)]
    begun = time.process_time()
    solids = session.solids(chosen, falls=count)
    print(f"solids of {len(assets)} things: {time.process_time() - begun:.2f} s, once a process")
    table = table_of(board_solid(session))
    draws = [[things.drawn(count, 100 * n + draw) for draw in range(10)] for n in range(scenes)]
    ours, tries = [], []
    for each in draws:
        begun = time.process_time()
        try:
            tries.append(settle(things.settling(chosen, *each, table_m=TABLE_M), session).draw + 1)
        except UnsettledError as error:
            print(f"  {error}")
        ours.append(time.process_time() - begun)
    print(
        f"ours: median {statistics.median(ours):.2f} s, longest {max(ours):.2f} s, "
        f"{statistics.mean(tries):.2f} draws; {len(tries)} of {scenes} scenes settled"
    )
    for shape in BASELINES:
        few = solids[:MESHES] if shape == "MESH" else solids
        found = [
            plain_way(few, each[0][: len(few)], table, shape) for each in draws[: BASELINES[shape]]
        ]
        print(
            f"{shape} of all corners: median {statistics.median(f.seconds for f in found):.2f} s "
            f"for {min(f.frames for f in found)} frames; "
            f"{np.mean([f.moving for f in found]):.1f} of {len(few)} still move; "
            f"hovering or sunk by up to {max(f.off_mm for f in found):.1f} mm"
        )


def board_solid(session: BlenderSession) -> Solid:
    """Return the plain board."""
    (solid,) = session.solids([session.own_model("board.obj", board(TABLE_M))], falls=0)
    return solid


def plain_way(
    solids: Sequence[Solid], draw: Sequence[Placement], table: Table, shape: str
) -> Baseline:
    """Let things fall as Blender's own shapes of all of their corners."""
    x, y = (side / 2 for side in TABLE_M)
    begun = time.process_time()
    with a_world() as (scene, bodies):
        add_box(scene, bodies, low=(-x, -y, -1.0), high=(x, y, 0.0))
        add_walls(scene, bodies, TABLE_M, 3.0)
        items = [
            whole(scene, bodies, solid, at, shape) for solid, at in zip(solids, draw, strict=True)
        ]
        frame = 0
        while frame < FRAMES and time.process_time() - begun < MOST_S:
            before = [np.array(item.matrix_world) for item in items]
            scene.frame_set(frame := frame + 1)
        ends = [rigid_matrix(item.matrix_world) for item in items]
    seconds = time.process_time() - begun
    moving = sum(np.abs(a - b).max() > STILL_M for a, b in zip(before, ends, strict=True))
    down = [
        Body(solid, "", solid.metres_per_file_unit, end[:3, :3], end[:3, 3])
        for solid, end in zip(solids, ends, strict=True)
    ]
    worst = max(abs(over(body, [table.body, *down])) for body in down)
    return Baseline(seconds, frame, int(moving), 1000 * worst)


def over(body: Body, others: Sequence[Body]) -> float:
    """Return how far a thing is above what is beneath it; what fell off counts as there."""
    found = min(gap_m(body, other) for other in others if other is not body)
    return found if abs(found) < FALLEN_M else 0.0


def whole(scene: Any, bodies: Any, solid: Solid, at: Placement, shape: str) -> Any:
    """Add a thing with all of its corners and faces."""
    mesh = bpy.data.meshes.new("whole")
    points = solid.points * solid.metres_per_file_unit
    mesh.from_pydata(points.tolist(), [], solid.triangles.tolist())
    item: Any = bpy.data.objects.new("whole", mesh)
    scene.collection.objects.link(item)
    bodies.objects.link(item)
    item.rigid_body.collision_shape = shape
    item.rigid_body.friction = FRICTION
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation_of(at.turn), at.at_m
    item.matrix_basis = Matrix(matrix.tolist())
    return item


if __name__ == "__main__":
    main()
