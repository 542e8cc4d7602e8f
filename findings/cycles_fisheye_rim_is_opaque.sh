#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS), Python 3.13
# Behaviour: With a transparent film, what is beyond the field of view of a panoramic camera is opaque black: alpha 1,
#   as if an object stood there, while the empty scene inside of the field of view has alpha 0. A mask made of the alpha
#   of a fisheye picture has its corners in it. The kinds below do so alike.
# Output seen:
#   FISHEYE_EQUIDISTANT: alpha 0 in the middle, 1 in the corner
#   FISHEYE_LENS_POLYNOMIAL: alpha 0 in the middle, 1 in the corner
#   MIRRORBALL: alpha 0 in the middle, 1 in the corner
# Source: https://docs.blender.org/manual/en/latest/render/cycles/render_settings/film.html, Transparent: "Render the
#   background transparent, for compositing the image over another background after rendering."
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3

cat > "$folder/see.py" <<'EOF'
import math
import sys

import bpy

path = sys.argv[1]
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
lens = bpy.data.cameras.new("camera")
scene.camera = bpy.data.objects.new("camera", lens)
scene.collection.objects.link(scene.camera)
render = scene.render
render.engine, scene.cycles.device, scene.cycles.samples = "CYCLES", "CPU", 4
render.resolution_x = render.resolution_y = 32
render.film_transparent = True
render.filepath = path
render.image_settings.file_format = "PNG"
render.image_settings.color_mode = "RGBA"
lens.type, lens.fisheye_fov = "PANO", math.radians(90)
lens.fisheye_polynomial_k1 = -math.radians(90) / 36  # 90 degrees within the sensor's 36 mm
for power in (0, 2, 3, 4):
    setattr(lens, f"fisheye_polynomial_k{power}", 0.0)
seen = []
for kind in ("FISHEYE_EQUIDISTANT", "FISHEYE_LENS_POLYNOMIAL", "MIRRORBALL"):
    lens.panorama_type = kind
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(path)
    alphas = [image.pixels[4 * (32 * row + column) + 3] for row, column in ((16, 16), (0, 0))]
    bpy.data.images.remove(image)
    print(f"{kind}: alpha {alphas[0]:g} in the middle, {alphas[1]:g} in the corner")
    seen.append(alphas)
sys.exit(seen != [[0.0, 1.0]] * 3)
EOF
"$folder/venv/bin/python" "$folder/see.py" "$folder/seen.png"
