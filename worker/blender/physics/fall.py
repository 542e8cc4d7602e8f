"""How things fall onto a table: in Blender's Bullet, in a scene that is there just for that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from worker.bounds import Points

FPS, SUB_STEPS = 24, 10
"""Steps of a second that are looked at, and those of Bullet in each."""
SOLVED = 10
"""Rounds in which Bullet solves what touches, in each step."""
MOST_FRAMES = 400
"""Frames after which what still moves is taken never to come to rest."""
STILL_M, STILL_FRAMES = 1e-4, 10
"""Rest: no point moves further in a frame, for so many frames."""
SLEEPS_M_S, SLEEPS_RAD_S = 0.1, 2.0
"""Below these Bullet lets a body sleep, after two seconds: round ones roll on for ever without."""
FRICTION, LINEAR_DAMPING, ANGULAR_DAMPING = 0.6, 0.1, 0.8
DEPTH_M, WALL_M = 1.0, 1.0
"""Thickness of the table's box and of the walls around it, through which nothing slips."""


@dataclass(frozen=True, eq=False)
class Rigid:
    """A thing as Bullet knows it."""

    parts: tuple[Points, ...]
    """(N, 3) each, metres, around its centre of mass: corners of convex parts."""
    rotation: Points
    """(3, 3)"""
    at: Points
    """(3,), of its centre of mass."""
    falls: bool = True
    """It moves; else it stays and others fall upon it."""


@dataclass(frozen=True, eq=False)
class Fallen:
    """Where things are after a fall."""

    rotations: Points
    """(N, 3, 3)"""
    at: Points
    """(N, 3)"""
    moving: tuple[int, ...]
    """Places of those that did not come to rest."""


def let_fall(rigids: Sequence[Rigid], *, table_m: tuple[float, float], walls_m: float) -> Fallen:
    """Let things fall until they rest.

    Args:
        rigids: The things, in an order that decides over the last bits of where they come to rest.
        table_m: Length and width of the table, the middle of whose top is the origin.
        walls_m: Height of walls around the table; 0: none.
    """
    with a_world() as (scene, bodies):
        add_box(scene, bodies, low=(-table_m[0] / 2, -table_m[1] / 2, -DEPTH_M), high=(
            table_m[0] / 2, table_m[1] / 2, 0.0
        ))  # fmt: skip
        if walls_m > 0:
            add_walls(scene, bodies, table_m, walls_m)
        items = [add_rigid(scene, bodies, each) for each in rigids]
        return play(scene, items, rigids)


@contextmanager
def a_world() -> Iterator[tuple[Any, Any]]:
    """Give a scene with a world of rigid bodies, and the collection of these."""
    scene: Any = bpy.data.scenes.new("fall")
    bodies = bpy.data.collections.new("bodies")
    try:
        with bpy.context.temp_override(scene=scene):
            bpy.ops.rigidbody.world_add()
        world = scene.rigidbody_world
        world.collection = bodies
        world.substeps_per_frame = SUB_STEPS
        world.solver_iterations = SOLVED
        world.point_cache.frame_start, world.point_cache.frame_end = 1, MOST_FRAMES
        scene.render.fps, scene.render.fps_base = FPS, 1.0
        yield scene, bodies
    finally:
        leave(scene, bodies)


def leave(scene: Any, bodies: Any) -> None:
    """Remove a world with all that is in it."""
    items = list(bodies.objects)
    meshes = [item.data for item in items]
    if scene.rigidbody_world is not None:
        with bpy.context.temp_override(scene=scene):
            bpy.ops.rigidbody.world_remove()
    bpy.data.scenes.remove(scene)
    bpy.data.batch_remove([*items, bodies])
    bpy.data.batch_remove(meshes)


def add_box(
    scene: Any,
    bodies: Any,
    *,
    low: tuple[float, float, float],
    high: tuple[float, float, float],
) -> None:
    """Stand a box in the world that does not move."""
    sides = np.array([low, high])
    middle = sides.mean(axis=0)
    corners = [
        (sides[x, 0], sides[y, 1], sides[z, 2]) for x in (0, 1) for y in (0, 1) for z in (0, 1)
    ]
    item = add_body(scene, bodies, np.array(corners) - middle, "BOX", falls=False)
    item.location = middle.tolist()


