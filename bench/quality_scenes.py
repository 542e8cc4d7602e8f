"""Models and lights by which quality is measured: a kind of surface each, made by code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import OpenEXR
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SEED = 5
SKY_PX = (512, 1024)


def write_model(folder: Path, kind: str) -> Path:
    """Write a model of a kind and return its file; the scene is empty before and after."""
    scene = bpy.data.scenes.new("model")
    KINDS[kind](scene)
    scene.view_layers[0].update()
    path = folder / f"{kind}.blend"
    bpy.data.libraries.write(str(path), {scene}, fake_user=True)
    for item in list(scene.objects):
        bpy.data.objects.remove(item)
    bpy.data.scenes.remove(scene)
    bpy.data.orphans_purge()
    return path


def write_light(folder: Path, name: str) -> Path:
    """Write an environment and return its file."""
    path = folder / f"{name}.exr"
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"RGB": np.ascontiguousarray(LIGHTS[name](), np.float32)}).write(str(path))
    return path


# Models


def add_ball(scene: Any, material: Any, *, bumps: float = 0.12) -> Any:
    """Add a ball with bumps, which shades itself."""
    steps_u, steps_v = 96, 48
    u, v = np.meshgrid(np.arange(steps_u) / steps_u, (np.arange(steps_v) + 0.5) / steps_v)
    radius = 0.5 + bumps * np.sin(6 * np.pi * v) * np.cos(10 * np.pi * u)
    ring = radius * np.sin(np.pi * v)
    points = np.stack(
        [ring * np.cos(2 * np.pi * u), ring * np.sin(2 * np.pi * u), radius * np.cos(np.pi * v)], -1
    )
    index = np.arange(steps_u * steps_v).reshape(steps_v, steps_u)
    right = np.roll(index, -1, axis=1)
    faces = np.stack([index[:-1], index[1:], right[1:], right[:-1]], -1).reshape(-1, 4)
    caps = [index[0].tolist(), index[-1][::-1].tolist()]
    return add_mesh(scene, points.reshape(-1, 3), [*faces.tolist(), *caps], material)


def add_mesh(scene: Any, points: Any, faces: Any, material: Any, *, smooth: bool = True) -> Any:
    """Add a mesh."""
    mesh: Any = bpy.data.meshes.new("mesh")
    mesh.from_pydata(np.asarray(points).tolist(), [], faces)
    mesh.materials.append(material)
    mesh.polygons.foreach_set("use_smooth", [smooth] * len(mesh.polygons))
    item = bpy.data.objects.new("item", mesh)
    scene.collection.objects.link(item)
    return item


def a_material(**inputs: Any) -> Any:
    """Make a material by the sockets of a Principled BSDF."""
    material: Any = bpy.data.materials.new("material")
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    for name, value in inputs.items():
        shader.inputs[name.replace("_", " ")].default_value = value
    return material


def matt(scene: Any) -> None:
    """Clay."""
    add_ball(scene, a_material(Base_Color=(0.6, 0.4, 0.3, 1), Roughness=1.0))


def textured(scene: Any) -> None:
    """Fine contrasts of colour and of roughness."""
    material = a_material()
    tree = material.node_tree
    voronoi, shader = tree.nodes.new("ShaderNodeTexVoronoi"), tree.nodes["Principled BSDF"]
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    voronoi.inputs["Scale"].default_value = 24.0
    tree.links.new(coordinates.outputs["Object"], voronoi.inputs["Vector"])
    tree.links.new(voronoi.outputs["Color"], shader.inputs["Base Color"])
    tree.links.new(voronoi.outputs["Distance"], shader.inputs["Roughness"])
    add_ball(scene, material)


def metal(scene: Any) -> None:
    """Brushed steel."""
    add_ball(scene, a_material(Base_Color=(0.7, 0.7, 0.75, 1), Metallic=1.0, Roughness=0.25))


def glass(scene: Any) -> None:
    """Clear glass."""
    add_ball(scene, a_material(Transmission_Weight=1.0, Roughness=0.0, IOR=1.5), bumps=0.05)


def hair(scene: Any) -> None:
    """Fur of thin curves."""
    rng = np.random.default_rng(SEED)
    add_ball(scene, a_material(Base_Color=(0.1, 0.05, 0.03, 1)), bumps=0.0)
    count, steps = 6000, 6
    out = rng.normal(size=(count, 3))
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    along = np.linspace(0, 0.25, steps)
    droop = np.array([0, 0, -1.0])
    bent = out[:, None] * (0.5 + along)[None, :, None] + droop * (along**2)[None, :, None] * 2
    bent = bent + 0.05 * rng.normal(size=(count, 1, 3)) * along[None, :, None] / 0.25
    curves: Any = bpy.data.hair_curves.new("fur")
    curves.add_curves([steps] * count)
    curves.attributes["position"].data.foreach_set("vector", bent.astype(np.float32).ravel())
    radius = curves.attributes.get("radius") or curves.attributes.new("radius", "FLOAT", "POINT")
    width = np.tile(np.linspace(0.003, 0.0005, steps), count).astype(np.float32)
    radius.data.foreach_set("value", width)
    curves.materials.append(a_material(Base_Color=(0.35, 0.2, 0.1, 1), Roughness=0.4))
    scene.collection.objects.link(bpy.data.objects.new("fur", curves))


def leaves(scene: Any) -> None:
    """Small cards that are cut out by their transparency."""
    rng = np.random.default_rng(SEED)
    material = a_material(Base_Color=(0.1, 0.3, 0.05, 1), Roughness=0.6)
    tree = material.node_tree
    coordinates, length = tree.nodes.new("ShaderNodeUVMap"), tree.nodes.new("ShaderNodeVectorMath")
    inside, shift = tree.nodes.new("ShaderNodeMath"), tree.nodes.new("ShaderNodeVectorMath")
    shift.operation, length.operation, inside.operation = "SUBTRACT", "LENGTH", "LESS_THAN"
    shift.inputs[1].default_value, inside.inputs[1].default_value = (0.5, 0.5, 0), 0.45
    tree.links.new(coordinates.outputs["UV"], shift.inputs[0])
    tree.links.new(shift.outputs["Vector"], length.inputs[0])
    tree.links.new(length.outputs["Value"], inside.inputs[0])
    tree.links.new(inside.outputs["Value"], tree.nodes["Principled BSDF"].inputs["Alpha"])
    count = 400
    middles = rng.normal(size=(count, 3)) * 0.22
    across, up = (rng.normal(size=(count, 3)) for _ in range(2))
    across /= np.linalg.norm(across, axis=1, keepdims=True) / 0.05
    up -= across * (up * across).sum(1, keepdims=True) / 0.0025
    up /= np.linalg.norm(up, axis=1, keepdims=True) / 0.05
    corners = np.stack([middles + a * across + b * up for a, b in CORNERS], 1).reshape(-1, 3)
    item = add_mesh(
        scene, corners, np.arange(4 * count).reshape(-1, 4).tolist(), material, smooth=False
    )
    layer = item.data.uv_layers.new(name="UVMap")
    uv = np.tile(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32), (count, 1))
    layer.data.foreach_set("uv", uv.ravel())


CORNERS = ((-1, -1), (1, -1), (1, 1), (-1, 1))


def emission(scene: Any) -> None:
    """A lamp: a bright core in a clay bowl."""
    glow = a_material(Emission_Color=(1, 0.7, 0.4, 1), Emission_Strength=8.0)
    core = add_ball(scene, glow, bumps=0.0)
    core.scale = (0.4, 0.4, 0.4)
    ball = add_ball(scene, a_material(Base_Color=(0.7, 0.7, 0.7, 1), Roughness=1.0), bumps=0.0)
    mesh: Any = ball.data
    import bmesh

    form = bmesh.new()
    form.from_mesh(mesh)
    gone: list[Any] = [face for face in form.faces if face.calc_center_median().z > 0.1]
    bmesh.ops.delete(form, geom=gone, context="FACES")
    form.to_mesh(mesh)
    form.free()


def wire(scene: Any) -> None:
    """A cage of thin wire."""
    curve: Any = bpy.data.curves.new("wire", "CURVE")
    curve.dimensions, curve.bevel_depth, curve.bevel_resolution = "3D", 0.006, 1
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    for number in range(12):
        tilt = np.pi * number / 12
        ring = np.stack(
            [np.cos(turn) * np.cos(tilt), np.cos(turn) * np.sin(tilt), np.sin(turn)], -1
        )
        spline = curve.splines.new("POLY")
        spline.points.add(len(turn) - 1)
        spline.points.foreach_set("co", np.c_[0.5 * ring, np.ones(len(turn))].ravel())
        spline.use_cyclic_u = True
    curve.materials.append(a_material(Base_Color=(0.8, 0.6, 0.2, 1), Metallic=1.0, Roughness=0.3))
    scene.collection.objects.link(bpy.data.objects.new("wire", curve))


KINDS: dict[str, Callable[[Any], None]] = {
    each.__name__: each for each in (matt, textured, metal, glass, hair, leaves, emission, wire)
}


# Lights


def toward() -> Floats:
    """Return the direction (H, W, 3) of each texel of an environment."""
    height, width = SKY_PX
    up = np.pi * (0.5 - (np.arange(height) + 0.5) / height)
    around = 2 * np.pi * (0.5 - (np.arange(width) + 0.5) / width)
    lift, turn = np.meshgrid(up, around, indexing="ij")
    flat = np.cos(lift)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), np.sin(lift)], -1).astype(np.float32)


def grain(amount: float) -> Floats:
    """Return small contrasts (H, W, 1), as of leaves or walls far off."""
    rng = np.random.default_rng(SEED)
    small = rng.uniform(1 - amount, 1 + amount, (SKY_PX[0] // 4, SKY_PX[1] // 4, 1))
    return np.asarray(small.repeat(4, 0).repeat(4, 1), np.float32)


def spot(at: tuple[float, float, float], width: float) -> Floats:
    """Return 1 within an angle (radians) of a direction, else 0, (H, W, 1)."""
    aim = np.array(at) / np.linalg.norm(at)
    return np.asarray((toward() @ aim > np.cos(width))[..., None], np.float32)


def studio() -> Floats:
    """Two soft boxes in a grey room."""
    return 0.15 * grain(0.3) + 12 * spot((1, 1, 1), 0.35) + 5 * spot((-1, 0.3, 0.4), 0.5) * WARM


def sun() -> Floats:
    """A clear sky with a small and very bright sun."""
    z = toward()[..., 2:]
    sky = np.where(z > 0, np.array([0.3, 0.5, 1.0]) * (1 - 0.6 * z), 0.25 * WARM * grain(0.4))
    return np.asarray(sky + 8000 * spot((0.7, -0.5, 0.8), 0.012) * WARM, np.float32)


def night() -> Floats:
    """Lamps in the dark."""
    light = 0.01 * grain(0.5) * np.ones(3)
    rng = np.random.default_rng(SEED)
    for _ in range(10):
        x, y = rng.normal(size=2)
        light = light + 30 * rng.uniform(0.5, 2) * spot((x, y, 0.4), 0.03) * rng.uniform(0.3, 1, 3)
    return np.asarray(light, np.float32)


def overcast() -> Floats:
    """A grey sky over dark ground."""
    z = toward()[..., 2:]
    return np.asarray(np.where(z > 0, 0.5 + 0.7 * z, 0.15 * grain(0.5)) * np.ones(3), np.float32)


WARM = np.array([1.0, 0.85, 0.65], np.float32)
LIGHTS: dict[str, Callable[[], Floats]] = {
    each.__name__: each for each in (studio, sun, night, overcast)
}
