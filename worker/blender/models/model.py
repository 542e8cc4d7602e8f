"""The model in the scene: shown through a parent that centres, scales and turns it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from farm.spec.camera import Matrix4
from farm.spec.rigs import Frame
from worker.blender.materials.clear_cut import ClearCut
from worker.blender.materials.displacement import moves_surface
from worker.blender.materials.emission import any_shines
from worker.blender.materials.finish import Finishes
from worker.blender.materials.in_file import stand
from worker.blender.materials.lengths import Lengths, find_lengths
from worker.blender.materials.textures import missing_textures
from worker.blender.materials.vertex_colours import are_shown
from worker.blender.models.measure import Measurement
from worker.blender.models.pass_indices import in_order, names_of, number
from worker.blender.view_passes import HIGHEST_INDEX
from worker.bounds import Bounds
from worker.finish import Finish
from worker.points.bodies import Body

BVH_ANCHOR_FACES = 50_000
"""From this many faces on a turn is cheaper with the anchor (below) than without."""
BVH_ANCHOR_INSTANCES = 1_000
"""A model of more pieces than this is made of instances already."""
ROUNDING = 1e-5
"""Share of a place's largest number that Blender may lose of it."""


@dataclass(eq=False)
class Model:
    """A model that stands in the scene."""

    collection: bpy.types.Collection
    parent: bpy.types.Object
    bounds: Bounds
    true_strength: bool
    """It gives light of its own, so the environment's strength must be set, not multiplied."""
    clear_cut: ClearCut
    """How labels see what of it is neither solid nor clear."""
    lengths: Lengths
    """Those in its materials, which go with its size."""
    has_bvh_anchor: bool = False
    missing_textures: tuple[str, ...] = ()
    """Pictures that it wants and that are not there."""
    vertex_colours: bool = False
    """It shows colours that its points carry."""
    unread: tuple[str, ...] = ()
    """What of its file could not be read."""
    is_thin_air: bool = False
    """Some of it is a volume, in which how far a path goes decides what is seen."""
    objects: tuple[str, ...] = ()
    """Names of what is rendered, as its file has them; the first has the index `first_index`."""
    materials: tuple[str, ...] = ()
    is_enclosed: bool = False
    """All of the picture that it changes is surely where its bounds are seen."""
    first_index: int = 1
    """Above 1 where other models stand before it."""
    rendered: tuple[bpy.types.Object, ...] = ()
    """The same objects as data-blocks."""
    paints: tuple[bpy.types.Material, ...] = ()
    """The same materials as data-blocks."""
    faces: int = 0
    """Faces of all its pieces, each counted once."""
    keypoints: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """Points that it names, in the file's coordinates."""
    metres_per_file_unit: float = 1.0
    body: Body | None = None
    """What its silhouette is told by, in the file's coordinates, where several models stand."""
    frame: Frame = "unit-cube"
    """Of a model that stands alone: where it stands, and how large."""

    @property
    def frame_from_model(self) -> Matrix4:
        """The file's coordinates to those of its frame."""
        return self.bounds.frame_from_model(self.frame)

    @property
    def size(self) -> float:
        """Its longest side, in units of its frame."""
        if self.frame == "unit-cube":
            return 1.0  # exactly
        return self.bounds.size * self.bounds.scale_in(self.frame)

    @property
    def indices(self) -> tuple[int, ...]:
        """Its values of the index pass, in the order of `objects`."""
        last = self.first_index + len(self.objects)
        return tuple(min(index, HIGHEST_INDEX) for index in range(self.first_index, last))

    @cached_property
    def finishes(self) -> tuple[Finish, ...]:
        """How its materials treat light, in the order of `materials`."""
        self.clear_cut.turn(on=False)
        read = Finishes()
        return tuple(read.of(paint) for paint in self.paints)

    def forget_finishes(self) -> None:
        """Look at its materials again when their finishes are asked for: they have changed."""
        self.__dict__.pop("finishes", None)

    def place(self, world_from_file: Matrix4) -> None:
        """Show the model where a matrix takes the file's coordinates: turned, scaled, shifted.

        Raises:
            ValueError: The matrix shears, which no place does.
        """
        self.parent.rotation_mode = "QUATERNION"  # angles lose what turns by a quarter about y
        self.parent.matrix_basis = Matrix(world_from_file)
        wanted, given = np.array(world_from_file), np.array(self.parent.matrix_basis)
        self._tell(wanted)
        if np.abs(given - wanted).max() > ROUNDING * np.abs(wanted).max():
            raise ValueError(f"a place may turn, scale and shift, but not shear: {world_from_file}")

    def turn(self, rotation_rad: float) -> None:
        """Turn the model about the vertical through the origin of its frame."""
        turn = Matrix.Rotation(rotation_rad, 4, "Z")
        world_from_file = turn @ Matrix(self.frame_from_model)
        self.parent.matrix_basis = world_from_file
        self._tell(np.array(world_from_file))

    def _tell(self, world_from_file: NDArray[np.float64]) -> None:
        """Let its materials know where it stands, and how large it is."""
        stand(self.parent, world_from_file)
        self.lengths.scale(float(np.cbrt(abs(np.linalg.det(world_from_file[:3, :3])))))


