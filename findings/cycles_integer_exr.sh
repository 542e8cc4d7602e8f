#!/usr/bin/env bash
# An OpenEXR picture of whole numbers is another one for Cycles than for Blender.
#
# Versions: bpy 5.2.3, openexr 3.5.3 and numpy 2.3.5 (to write the picture), Python 3.13
# Behaviour: a picture with UINT channels of value 4 has pixels of 4.0 in Blender (`Image.pixels`), but as
#   an environment texture Cycles renders it divided by 2^32 - 1: black. The same picture as FLOAT is 4.0
#   in both. Nothing is raised or warned of.
# Output seen:
#   UINT : Blender 4.000, Cycles 0.000
#   FLOAT: Blender 4.000, Cycles 4.000
# Source: https://openexr.com/en/latest/TechnicalIntroduction.html (UINT is one of the pixel types of
#   channels, 32-bit unsigned integer values; no range of theirs stands for 0..1)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3 openexr==3.5.3 numpy==2.3.5

cd "$folder"
"$folder/venv/bin/python" - <<'PY' | grep -E '^(UINT|FLOAT) *:'
import os
import sys

import numpy as np
import OpenEXR

import bpy

seen = {}
for name, kind in (("UINT", np.uint32), ("FLOAT", np.float32)):
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"RGB": np.full((16, 32, 3), 4, kind)}).write(f"{name}.exr")

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.world = bpy.data.worlds.new("sky")
    tree = scene.world.node_tree
    tree.nodes.clear()
    picture = tree.nodes.new("ShaderNodeTexEnvironment")
    background = tree.nodes.new("ShaderNodeBackground")
    output = tree.nodes.new("ShaderNodeOutputWorld")
    tree.links.new(picture.outputs["Color"], background.inputs["Color"])
    tree.links.new(background.outputs["Background"], output.inputs["Surface"])
    picture.image = bpy.data.images.load(os.path.abspath(f"{name}.exr"))
    picture.image.colorspace_settings.name = "Linear Rec.709"
    in_blender = picture.image.pixels[0]

    scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(scene.camera)
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.cycles.pixel_filter_type = "BOX"
    scene.cycles.use_denoising = False
    scene.render.resolution_x = scene.render.resolution_y = 8
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.filepath = os.path.abspath("render.exr")
    bpy.ops.render.render(write_still=True)
    with OpenEXR.File("render.exr", separate_channels=True) as file:
        in_cycles = float(file.channels()["R"].pixels.mean())
    seen[name] = (in_blender, in_cycles)
    print(f"{name:5}: Blender {in_blender:.3f}, Cycles {in_cycles:.3f}", flush=True)

expected = {"UINT": (4.0, 0.0), "FLOAT": (4.0, 4.0)}
sys.exit(0 if all(np.allclose(seen[name], expected[name], atol=1e-3) for name in seen) else 1)
PY