def add_walls(scene: Any, bodies: Any, table_m: tuple[float, float], height_m: float) -> None:
    """Stand walls around the table."""
    x, y = table_m[0] / 2, table_m[1] / 2
    far_x, far_y = x + WALL_M, y + WALL_M
    for low, high in (
        ((x, -far_y), (far_x, far_y)),
        ((-far_x, -far_y), (-x, far_y)),
        ((-far_x, y), (far_x, far_y)),
        ((-far_x, -far_y), (far_x, -y)),
    ):
        add_box(scene, bodies, low=(*low, -DEPTH_M), high=(*high, height_m))


def add_rigid(scene: Any, bodies: Any, rigid: Rigid) -> Any:
    """Let a thing be in the world."""
    if len(rigid.parts) == 1:
        item = add_body(scene, bodies, rigid.parts[0], "CONVEX_HULL", falls=rigid.falls)
    else:
        item = add_body(scene, bodies, np.empty((0, 3)), "COMPOUND", falls=rigid.falls)
        for part in rigid.parts:
            add_body(scene, bodies, part, "CONVEX_HULL", falls=rigid.falls).parent = item
    item.rotation_mode = "QUATERNION"
    item.rotation_quaternion = Matrix(rigid.rotation.tolist()).to_quaternion()
    item.location = rigid.at.tolist()
    return item


def add_body(scene: Any, bodies: Any, corners: Points, shape: str, *, falls: bool) -> Any:
    """Add an object of corners (N, 3) to the world."""
    mesh = bpy.data.meshes.new("body")
    mesh.from_pydata(corners.tolist(), [], [])
    item: Any = bpy.data.objects.new("body", mesh)
    scene.collection.objects.link(item)
    bodies.objects.link(item)
    body = item.rigid_body
    body.type = "ACTIVE" if falls else "PASSIVE"
    body.collision_shape = shape
    body.use_margin, body.collision_margin = True, 0.0  # else all hovers by 40 mm
    body.friction, body.restitution = FRICTION, 0.0
    body.linear_damping, body.angular_damping = LINEAR_DAMPING, ANGULAR_DAMPING
    body.use_deactivation = True
    body.deactivate_linear_velocity = SLEEPS_M_S
    body.deactivate_angular_velocity = SLEEPS_RAD_S
    return item


def play(scene: Any, items: Sequence[Any], rigids: Sequence[Rigid]) -> Fallen:
    """Play a world until all rests, or for as long as that may take."""
    radii = np.array([max(np.linalg.norm(part, axis=1).max() for part in r.parts) for r in rigids])
    falls = np.array([each.falls for each in rigids])
    scene.frame_set(1)
    before, still = matrices(items), 0
    moved = np.zeros(len(items))
    for frame in range(2, MOST_FRAMES + 1):
        scene.frame_set(frame)
        now = matrices(items)
        turned = np.linalg.norm((now - before)[:, :3, :3], axis=(1, 2))
        moved = (np.linalg.norm((now - before)[:, :3, 3], axis=1) + turned * radii) * falls
        still = still + 1 if moved.max(initial=0.0) < STILL_M else 0
        before = now
        if still == STILL_FRAMES:
            break
    moving = () if still == STILL_FRAMES else tuple(np.flatnonzero(moved >= STILL_M).tolist())
    ends = np.array([rigid_matrix(item.matrix_world) for item in items]).reshape(-1, 4, 4)
    return Fallen(ends[:, :3, :3], ends[:, :3, 3], moving)


def matrices(items: Sequence[Any]) -> Points:
    """Return where objects are now (N, 4, 4), as Blender has it."""
    return np.array([item.matrix_world for item in items]).reshape(-1, 4, 4)


def rigid_matrix(matrix: Matrix) -> Points:
    """Return a matrix that turns and shifts without Blender's rounding of it."""
    found = np.eye(4)
    w, x, y, z = np.array(matrix.to_quaternion()) / np.linalg.norm(np.array(matrix.to_quaternion()))
    found[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    found[:3, 3] = matrix.translation[:]
    return found
