#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS), Python 3.13
# Behaviour: Blender's glTF importer cannot import a valid file in which KHR_animation_pointer animates a material that
#   has no name: it looks the animation up by that name and ends in an AttributeError. With a name the same file is imported.
# Output seen:
#   without a name: AttributeError: 'MaterialPBRMetallicRoughness' object has no attribute 'name'
#   with a name: imported
# Source: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html#names (a name is optional);
#   https://github.com/KhronosGroup/glTF/tree/main/extensions/2.0/Khronos/KHR_animation_pointer (pointers go by index).
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

folder = sys.argv[1]


def view(*values: float) -> dict:
    data = struct.pack(f"<{len(values)}f", *values)
    uri = "data:application/octet-stream;base64," + base64.b64encode(data).decode()
    return {"uri": uri, "byteLength": len(data)}


buffers = [view(0, 0, 0, 1, 0, 0, 0, 1, 0), view(0, 1), view(1, 0, 0, 1, 0, 1, 0, 1)]
kinds = [("VEC3", 3), ("SCALAR", 2), ("VEC4", 2)]
pointer = {"pointer": "/materials/0/pbrMetallicRoughness/baseColorFactor"}
target = {"path": "pointer", "extensions": {"KHR_animation_pointer": pointer}}
gltf = {
    "asset": {"version": "2.0"},
    "extensionsUsed": ["KHR_animation_pointer"],
    "scene": 0,
    "scenes": [{"nodes": [0]}],
    "nodes": [{"mesh": 0}],
    "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "material": 0}]}],
    "materials": [{"pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 1]}}],
    "animations": [
        {"samplers": [{"input": 1, "output": 2}], "channels": [{"sampler": 0, "target": target}]}
    ],
    "buffers": buffers,
    "bufferViews": [{"buffer": at, "byteLength": each["byteLength"]} for at, each in enumerate(buffers)],
    "accessors": [
        {"bufferView": at, "componentType": 5126, "type": kind, "count": count}
        for at, (kind, count) in enumerate(kinds)
    ],
}
gltf["accessors"][0] |= {"min": [0, 0, 0], "max": [1, 1, 0]}
gltf["accessors"][1] |= {"min": [0], "max": [1]}


def attempt(title: str) -> str:
    path = f"{folder}/triangle.gltf"
    with open(path, "w") as file:
        json.dump(gltf, file)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    try:
        bpy.ops.import_scene.gltf(filepath=path)
        told = "imported"
    except RuntimeError as error:
        lines = [line for line in str(error).splitlines() if line.strip() and "Location:" not in line]
        told = lines[-1].strip()
    print(f"{title}: {told}")
    return told


without = attempt("without a name")
gltf["materials"][0]["name"] = "paint"
named = attempt("with a name")
sys.exit("has no attribute 'name'" not in without or named != "imported")
EOF
"$folder/venv/bin/python" "$folder/see.py" "$folder" 2>/dev/null | grep "a name:"
