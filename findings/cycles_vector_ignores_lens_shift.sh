#!/usr/bin/env bash
# The Vector pass of Cycles knows of an animated focal length, but not of an animated lens shift.
#
# Versions: bpy 5.2.3, openexr 3.5.3, Python 3.13
# Behaviour: a cube stands still before a camera that stands still. When the focal length is animated, the Vector pass tells
#   how points slide in the picture. When `shift_x` is animated, the cube slides by as many pixels, and the pass is 0: flow made
#   of it says that nothing moves. The same of an animated `ortho_scale`.
# Output seen:
#   lens: slides by 1.6 px at its edge, Vector up to 1.6 px
#   shift_x: slides by 6.4 px, Vector up to 0.0 px
#   ortho_scale: slides by 1.8 px at its edge, Vector up to 0.0 px
# Source: https://docs.blender.org/manual/en/latest/render/layers/passes.html
#   (Vector: motion vectors for the Vector Blur node, in pixels, from the frame before and to the next)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3 openexr==3.5.3

cd "$folder"

"$folder/venv/bin/python" - <<'PY' | grep -E '^(lens|shift_x|ortho_scale|expected)'
import sys

import bpy
import numpy as np
import OpenEXR

bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.samples = 1
scene.render.resolution_x, scene.render.resolution_y = 128, 96
layer = scene.view_layers[0]
layer.use_pass_vector = layer.use_pass_z = True
scene.render.image_settings.media_type = "MULTI_LAYER_IMAGE"
scene.render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
bpy.ops.mesh.primitive_cube_add(size=2)


def edge(frame):
    """Return where the cube's right edge is, in pixels, by Blender's own projection."""
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    scene.frame_set(frame)
    return world_to_camera_view(scene, scene.camera, Vector((1, 0, 1))).x * 128


seen = {}
for name, values in (("lens", (46, 50, 54)), ("shift_x", (-0.05, 0.0, 0.05)), ("ortho_scale", (7, 8, 9))):
    lens = bpy.data.cameras.new(name)
    camera = bpy.data.objects.new(name, lens)
    camera.location.z = 10
    scene.collection.objects.link(camera)
    scene.camera = camera
    if name == "ortho_scale":
        lens.type = "ORTHO"
    for frame, value in enumerate(values, 1):
        setattr(lens, name, value)
        lens.keyframe_insert(name, frame=frame)
    slide = abs(edge(3) - edge(2))
    scene.frame_set(2)
    scene.render.filepath = "vector.exr"
    bpy.ops.render.render(write_still=True)
    with OpenEXR.File("vector.exr", separate_channels=True) as exr:
        channels = {key: value.pixels for part in exr.parts for key, value in part.channels.items()}
    there = next(value for key, value in channels.items() if "Depth" in key) < 1e9
    told = max(np.abs(value[there]).max() for key, value in channels.items() if "Vector" in key)
    seen[name] = (slide, float(told))
    place = "" if name == "shift_x" else " at its edge"
    print(f"{name}: slides by {slide:.1f} px{place}, Vector up to {told:.1f} px")
well = (
    abs(seen["lens"][0] - seen["lens"][1]) < 0.2
    and seen["shift_x"][0] > 5 and seen["shift_x"][1] < 0.01
    and seen["ortho_scale"][0] > 1 and seen["ortho_scale"][1] < 0.01
)
if not well:
    print("expected otherwise")
    sys.exit(1)
PY
