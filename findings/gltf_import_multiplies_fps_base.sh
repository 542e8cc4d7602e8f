#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS with its glTF importer), Python 3.13
# Behaviour: `bpy.ops.import_scene.gltf` puts keys of node animations at seconds x render.fps x render.fps_base, where the rate of a
#   scene is render.fps / render.fps_base; keys of KHR_animation_pointer at seconds x render.fps. At 29.97 frames per second (30 over
#   1.001) one second ends at frame 30.03, or 30, instead of 29.97: the longer the animation, the farther off; at 30 over 1.25 (24) at 37.5.
# Output seen:
#   30 / 1.001 = 29.970 frames per second: a key at 1 s lies at frame 30.030
#   30 / 1.25 = 24.000 frames per second: a key at 1 s lies at frame 37.500
# Source: https://docs.blender.org/api/current/bpy.types.RenderSettings.html#bpy.types.RenderSettings.fps_base ("Framerate base");
#   https://docs.blender.org/manual/en/latest/render/output/properties/format.html (Frame Rate: the custom rate is FPS divided by Base).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3

cat > "$folder/see.py" <<'EOF'
import base64
import json
import struct
import sys

import bpy

data = struct.pack("<2f", 0, 1) + struct.pack("<6f", 0, 0, 0, 1, 0, 0)  # seconds; places
uri = "data:application/octet-stream;base64," + base64.b64encode(data).decode()
file = {
    "asset": {"version": "2.0"},
    "scene": 0,
    "scenes": [{"nodes": [0]}],
    "nodes": [{"name": "thing"}],
    "animations": [{
        "samplers": [{"input": 0, "output": 1}],
        "channels": [{"sampler": 0, "target": {"node": 0, "path": "translation"}}],
    }],
    "buffers": [{"uri": uri, "byteLength": len(data)}],
    "bufferViews": [
        {"buffer": 0, "byteLength": 8}, {"buffer": 0, "byteOffset": 8, "byteLength": 24},
    ],
    "accessors": [
        {"bufferView": 0, "componentType": 5126, "count": 2, "type": "SCALAR", "min": [0], "max": [1]},
        {"bufferView": 1, "componentType": 5126, "count": 2, "type": "VEC3"},
    ],
}
with open(sys.argv[1], "w") as out:
    json.dump(file, out)

right = True
for base, wrong in ((1.001, 30.03), (1.25, 37.5)):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    render = bpy.context.scene.render
    render.fps, render.fps_base = 30, base
    bpy.ops.import_scene.gltf(filepath=sys.argv[1])
    last = bpy.data.actions[0].frame_range[1]
    rate = render.fps / render.fps_base
    print(f"30 / {base:g} = {rate:.3f} frames per second: a key at 1 s lies at frame {last:.3f}")
    right = right and abs(last - wrong) < 1e-3
sys.exit(not right)
EOF
"$folder/venv/bin/python" "$folder/see.py" "$folder/thing.gltf" | grep "frames per second"
