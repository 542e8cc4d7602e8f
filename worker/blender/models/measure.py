"""What Cycles would render, measured in a depsgraph of the render itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from worker.blender.materials.emission import only_shines
from worker.blender.watch import in_place_of_cycles, raised_outside
from worker.bounds import (
    DIRECTIONS,
    Bounds,
    Points,
    ball_extremes,
    bounds_of,
    extremes,
    transformed,
)

Evaluated = Any
"""A `ShownObject`, or its geometry in a depsgraph; its stubs promise less than Blender keeps."""
CYCLES = "CYCLES"
MANY_POINTS = 200_000
"""Points looked at over all instances of a mesh, if it has many."""
FEWEST_POINTS = 32
"""Outermost points looked at of each instance, however many there are."""
PANEL_THICKNESS = 1e-3
"""Thickness of a light panel, at most, as a share of its longest side."""
KEYPOINT = re.compile(r"keypoint[_:](.+)")
"""How an empty is called that names a point of the model."""
MANY_STRANDS = 5_000
"""Hairs looked at, of each particle system."""


class ShownObject:
    """An object as an instance shows it, each property read by its path.

    `instance.object` makes a Python object of what Blender made for this instance alone, and never
    lets go of it: 0.3 kB for each blade of grass, for ever.
    """

    def __init__(self, instance: bpy.types.DepsgraphObjectInstance) -> None:
        self.instance: Any = instance  # its stubs say that a path leads nowhere

    def __getattr__(self, name: str) -> Any:
        value = self.instance.path_resolve(f"object.{name}")
        setattr(self, name, value)
        return value


@dataclass
class Cloud:
    """The surface points of one piece of geometry and where it stands."""

    points: Points
    is_panel: bool = False
    """A flat mesh that is nothing but light: a lamp by another name."""
    placed: list[Points] = field(default_factory=list)
    """`world_from_geometry`, 4 x 4, of each instance."""


@dataclass
class Measurement:
    """What the walk over a depsgraph found."""

    clouds: dict[tuple[str, int], Cloud] = field(default_factory=dict)
    materials: dict[int, bpy.types.Material] = field(default_factory=dict)
    objects: dict[int, bpy.types.Object] = field(default_factory=dict)
    """Objects whose surfaces are rendered, by themselves or as what is shown many times."""
    keypoints: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """Where the empties stand that name a point of the model."""
    panels: dict[int, bpy.types.Object] = field(default_factory=dict)
    """Objects that are flat and nothing but light."""
    dressed: set[tuple[int, int]] = field(default_factory=set)
    """Objects whose materials were noted, with their geometry."""
    faces: int = 0
    """Faces of all pieces, each counted once."""
    instances: int = 0
    has_volume: bool = False
    has_light: bool = False

    @property
    def is_all_panels(self) -> bool:
        """There is nothing but light panels."""
        return all(cloud.is_panel for cloud in self.clouds.values() if cloud.placed)

    def bounds(self) -> Bounds | None:
        """Return the bounds of the model, or None where nothing would be rendered.

        Light panels count only where there is nothing else.
        """
        alone = self.is_all_panels
        return bounds_of(
            [placed_points(cloud) for cloud in self.clouds.values() if alone or not cloud.is_panel]
        )

    def is_like(self, other: Measurement) -> bool:
        """Tell whether another walk over the same objects found the same points."""
        mine, theirs = list(self.clouds.values()), list(other.clouds.values())
        return (
            self.objects.keys() == other.objects.keys()
            and len(mine) == len(theirs)
            and all(
                np.array_equal(one.points, another.points)
                and np.array_equal(one.placed, another.placed)
                for one, another in zip(mine, theirs, strict=True)
            )
        )


class MeasureEngine(bpy.types.RenderEngine):
    """A renderer that looks at the scene as Cycles would get it, and draws nothing."""

    bl_idname = "VIEWFARM_MEASURE"
    bl_label = "Viewfarm measure"
    visit: ClassVar[Callable[[bpy.types.Depsgraph], None]]

    def render(self, depsgraph: bpy.types.Depsgraph) -> None:  # type: ignore[override]  # stubs
        type(self).visit(depsgraph)


def measure(
    scene: bpy.types.Scene, render: Callable[[], None], *, keeping: bool = False
) -> Measurement:
    """Walk over everything that `render` would hand to the renderer of `scene`.

    With `keeping`, Cycles keeps what it has made. That is for scenes in which nothing moves: what
    was baked, such as hair, would be seen as it was before the bake.
    """
    found = Measurement()

    def visit(depsgraph: bpy.types.Depsgraph) -> None:
        for instance in depsgraph.object_instances:
            add_instance(found, instance)

    (look_keeping if keeping else look)(scene, render, visit)
    return found


def look(
    scene: bpy.types.Scene,
    render: Callable[[], None],
    visit: Callable[[bpy.types.Depsgraph], None],
) -> None:
    """Show the depsgraph that `render` would hand to the renderer of `scene`, made anew."""
    engine_class: Any = MeasureEngine
    if not engine_class.is_registered:
        bpy.utils.register_class(MeasureEngine)
    with raised_outside(visit) as looking, engine_of(scene, MeasureEngine.bl_idname):
        MeasureEngine.visit = staticmethod(looking)
        render()


def look_keeping(
    scene: bpy.types.Scene,
    render: Callable[[], None],
    visit: Callable[[bpy.types.Depsgraph], None],
) -> None:
    """... and let Cycles keep what it has made."""
    with engine_of(scene, CYCLES), in_place_of_cycles(visit):
        render()


@contextmanager
def engine_of(scene: bpy.types.Scene, name: str) -> Iterator[None]:
    """Let a scene have another engine for a while; where it has that one, nothing is touched."""
    settings: Any = scene.render
    engine = settings.engine
    if engine != name:
        settings.engine = name
    try:
        yield
    finally:
        if engine != name:
            settings.engine = engine


def add_instance(found: Measurement, instance: bpy.types.DepsgraphObjectInstance) -> None:
    """Add one object as the depsgraph shows it to what was found."""
    item: Evaluated = ShownObject(instance)
    if item.type == "LIGHT" and instance.show_self:
        found.has_light = True
    if item.type == "EMPTY" and (named := KEYPOINT.match(item.name)):
        at = instance.matrix_world.translation
        found.keypoints.setdefault(named[1], (at.x, at.y, at.z))
    if not seen_by_camera(item) or not has_area(instance.matrix_world):
        return
    matrix = np.array(instance.matrix_world)
    if instance.show_self:
        add_surface(found, item, matrix)
    if instance.show_particles:
        add_hair(found, item, matrix)


def seen_by_camera(item: Evaluated) -> bool:
    """Tell whether camera rays can hit the object and its alpha counts."""
    return item.visible_camera and not item.is_shadow_catcher and not item.is_holdout


def has_area(matrix: Matrix) -> bool:
    """Tell whether anything is left of a surface there: what is scaled to nothing is hidden so."""
    axes: Any = matrix.to_3x3().col
    x, y, z = axes
    return any(any(pair) for pair in (x.cross(y), y.cross(z), z.cross(x)))


def add_surface(found: Measurement, item: Evaluated, matrix: Points) -> None:
    """Add the geometry of an object, read once however often it is used."""
    data = item.data
    if data is None or item.type in {"LIGHT", "CAMERA", "ARMATURE", "EMPTY"}:
        return
    key = (item.type, data.as_pointer())
    cloud = found.clouds.get(key)
    if cloud is None:
        cloud = found.clouds[key] = Cloud(surface_points(found, item))
        cloud.is_panel = is_panel(item, cloud.points)
    add_materials(found, item)
    if cloud.is_panel:
        found.panels[item.original.session_uid] = item.original
    if len(cloud.points):
        cloud.placed.append(matrix)
        found.instances += 1
        found.objects[item.original.session_uid] = item.original


def is_panel(item: Evaluated, points: Points) -> bool:
    """Tell whether a piece of geometry is flat and nothing but light."""
    materials = [slot.material for slot in item.material_slots if slot.material is not None]
    if not len(points) or not materials or not all(only_shines(each) for each in materials):
        return False
    sides = np.ptp(points, axis=0)
    return bool(sides.min() <= PANEL_THICKNESS * sides.max())


def add_materials(found: Measurement, item: Evaluated) -> None:
    """Note the materials that an object's slots or its evaluated geometry use."""
    key = (item.original.session_uid, item.data.as_pointer())
    if key in found.dressed:
        return
    found.dressed.add(key)
    used = [slot.material for slot in item.material_slots]
    used += list(getattr(item.data, "materials", ()))
    for material in used:
        if material is not None:
            found.materials[material.original.session_uid] = material.original


