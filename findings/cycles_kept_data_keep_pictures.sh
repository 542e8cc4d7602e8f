#!/usr/bin/env bash
# With persistent data, Cycles shows the picture of before for a new image of the same path.
#
# Versions: bpy 5.2.3, openexr 3.5.3, pillow 12.0.0 and numpy 2.3.5 (to write and read pictures), Python 3.13
# Behaviour: with `render.use_persistent_data`, an object, its mesh, material and image are removed, their file is
#   written anew, and all are made again from it: new data-blocks. The second render shows the picture that the file
#   held before. It makes no difference that an empty scene is rendered in between. Nothing is raised or warned of.
#   Packed images show the same where the new data-block gets the old one's place in memory, which it often does.
# Output seen:
#   kept: red then red
#   kept, an empty render between: red then red
#   not kept: red then green
# Source: https://docs.blender.org/api/current/bpy.types.RenderSettings.html#bpy.types.RenderSettings.use_persistent_data
#   ("Keep render data around for faster re-renders and animation renders, at the cost of increased memory usage":
#   speed and memory are all that it should change)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  bpy==5.2.3 openexr==3.5.3 pillow==12.0.0 numpy==2.3.5

cd "$folder"
"$folder/venv/bin/python" - <<'PY' | grep -E '^(kept|not kept|expected)'
import os
import sys

import numpy as np
import OpenEXR
from PIL import Image

import bpy


def add_sheet(scene, colour):
    path = os.path.abspath("paint.png")
    Image.fromarray(np.full((16, 16, 3), colour, dtype=np.uint8)).save(path)
    image = bpy.data.images.load(path, check_existing=False)
    material = bpy.data.materials.new("paint")
    tree = material.node_tree
    tree.nodes.clear()
    texture, shine, output = map(
        tree.nodes.new, ("ShaderNodeTexImage", "ShaderNodeEmission", "ShaderNodeOutputMaterial")
    )
    texture.image = image
    tree.links.new(texture.outputs["Color"], shine.inputs["Color"])
    tree.links.new(shine.outputs[0], output.inputs["Surface"])
    mesh = bpy.data.meshes.new("sheet")
    mesh.from_pydata([(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)], [], [(0, 1, 2, 3)])
    mesh.uv_layers.new()
    mesh.materials.append(material)
    sheet = bpy.data.objects.new("sheet", mesh)
    scene.collection.objects.link(sheet)
    return sheet, mesh, material, image


def colour_seen(scene):
    bpy.ops.render.render(write_still=True)
    with OpenEXR.File(scene.render.filepath, separate_channels=True) as file:
        channels = {name: channel.pixels for part in file.parts for name, channel in part.channels.items()}
    middle = [max(float(pixels[8, 8]) for name, pixels in channels.items() if name.endswith(f"Combined.{c}")) for c in "RGB"]
    return ("red", "green", "blue")[int(np.argmax(middle))]


def colours(*, kept, empty_between=False):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.camera.location.z = 4.0
    scene.collection.objects.link(scene.camera)
    render = scene.render
    render.engine = "CYCLES"
    render.use_persistent_data = kept
    scene.cycles.samples = 1
    render.resolution_x = render.resolution_y = 16
    render.image_settings.media_type = "MULTI_LAYER_IMAGE"
    render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
    render.filepath = os.path.abspath("seen.exr")
    made = add_sheet(scene, (255, 0, 0))
    first = colour_seen(scene)
    bpy.data.batch_remove(made)
    if empty_between:
        bpy.ops.render.render()
    add_sheet(scene, (0, 255, 0))
    return first, colour_seen(scene)


found = {
    "kept": colours(kept=True),
    "kept, an empty render between": colours(kept=True, empty_between=True),
    "not kept": colours(kept=False),
}
for name, (first, second) in found.items():
    print(f"{name}: {first} then {second}")
wanted = {
    "kept": ("red", "red"),
    "kept, an empty render between": ("red", "red"),
    "not kept": ("red", "green"),
}
if found != wanted:
    print(f"expected {wanted}")
    sys.stdout.flush()
    os._exit(1)
PY