def describe(
    collection: bpy.types.Collection,
    parent: bpy.types.Object,
    bounds: Bounds,
    found: Measurement,
    *,
    meshes: Iterable[bpy.types.Mesh],
) -> Model:
    """Return the model that stands in the scene; its objects and materials are numbered.

    Args:
        collection: What of it is shown.
        parent: Shows it.
        bounds: Where its surface is, in the file's coordinates.
        found: What of it is rendered.
        meshes: All that it uses, rendered or not.
    """
    rendered = in_order(found.objects.values())
    paints = in_order(found.materials.values())
    number(rendered)
    number(paints)
    lengths = find_lengths(found.materials.values())  # before others look at their nodes
    return Model(
        collection,
        parent,
        bounds,
        true_strength=gives_light(found),
        lengths=lengths,
        clear_cut=ClearCut(found.materials.values()),
        missing_textures=missing_textures(found.materials.values()),
        vertex_colours=are_shown(found.materials.values(), meshes),
        is_thin_air=is_thin_air(found),
        is_enclosed=is_enclosed(found),
        objects=names_of(rendered),
        materials=names_of(paints),
        rendered=rendered,
        paints=paints,
        faces=found.faces,
        keypoints=found.keypoints,
    )


def add_parent(
    scene: bpy.types.Scene, objects: Iterable[bpy.types.Object]
) -> tuple[bpy.types.Collection, bpy.types.Object]:
    """Show `objects`, and what they need, through one parent.

    Their own parents, armatures and targets act on them without being rendered.
    """
    collection = bpy.data.collections.new("model")
    for item in objects:
        collection.objects.link(item)
    return collection, add_instance(scene, collection)


def add_instance(scene: bpy.types.Scene, collection: bpy.types.Collection) -> bpy.types.Object:
    """Show a collection once more through an empty."""
    parent = bpy.data.objects.new("parent", None)
    parent.instance_type = "COLLECTION"
    parent.instance_collection = collection
    stand(parent, np.eye(4))
    scene.collection.objects.link(parent)
    return parent


def add_bvh_anchor(scene: bpy.types.Scene, collection: bpy.types.Collection) -> bpy.types.Object:
    """Show the model a second time where no ray meets it, so that a turn rebuilds no BVH.

    Cycles bakes a mesh that is used once into world space and builds its BVH again whenever it
    turns. The anchor answers only to rays scattered by volumes, of which there are none, and is a
    millionth of the size. With no visibility at all Cycles would drop it, and the gain with it.
    """
    anchor = add_instance(scene, collection)
    anchor.name = "anchor"
    for ray in ("camera", "diffuse", "glossy", "transmission", "shadow"):
        setattr(anchor, f"visible_{ray}", False)
    anchor.matrix_basis = Matrix.LocRotScale((0.0, 0.0, -10.0), None, (1e-6, 1e-6, 1e-6))
    return anchor


def wants_bvh_anchor(found: Measurement, *, true_strength: bool) -> bool:
    """Tell whether a anchor makes turning the model cheaper and cannot be seen."""
    return (
        found.faces >= BVH_ANCHOR_FACES
        and found.instances <= BVH_ANCHOR_INSTANCES
        and not true_strength
        and not is_thin_air(found)
    )


def is_thin_air(found: Measurement) -> bool:
    """Tell whether light can scatter between the model's surfaces."""
    return found.has_volume or has_volume_shader(found.materials.values())


def is_enclosed(found: Measurement) -> bool:
    """Tell whether cameras see nothing of a model beside its bounds.

    Lamps and light panels are no part of these, clouds and what displaces end where only Cycles
    knows. What fills a mesh, such as the tint of glass, ends with it.
    """
    return not (
        found.has_light
        or (found.panels and not found.is_all_panels)
        or found.has_volume
        or any(map(moves_surface, found.materials.values()))
    )


def has_volume_shader(materials: Iterable[bpy.types.Material | bpy.types.World]) -> bool:
    """Tell whether light can scatter inside of any of these materials or worlds."""
    return any(
        link.to_socket is not None and link.to_socket.name == "Volume"
        for material in materials
        if material.node_tree is not None
        for link in material.node_tree.links
    )


def gives_light(found: Measurement) -> bool:
    """Tell whether there is light in the model itself."""
    return found.has_light or any_shines(found.materials.values())


def scale_lamps(objects: Iterable[bpy.types.Object], factor: float) -> None:
    """Dim the lamps of a model that is made smaller by `factor`, so that it stays as bright.

    Lamps that shine through an area are made smaller with what they are of; balls are not.
    """
    lamps: set[Any] = {item.data for item in objects if item.type == "LIGHT"}
    find_lengths(lamps).scale(factor)
    for data in lamps:
        if data.type != "SUN" and data.normalize:
            data.energy *= factor * factor
        if data.type in ("POINT", "SPOT"):
            data.shadow_soft_size *= factor


def is_flat(bounds: Bounds) -> bool:
    """Tell whether a model has no extent at all."""
    return not np.isfinite(bounds.size) or bounds.size <= 0.0
