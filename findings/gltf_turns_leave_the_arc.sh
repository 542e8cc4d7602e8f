#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS with its glTF importer), Python 3.13
# Behaviour: `bpy.ops.import_scene.gltf` joins the four numbers of two rotations by straight lines, where glTF has LINEAR rotations go along the
#   arc at one speed (slerp). Half-way both agree; at a quarter of half a turn Blender shows 36.9 degrees instead of 45.
# Output seen:
#   10 % of the way: 12.7 degrees, by the specification 18.0
#   25 % of the way: 36.9 degrees, by the specification 45.0
#   50 % of the way: 90.0 degrees, by the specification 90.0
# Source: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html#interpolation-slerp (Appendix C, Spherical Linear Interpolation: for
#   "linear" interpolation of rotations); section 3.11 Animations (LINEAR: slerp should be used to interpolate quaternions).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3

cat > "$folder/see.py" <<'EOF'
import base64
import json
import math
import struct
import sys

import bpy

data = struct.pack("<2f", 0, 1) + struct.pack("<8f", 0, 0, 0, 1, 0, 1, 0, 0)  # seconds; half a turn
uri = "data:application/octet-stream;base64," + base64.b64encode(data).decode()
file = {
    "asset": {"version": "2.0"},
    "scene": 0,
    "scenes": [{"nodes": [0]}],
    "nodes": [{"name": "thing"}],
    "animations": [{
        "samplers": [{"input": 0, "output": 1, "interpolation": "LINEAR"}],
        "channels": [{"sampler": 0, "target": {"node": 0, "path": "rotation"}}],
    }],
    "buffers": [{"uri": uri, "byteLength": len(data)}],
    "bufferViews": [
        {"buffer": 0, "byteLength": 8}, {"buffer": 0, "byteOffset": 8, "byteLength": 32},
    ],
    "accessors": [
        {"bufferView": 0, "componentType": 5126, "count": 2, "type": "SCALAR", "min": [0], "max": [1]},
        {"bufferView": 1, "componentType": 5126, "count": 2, "type": "VEC4"},
    ],
}
with open(sys.argv[1], "w") as out:
    json.dump(file, out)

bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.context.scene.render.fps = 100
bpy.ops.import_scene.gltf(filepath=sys.argv[1])
seen = []
for percent in (10, 25, 50):
    bpy.context.scene.frame_set(percent)
    degrees = math.degrees(bpy.data.objects[0].matrix_world.to_quaternion().angle)
    seen.append(degrees)
    print(f"{percent} % of the way: {degrees:.1f} degrees, by the specification {1.8 * percent:.1f}")
sys.exit([round(each, 1) for each in seen] != [12.7, 36.9, 90.0])
EOF
"$folder/venv/bin/python" "$folder/see.py" "$folder/thing.gltf" | grep "of the way"
