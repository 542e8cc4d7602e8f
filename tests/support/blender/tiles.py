"""Sheets side by side, each of another material, of which every number is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import bpy
from mathutils import Matrix

from tests.support.blender.shots import some_view

ACROSS = 6
"""Tiles of a row."""
GAP = 0.1
FROM_ABOVE = some_view(yaw=0.0, pitch=90.0, distance=2.0, fit=True)

Make = Callable[[Any], Any]
"""Adds nodes to a tree and returns the output for the surface."""


def material(make: Make, name: str = "tile") -> bpy.types.Material:
    """Return a material of nodes that `make` adds."""
    made = bpy.data.materials.new(name)
    tree: Any = made.node_tree
    tree.nodes.clear()
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    if (surface := make(tree)) is not None:
        tree.links.new(surface, output.inputs["Surface"])
    return made


def shader(tree: Any, kind: str, **inputs: Any) -> Any:
    """Add a shader; names of inputs have _ for a space. Return its output."""
    node = tree.nodes.new(f"ShaderNode{kind}")
    for name, value in inputs.items():
        socket = node.inputs[name.replace("_", " ")]
        if isinstance(value, bpy.types.NodeSocket):
            tree.links.new(value, socket)
        else:
            socket.default_value = value
    return node.outputs[0]


def mix(tree: Any, factor: Any, one: Any, other: Any) -> Any:
    """Add a Mix Shader."""
    node = tree.nodes.new("ShaderNodeMixShader")
    for socket, value in zip(node.inputs, (factor, one, other), strict=True):
        if isinstance(value, bpy.types.NodeSocket):
            tree.links.new(value, socket)
        else:
            socket.default_value = value
    return node.outputs[0]


def add(tree: Any, one: Any, other: Any) -> Any:
    """Add an Add Shader."""
    node = tree.nodes.new("ShaderNodeAddShader")
    tree.links.new(one, node.inputs[0])
    tree.links.new(other, node.inputs[1])
    return node.outputs[0]


def add_tile(
    scene: bpy.types.Scene,
    name: str,
    made: bpy.types.Material | None,
    at: tuple[float, float],
    *,
    z: float = 0.0,
) -> bpy.types.Object:
    """Add a square of side 1, with a texture over all of it; it is not quite flat, as lamps are."""
    mesh = bpy.data.meshes.new(name)
    corners = [(x + at[0], y + at[1], z) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
    corners.append((at[0] + 0.5, at[1] + 0.5, z - 0.1))
    mesh.from_pydata(corners, [], [(0, 1, 2, 3), (0, 1, 4)])
    layer: Any = mesh.uv_layers.new(name="UVMap")
    layer.data.foreach_set("uv", [0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1])
    if made is not None:
        mesh.materials.append(made)
    item = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(item)
    return item


def place_of(number: int) -> tuple[float, float]:
    """Return where a tile lies."""
    row, column = divmod(number, ACROSS)
    return column * (1 + GAP), -row * (1 + GAP)


def fill(scene: bpy.types.Scene, makes: Mapping[str, Make | None]) -> None:
    """Lay tiles of materials; of None one without a material."""
    for number, (name, make) in enumerate(makes.items()):
        made = material(make, name) if make is not None else None
        add_tile(scene, name, made, place_of(number))


def add_floor(scene: bpy.types.Scene, name: str, made: bpy.types.Material) -> bpy.types.Object:
    """Add a square below all tiles of the first rows."""
    item = add_tile(scene, name, made, (0.0, 0.0))
    item.data.transform(Matrix.Diagonal((ACROSS * (1 + GAP), ACROSS * (1 + GAP), 1.0, 1.0)))
    item.data.transform(Matrix.Translation((0.0, -(ACROSS - 1) * (1 + GAP), -0.5)))
    return item
