#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS), Python 3.13
# Behaviour: With the usual linear interpolation, Cycles repeats an equirectangular environment from top to bottom, too:
#   within half a row of a pole its light is blended with that of the opposite one, half and half at the pole itself. Of a
#   picture of 4 rows whose ground is black and whose highest row is 8, the nadir shines with 4. Backgrounds that are
#   looked up elsewhere, with rows that end at the poles, differ there; coarse environments light scenes from below.
# Output seen:
#   looking straight down at the black ground: 50% of that row's light
#   looking straight up at the bright row: 51% of that row's light
# Source: https://docs.blender.org/manual/en/latest/render/shader_nodes/textures/environment.html, Projection:
#   "Equirectangular" is the mapping of a whole sphere, whose first and last row are the opposite poles; the node has
#   no setting by which rows repeat
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3

cat > "$folder/see.py" <<'END'
import math
import os
import sys

import bpy
import numpy as np

folder = sys.argv[1]
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
lens = bpy.data.cameras.new("camera")
camera = scene.camera = bpy.data.objects.new("camera", lens)
scene.collection.objects.link(camera)
render, cycles = scene.render, scene.cycles
render.engine, cycles.device = "CYCLES", "CPU"
render.image_settings.file_format = "OPEN_EXR"
render.image_settings.color_depth = "32"


def write_sky(pixels):
    """Light the scene with rows of a picture, the highest first."""
    height, width, _ = pixels.shape
    image = bpy.data.images.new("sky", width, height, float_buffer=True)
    image.colorspace_settings.name = "Linear Rec.709"
    rgba = np.concatenate([pixels, np.ones((height, width, 1))], axis=-1)[::-1]
    image.pixels.foreach_set(rgba.astype(np.float32).ravel())
    image.filepath_raw, image.file_format = os.path.join(folder, "sky.exr"), "OPEN_EXR"
    image.save()
    world = scene.world = bpy.data.worlds.new("world")
    world.use_nodes = True
    tree = world.node_tree
    texture = tree.nodes.new("ShaderNodeTexEnvironment")
    texture.image = bpy.data.images.load(image.filepath_raw)
    texture.image.colorspace_settings.name = "Linear Rec.709"
    tree.links.new(texture.outputs["Color"], tree.nodes["Background"].inputs["Color"])


def texture_image():
    return [n for n in scene.world.node_tree.nodes if n.type=="TEX_ENVIRONMENT"][0].image


def picture():
    """Return the rendered pixels (H, W), red alone."""
    render.filepath = os.path.join(folder, "seen.exr")
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(render.filepath)
    width, height = image.size
    pixels = np.array(image.pixels[:], np.float32).reshape(height, width, 4)[..., 0]
    bpy.data.images.remove(image)
    return pixels


pixels = np.zeros((4, 8, 3))
pixels[0] = 8.0
write_sky(pixels)
render.resolution_x = render.resolution_y = 8
cycles.samples = 16
lens.angle = math.radians(0.1)
camera.rotation_euler = (0, 0, 0)  # along -z
bright = max(texture_image().pixels[:4 * 8 * 4:4] + texture_image().pixels[4 * 8 * 3::4])
down, share = float(picture().mean()), []
camera.rotation_euler = (math.pi, 0, 0)
for name, light in (("down at the black ground", down), ("up at the bright row", picture().mean())):
    share.append(float(light) / bright)
    print(f"looking straight {name}: {share[-1]:.0%} of that row's light")
sys.exit(not all(abs(each - 0.5) < 0.02 for each in share))
END
"$folder/venv/bin/python" "$folder/see.py" "$folder" | grep -v Saved
