#!/usr/bin/env bash
# Below the alpha threshold of a view layer, Cycles' depth and index are of a surface drawn by lot.
#
# Versions: bpy 5.2.3, openexr 3.5.3 and numpy 2.3.5 (to read the passes), Python 3.13
# Behaviour: with `pass_alpha_threshold` 0.5, a sheet of alpha 0.3 before a solid one is in the Z and the Object
#   Index pass of about three pixels in ten, and what is behind it in the others, pixel by pixel; in the Normal
#   pass of one sample those pixels are (0, 0, 0). With alpha 0.7 all three passes are of the front sheet.
# Output seen: (the share of pixels is that of this seed)
#   alpha 0.3: Z and index of the front sheet in 0.26 of the pixels, no normal in 0.26
#   alpha 0.7: Z and index of the front sheet in 1.00 of the pixels, no normal in 0.00
# Source: https://docs.blender.org/api/current/bpy.types.ViewLayer.html#bpy.types.ViewLayer.pass_alpha_threshold
#   ("Z, Index, normal, UV and vector passes are only affected by surfaces with alpha transparency equal to or
#   higher than this threshold")
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3 openexr==3.5.3 numpy==2.3.5

cd "$folder"
"$folder/venv/bin/python" - <<'PY' | grep -E '^(alpha|expected)'
import os
import sys

import numpy as np
import OpenEXR

import bpy

shares = {}
for alpha in (0.3, 0.7):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    for number, (height, opacity) in enumerate(((0.0, 1.0), (1.0, alpha)), 1):
        mesh = bpy.data.meshes.new("sheet")
        mesh.from_pydata([(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)], [], [(0, 1, 2, 3)])
        paint = bpy.data.materials.new("paint")
        paint.node_tree.nodes["Principled BSDF"].inputs["Alpha"].default_value = opacity
        mesh.materials.append(paint)
        sheet = bpy.data.objects.new("sheet", mesh)
        sheet.location.z, sheet.pass_index = height, number
        scene.collection.objects.link(sheet)
    scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.camera.location.z = 5.0
    scene.collection.objects.link(scene.camera)
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    layer = scene.view_layers[0]
    layer.pass_alpha_threshold = 0.5
    layer.use_pass_z = layer.use_pass_object_index = layer.use_pass_normal = True
    scene.render.resolution_x = scene.render.resolution_y = 64
    scene.render.image_settings.media_type = "MULTI_LAYER_IMAGE"
    scene.render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
    scene.render.image_settings.color_depth = "32"
    scene.render.filepath = os.path.abspath("render.exr")
    bpy.ops.render.render(write_still=True)
    with OpenEXR.File("render.exr", separate_channels=True) as file:
        channels = {name: channel.pixels for part in file.parts for name, channel in part.channels.items()}
    ends = {name.split(".", 1)[1]: pixels for name, pixels in channels.items()}
    index, depth = ends["Object Index.X"], next(p for n, p in ends.items() if n.startswith("Depth"))
    assert np.array_equal(index == 2, np.abs(depth - 4.0) < 1e-3), "Z and index are of the same sheet"
    front = float((index == 2).mean())
    bare = float(np.mean(sum(np.abs(p) for n, p in ends.items() if n.startswith("Normal.")) == 0))
    shares[alpha] = front, bare
    print(f"alpha {alpha}: Z and index of the front sheet in {front:.2f} of the pixels, no normal in {bare:.2f}")

(front, bare), solid = shares[0.3], shares[0.7]
if not (0.2 < front < 0.4 and 0.2 < bare < 0.4 and solid == (1.0, 0.0)):
    print("expected other shares: this version behaves in another way")
    sys.exit(1)
PY
