#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS with its FBX exporter and importer), Python 3.13
# Behaviour: `bpy.ops.wm.fbx_import` turns each key of an object's rotation into Euler angles by itself, between -180 and 180 degrees, and joins
#   them by straight lines. Where a steady turn passes 180 degrees the angles leap by 360 from one key to the next, so that between these
#   two frames the object spins back by almost a whole turn. At whole frames all is right: motion blur, slow motion and Cycles' motion vectors show it.
# Output seen:
#   frame 8.5 is turned by 157.2 degrees, where 157.2 was exported
#   frame 9.5 is turned by 355.8 degrees, where 175.8 was exported
#   frame 10.5 is turned by 194.3 degrees, where 194.3 was exported
# Source: https://docs.blender.org/api/current/mathutils.html#mathutils.Euler.make_compatible ("Make this euler compatible with another, so
#   interpolating between them works as intended"); https://www.mail-archive.com/bf-blender-cvs@blender.org/msg05969.html (for Blender's exporter
#   the same was mended in 2009: with linear interpolation one notices errors where two eulers are not compatible).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3 numpy

cat > "$folder/see.py" <<'EOF'
import math
import sys

import bpy


def turn_at(item, frame):
    bpy.context.scene.frame_set(math.floor(frame), subframe=frame % 1)
    return math.degrees(item.matrix_world.to_euler().z) % 360


bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_cube_add()
cube = bpy.context.object
for frame, degrees in ((0, 0), (20, 370)):
    cube.rotation_euler.z = math.radians(degrees)
    cube.keyframe_insert("rotation_euler", index=2, frame=frame)
for key in cube.animation_data.action.layers[0].strips[0].channelbags[0].fcurves[0].keyframe_points:
    key.interpolation = "LINEAR"
scene = bpy.context.scene
scene.frame_start, scene.frame_end = 0, 20
before = {frame: turn_at(cube, frame) for frame in (8.5, 9.5, 10.5)}
bpy.ops.export_scene.fbx(filepath=sys.argv[1], bake_anim_simplify_factor=0)

bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.wm.fbx_import(filepath=sys.argv[1], anim_offset=0)
(cube,) = bpy.data.objects
after = {frame: turn_at(cube, frame) for frame in before}
for frame, degrees in after.items():
    print(f"frame {frame} is turned by {degrees:.1f} degrees, where {before[frame]:.1f} was exported")
off = [abs(after[frame] - before[frame]) > 1 for frame in before]
sys.exit(off != [False, True, False])
EOF
"$folder/venv/bin/python" "$folder/see.py" "$folder/turn.fbx" | grep "is turned"
