#!/usr/bin/env bash
# With time stretching, baked cloth is shown as it is at another frame than everything else.
#
# Versions: bpy 5.2.3, Python 3.13
# Behaviour: cloth that falls freely is baked, a keyed object moves as a mark of time. With `frame_map_new` = 2 x
#   `frame_map_old` (everything at half speed), frame 11 is frame 5.5 of the animation: the keyed object is there, the
#   cloth still as in frame 5. With half of that (double speed), frame 2.5 is frame 5 of the animation: the cloth is
#   shown as in frame 5.5. The cache is asked for the whole part of the stretched time plus the fraction of the
#   unstretched one.
# Output seen:
#   half speed, frame 11: keyed 5.5, cloth 5.0
#   double speed, frame 2.5: keyed 5.0, cloth 5.5
# Source: https://docs.blender.org/manual/en/latest/render/output/properties/frame_range.html
#   (Time Stretching: "Use to remap the length of an animation; making it run slower or faster")
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3

cd "$folder"

"$folder/venv/bin/python" - <<'PY' | grep -E '^(half|double|expected)'
import sys

import bpy

bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.frame_end = 12
mesh = bpy.data.meshes.new("flag")
mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
flag, mark = bpy.data.objects.new("flag", mesh), bpy.data.objects.new("mark", None)
for item in (flag, mark):
    scene.collection.objects.link(item)
for frame in (0, 20):
    mark.location.x = frame
    mark.keyframe_insert("location", frame=frame)
for layer in mark.animation_data.action.layers:
    for strip in layer.strips:
        for bag in strip.channelbags:
            for curve in bag.fcurves:
                for key in curve.keyframe_points:
                    key.interpolation = "LINEAR"
flag.modifiers.new("Cloth", "CLOTH").point_cache.frame_end = 12
bpy.ops.ptcache.bake_all(bake=True)


def shown(frame, fraction=0.0):
    scene.frame_set(frame, subframe=fraction)
    graph = bpy.context.evaluated_depsgraph_get()
    points = flag.evaluated_get(graph).data.vertices
    height = sum(point.co.z for point in points) / len(points)
    return mark.evaluated_get(graph).matrix_world.translation.x, height


# How high the cloth is at each half of a frame, before time is stretched.
known = {half / 2: shown(half // 2, (half % 2) / 2)[1] for half in range(2, 24)}


def moment_of(height):
    return min(known, key=lambda moment: abs(known[moment] - height))


scene.render.frame_map_old, scene.render.frame_map_new = 100, 200
keyed, height = shown(11)
slow = (round(keyed, 3), moment_of(height))
scene.render.frame_map_old, scene.render.frame_map_new = 200, 100
keyed, height = shown(2, 0.5)
fast = (round(keyed, 3), moment_of(height))
print("half speed, frame 11: keyed {}, cloth {}".format(*slow))
print("double speed, frame 2.5: keyed {}, cloth {}".format(*fast))
if (slow, fast) != ((5.5, 5.0), (5.0, 5.5)):
    print("expected something else")
    sys.exit(1)
PY