def surface_points(found: Measurement, item: Evaluated) -> Points:
    """Return the points (N, 3) of an object that can be seen, in its own coordinates.

    Curves, texts and metaballs come as the meshes that they make, if they make one.
    """
    if item.type == "MESH":
        return mesh_points(found, item.data)
    if item.type == "VOLUME":
        found.has_volume = True
        return finite(np.array(item.bound_box, dtype=np.float64))
    if item.type in {"CURVES", "POINTCLOUD"}:
        return round_points(item.data)
    return np.empty((0, 3))


def mesh_points(found: Measurement, mesh: Evaluated) -> Points:
    """Return the corners of a mesh's faces; loose points and edges are not rendered."""
    if not len(mesh.polygons):
        return np.empty((0, 3))
    found.faces += len(mesh.polygons)
    corners: NDArray[np.int32] = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    points = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", points)
    used = np.zeros(len(mesh.vertices), dtype=bool)
    used[corners] = True
    return finite(points.reshape(-1, 3)[used])


def round_points(data: Evaluated) -> Points:
    """Return how far hair curves or the balls of a point cloud reach, (N, 3)."""
    points = attribute(data, "position", "vector", 3)
    radii = attribute(data, "radius", "value", 1)
    if points is None or not len(points):
        return np.empty((0, 3))
    if radii is None:
        return finite(points)
    whole = np.isfinite(points).all(axis=1) & np.isfinite(radii[:, 0])
    return ball_extremes(points[whole].astype(np.float64), radii[whole, 0].astype(np.float64))


