"""BlenderProc's steps to make views of a tabletop, as a baseline: written for Blender 5.

    python -m bench.blenderproc_steps '{"scenes": [...], "pixels": 512, ...}'

Its own code refuses Blender 5. Its steps are kept: models are loaded for each scene, fall onto a
table and are looked at every second of simulated time until they rest; for each view the camera is
set and the renderer called for it alone, with persistent data on, and once more with one sample and
every object in a colour of its own for the segmentation; depth is written by the compositor and
read back. Its checks of poses against collisions and of what a camera sees are left out, in its
favour, as is its writer's container: files are written as they are.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

import bpy
import imagecodecs
import numpy as np
from mathutils import Matrix

TABLE_M = (1.0, 0.7, 0.03)
FPS, FIRST_CHECK_S, LAST_CHECK_S = 24, 2, 4
"""It is simulated for so many seconds at least, and at most."""
STOPPED_M = 0.01
"""Largest move in a second of what rests."""
SUBSTEPS = ITERATIONS = 10


@dataclass(frozen=True)
class Scene:
    """What stands in a scene, and the folder that gets its views."""

    models: list[str]
    cameras: list[list[list[float]]]
    """`world_from_camera` of each view."""
    seed: int
    folder: str


def main() -> None:
    """Make the views of the scenes that the command line tells of."""
    asked = json.loads(sys.argv[1])
    for scene in asked.pop("scenes"):
        make(Scene(**scene), **asked)


def make(wanted: Scene, *, pixels: int, samples: int, denoise: bool, hdr: str) -> None:
    """Load, simulate, and render each view twice."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    context: Any = bpy.context
    scene, folder = context.scene, Path(wanted.folder)
    set_up(scene, pixels=pixels, hdr=hdr)
    things = load(scene, wanted)
    settle(scene, things)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    depth = write_depth(scene, folder)
    for number, pose in enumerate(wanted.cameras):
        camera.matrix_world = Matrix(pose)
        name = f"view_{number:03d}"
        render_picture(scene, folder / f"images/{name}.png", samples=samples, denoise=denoise)
        keep_depth(depth, folder / f"depth/{name}.png")
        segment(scene, folder, name)


def set_up(scene: Any, *, pixels: int, hdr: str) -> None:
    """Set the renderer, and light the scene."""
    render, cycles = scene.render, scene.cycles
    render.engine, cycles.device = "CYCLES", "CPU"
    render.resolution_x = render.resolution_y = pixels
    render.resolution_percentage = 100
    render.use_persistent_data = True
    render.fps = FPS
    scene.view_layers[0].use_pass_z = True
    cycles.use_adaptive_sampling = False
    cycles.denoiser = "OPENIMAGEDENOISE"
    scene.view_settings.view_transform = "AgX"
    world = bpy.data.worlds.new("world")
    scene.world = world
    tree: Any = world.node_tree
    texture = tree.nodes.new("ShaderNodeTexEnvironment")
    texture.image = bpy.data.images.load(hdr)
    tree.links.new(texture.outputs["Color"], tree.nodes["Background"].inputs["Color"])


def load(scene: Any, wanted: Scene) -> list[Any]:
    """Bring the table and the models, each above the one before, turned by chance."""
    rng = np.random.default_rng(wanted.seed)
    bpy.ops.mesh.primitive_cube_add(size=1.0, location=(0.0, 0.0, -TABLE_M[2] / 2))
    context: Any = bpy.context
    table = context.object
    table.scale = TABLE_M
    give_body(table, "PASSIVE", "BOX")
    things = []
    for number, file in enumerate(wanted.models):
        before = set(scene.objects)
        bpy.ops.wm.obj_import(filepath=file)
        [thing] = set(scene.objects) - before
        x, y = rng.uniform(-0.3, 0.3, 2) * TABLE_M[:2]
        thing.location = (float(x), float(y), 0.15 + 0.12 * number)
        thing.rotation_euler = rng.uniform(0, 2 * np.pi, 3).tolist()
        give_body(thing, "ACTIVE", "CONVEX_HULL")
        things.append(thing)
    return things


def give_body(item: Any, kind: Literal["ACTIVE", "PASSIVE"], shape: str) -> None:
    """Let the laws of motion hold for an object."""
    with bpy.context.temp_override(object=item, active_object=item, selected_objects=[item]):
        bpy.ops.rigidbody.object_add(type=kind)
    item.rigid_body.collision_shape = shape


