#!/usr/bin/env bash
# Cycles denoises the colours of a transparent film and leaves its alpha as it was: straight colours are wrong.
#
# Versions: bpy 5.2.3, openexr 3.5.3 and numpy 2.3.5 (to read the passes), Python 3.13
# Behaviour: thin red wires that glow with 0.8, on a transparent film, 16 samples. Without the denoiser Combined is
#   premultiplied: colour divided by alpha is 0.8 in every pixel that is covered in part. With it (OpenImageDenoise)
#   alpha is the same, pixel for pixel, but colour divided by alpha is not: it is far too dark in some pixels and
#   too bright in others, which shows as a fringe wherever the picture is put over another background.
# Output seen: (how far off they are is that of this seed)
#   without: red / alpha from 0.80 to 0.80
#   denoised: red / alpha from 0.27 to 4.87, alpha the same True
# Source: https://openexr.com/en/latest/TechnicalIntroduction.html (colours of an image file are premultiplied by
#   alpha, so that dividing by it gives the colour of the thing) and https://github.com/RenderKit/oidn/issues/140
#   ("only RGB channels are denoised")
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3 openexr==3.5.3 numpy==2.3.5

cd "$folder"
"$folder/venv/bin/python" - <<'PY' | grep -E '^(without|denoised|expected)'
import os
import sys

import numpy as np
import OpenEXR

import bpy

bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
paint = bpy.data.materials.new("paint")
tree = paint.node_tree
tree.nodes.clear()
glow = tree.nodes.new("ShaderNodeEmission")
glow.inputs["Color"].default_value = (0.8, 0.02, 0.01, 1.0)
tree.links.new(glow.outputs[0], tree.nodes.new("ShaderNodeOutputMaterial").inputs["Surface"])
for turn in range(12):
    mesh = bpy.data.meshes.new("wire")
    mesh.from_pydata([(-1, -0.004, 0), (1, -0.004, 0), (1, 0.004, 0), (-1, 0.004, 0)], [], [(0, 1, 2, 3)])
    mesh.materials.append(paint)
    wire = bpy.data.objects.new("wire", mesh)
    wire.rotation_euler.z, wire.location.z = 0.27 * turn, 0.01 * turn
    scene.collection.objects.link(wire)
scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
scene.camera.location.z = 4.0
scene.collection.objects.link(scene.camera)
scene.render.engine = "CYCLES"
scene.render.film_transparent = True
scene.cycles.samples = 16
scene.cycles.use_adaptive_sampling = False
scene.cycles.denoiser = "OPENIMAGEDENOISE"
scene.render.resolution_x = scene.render.resolution_y = 96
scene.render.image_settings.media_type = "MULTI_LAYER_IMAGE"
scene.render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
scene.render.image_settings.color_depth = "32"
scene.render.filepath = os.path.abspath("render.exr")


def combined(denoise):
    scene.cycles.use_denoising = denoise
    bpy.ops.render.render(write_still=True)
    with OpenEXR.File("render.exr", separate_channels=True) as file:
        channels = file.channels()
        return [channels[f"ViewLayer.Combined.{name}"].pixels.copy() for name in "RA"]


(red, alpha), (smooth, same) = combined(False), combined(True)
soft = (alpha > 0.1) & (alpha < 0.9)
plain, spread = red[soft] / alpha[soft], smooth[soft] / alpha[soft]
equal = bool(np.array_equal(alpha, same))
print(f"without: red / alpha from {plain.min():.2f} to {plain.max():.2f}")
print(f"denoised: red / alpha from {spread.min():.2f} to {spread.max():.2f}, alpha the same {equal}")
right = np.allclose(plain, 0.8, atol=1e-3)
if not (right and equal and spread.min() < 0.6 and spread.max() > 1.0):
    print("expected 0.80 throughout without a denoiser, and alpha alone unchanged with it")
    sys.exit(1)
PY