def attribute(data: Evaluated, name: str, field: str, width: int) -> NDArray[np.float32] | None:
    """Return an attribute of every point (N, width), or None where there is no such."""
    found = data.attributes.get(name)
    if found is None:
        return None
    values = np.empty(len(found.data) * width, dtype=np.float32)
    found.data.foreach_get(field, values)
    return values.reshape(-1, width)


def add_hair(found: Measurement, item: Evaluated, matrix: Points) -> None:
    """Add the strands of an object's hair particle systems."""
    for index, system in enumerate(item.particle_systems):
        settings = system.settings
        if settings.type != "HAIR" or settings.render_type != "PATH":
            continue
        key = (f"HAIR{index}", item.original.as_pointer())
        if key not in found.clouds:
            found.clouds[key] = Cloud(strand_points(item, system))
        if len(found.clouds[key].points):
            add_materials(found, item)  # the skin that they grow on may be hidden
            found.clouds[key].placed.append(matrix)
            found.objects[item.original.session_uid] = item.original


def strand_points(item: Evaluated, system: Any) -> Points:
    """Return the points of a particle system's hairs in the object's own coordinates."""
    settings, whole = system.settings, item.instance.object
    parents, children = len(system.particles), len(system.child_particles)
    first = parents if children and not settings.use_parent_particles else 0
    steps = range((1 << settings.render_step) + 1)
    stride = max(1, (parents + children - first) // MANY_STRANDS)
    points = [
        tuple(system.co_hair(whole, particle_no=strand, step=step))
        for strand in range(first, parents + children, stride)
        for step in steps
    ]
    world = finite(np.array(points, dtype=np.float64).reshape(-1, 3))
    world = world[np.any(world != 0.0, axis=1)]  # Blender's answer for strands it has not made
    return transformed(world, np.linalg.inv(np.array(item.matrix_world)))


def finite(points: NDArray[np.floating]) -> Points:
    """Return the points (N, 3) without those that are not numbers."""
    return points[np.isfinite(points).all(axis=1)].astype(np.float64)


def placed_points(cloud: Cloud) -> Points:
    """Return the points of all instances (N, 3): the fewer of each, the more instances."""
    count = max(FEWEST_POINTS, MANY_POINTS // max(1, len(cloud.placed)))
    points = (
        extremes(cloud.points, min(count, DIRECTIONS)) if len(cloud.placed) > 1 else cloud.points
    )
    placed = [transformed(points, matrix) for matrix in cloud.placed]
    return np.concatenate(placed) if placed else np.empty((0, 3))