def settle(scene: Any, things: list[Any]) -> None:
    """Simulate until nothing moves, and leave everything where it is then."""
    world = scene.rigidbody_world
    world.substeps_per_frame, world.solver_iterations = SUBSTEPS, ITERATIONS
    for seconds in range(FIRST_CHECK_S, LAST_CHECK_S + 1):
        world.point_cache.frame_end = scene.frame_end = seconds * FPS
        with bpy.context.temp_override(point_cache=world.point_cache):
            bpy.ops.ptcache.free_bake()
            bpy.ops.ptcache.bake(bake=True)
        before, after = (places_at(scene, things, at * FPS) for at in (seconds - 1, seconds))
        if np.linalg.norm(after - before, axis=1).max() < STOPPED_M:
            break
    for thing, pose in zip(things, poses_at(scene, things, seconds * FPS), strict=True):
        thing.matrix_world = pose
    with bpy.context.temp_override(point_cache=world.point_cache):
        bpy.ops.ptcache.free_bake()
    world.enabled = False
    for thing, pose in zip(things, [thing.matrix_world.copy() for thing in things], strict=True):
        thing.matrix_world = pose


def poses_at(scene: Any, things: list[Any], frame: int) -> list[Matrix]:
    """Return where things are at a frame."""
    scene.frame_set(max(frame, 1))
    graph = bpy.context.evaluated_depsgraph_get()
    return [thing.evaluated_get(graph).matrix_world.copy() for thing in things]


def places_at(scene: Any, things: list[Any], frame: int) -> np.ndarray:
    """Return the origins (N, 3) of things at a frame."""
    return np.array([pose.translation for pose in poses_at(scene, things, frame)])


def write_depth(scene: Any, folder: Path) -> Path:
    """Let the compositor write depth; return where, whichever frame it is."""
    groups: Any = bpy.data.node_groups
    tree = groups.new("passes", "CompositorNodeTree")
    scene.compositing_node_group = tree
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    layers = tree.nodes.new("CompositorNodeRLayers")
    tree.links.new(layers.outputs["Image"], tree.nodes.new("NodeGroupOutput").inputs[0])
    node = tree.nodes.new("CompositorNodeOutputFile")
    node.directory, node.file_name = str(folder / "temporary"), ""
    node.format.media_type, node.format.file_format = "IMAGE", "OPEN_EXR"
    node.format.color_mode, node.format.color_depth = "BW", "32"
    node.file_output_items.new("FLOAT", "depth")
    tree.links.new(layers.outputs["Depth"], node.inputs[0])
    return folder / "temporary"


def render_picture(scene: Any, path: Path, *, samples: int, denoise: bool) -> None:
    """Render one view, and its depth beside."""
    path.parent.mkdir(parents=True, exist_ok=True)
    render = scene.render
    scene.cycles.samples, scene.cycles.use_denoising = samples, denoise
    render.use_compositing = True
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode, render.image_settings.color_depth = "RGB", "8"
    render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


def keep_depth(folder: Path, path: Path) -> None:
    """Read what the compositor wrote, and write it as BOP has it."""
    [file] = folder.glob("depth*.exr")
    depth = read_exr(file, 1)[..., 0]
    file.unlink()
    there = depth < 1e9
    path.parent.mkdir(parents=True, exist_ok=True)
    steps = np.where(there, depth * 10_000, 0).round().astype(np.uint16)
    path.write_bytes(imagecodecs.png_encode(steps))


def segment(scene: Any, folder: Path, name: str) -> None:
    """Render once more, every object in a colour of its own, and write which one each pixel is."""
    meshes = [item for item in scene.objects if item.type == "MESH"]
    before = [[slot.material for slot in item.material_slots] for item in meshes]
    for number, item in enumerate(meshes, 1):
        paint_plain(item, number / 256)
    render, world = scene.render, scene.world
    scene.world = None
    scene.cycles.samples, scene.cycles.use_denoising = 1, False
    render.use_compositing = False
    width, render.filter_size = render.filter_size, 0.01
    render.image_settings.file_format = "OPEN_EXR"
    render.image_settings.color_depth = "32"
    path = folder / "temporary/segmentation.exr"
    render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    numbers = (read_exr(path, 3)[..., 0] * 256).round().astype(np.uint8)
    path.unlink()
    target = folder / f"segmentation/{name}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(imagecodecs.png_encode(numbers))
    scene.world, render.filter_size = world, width
    for item, materials in zip(meshes, before, strict=True):
        for slot, material in zip_longest(item.material_slots, materials):
            slot.material = material


def paint_plain(item: Any, shade: float) -> None:
    """Give an object one material that shines evenly."""
    material = bpy.data.materials.new("segment")
    tree: Any = material.node_tree
    tree.nodes.clear()
    glow, output = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    glow.inputs["Color"].default_value = (shade, shade, shade, 1.0)
    tree.links.new(glow.outputs[0], output.inputs["Surface"])
    if not item.material_slots:
        item.data.materials.append(material)
    for slot in item.material_slots:
        slot.material = material


def read_exr(path: Path, channels: int) -> np.ndarray:
    """Return the pixels (H, W, channels) of an EXR file."""
    import OpenEXR

    with OpenEXR.File(str(path), separate_channels=True) as file:
        found = [channel.pixels for _, channel in sorted(file.channels().items())]
    return np.stack(found[:channels], axis=-1)


if __name__ == "__main__":
    main()
