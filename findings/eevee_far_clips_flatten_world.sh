#!/usr/bin/env bash
# Versions: bpy 5.2.3, Python 3.13; needs OpenGL (EGL), hardware or Mesa
# Behaviour: EEVEE shows one colour in place of the world's environment texture where the far clip of a perspective camera is
#   more than about 2^25 (3.4e7) times its near one: the direction of what is behind everything is lost in numbers of
#   32 bits. Things before it look as ever, nothing is told. Cycles shows the texture with any clips.
# Output seen:
#   clips 1e-03..3e+04 (3e+07 apart): the background varies by 0.075
#   clips 1e-03..5e+04 (5e+07 apart): the background varies by 0.002
#   clips 1e-05..1e+02 (1e+07 apart): the background varies by 0.075
#   clips 1e-05..1e+03 (1e+08 apart): the background varies by 0.002
#   Cycles, clips 1e-05..1e+09: the background varies by 0.075
# Source: https://docs.blender.org/manual/en/latest/render/cameras.html ("Clip Start and End: the interval in which objects are directly
#   visible"; nothing there or on the world's page ties the background to it)
set -euo pipefail

python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | head -1)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check bpy==5.2.3
cd "$folder"

cat >look.py <<'PY'
import pathlib
import statistics
import sys

import bpy

sky = pathlib.Path("sky.hdr").resolve()
rows = b"".join(bytes((30 + 12 * (x % 16), 128, 60, 128)) for _ in range(8) for x in range(16))
sky.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 8 +X 16\n" + rows)

bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.eevee.taa_render_samples = 1
scene.cycles.device, scene.cycles.samples = "CPU", 4
scene.render.resolution_x, scene.render.resolution_y = 64, 32
scene.view_settings.view_transform = "Standard"
scene.render.image_settings.file_format = "PNG"
scene.world = bpy.data.worlds.new("world")
tree = scene.world.node_tree
texture = tree.nodes.new("ShaderNodeTexEnvironment")
texture.image = bpy.data.images.load(str(sky))
background = next(node for node in tree.nodes if node.type == "BACKGROUND")
tree.links.new(texture.outputs["Color"], background.inputs["Color"])
camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
camera.rotation_euler = (1.5708, 0.0, 0.0)
camera.data.angle = 2.0
scene.collection.objects.link(camera)
scene.camera = camera


def varies(engine, near, far):
    scene.render.engine = engine
    camera.data.clip_start, camera.data.clip_end = near, far
    path = pathlib.Path("out.png").resolve()
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    reds = list(image.pixels)[0::4]
    bpy.data.images.remove(image)
    return statistics.pstdev(reds)


found = []
for near, far in ((1e-3, 3e4), (1e-3, 5e4), (1e-5, 1e2), (1e-5, 1e3)):
    found.append(varies("BLENDER_EEVEE", near, far))
    print(f"clips {near:.0e}..{far:.0e} ({far / near:.0e} apart): the background varies by {found[-1]:.3f}",
          file=sys.stderr)
cycles = varies("CYCLES", 1e-5, 1e9)
print(f"Cycles, clips 1e-05..1e+09: the background varies by {cycles:.3f}", file=sys.stderr)
shown = [value > 0.02 for value in found]
sys.exit(0 if shown == [True, False, True, False] and cycles > 0.02 else "the behaviour is another one")
PY
"$folder/venv/bin/python" look.py 2>&1 >/dev/null | grep -v "CUEW\|EGL"
