#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS), Python 3.13
# Behaviour: `bpy.ops.wm.stl_import` reads a binary STL of one triangle, but from the same file with one
#   byte after the last triangle it makes an empty mesh, answers {'FINISHED'} and reports nothing. It takes
#   a file for a binary one only if its size is exactly 84 + 50 x triangles, and else for text, in which
#   it finds no word that it knows.
# Output seen:
#   as it is: {'FINISHED'}, 1 face
#   one byte more: {'FINISHED'}, 0 faces
# Source: the format says how many triangles to read in bytes 80 to 84 (https://www.fabbers.com/tech/STL_Format,
#   "number of facets"); programs write such files: https://github.com/mrdoob/three.js/issues/5734
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3

cat > "$folder/see.py" <<'EOF'
import struct
import sys

import bpy

path = sys.argv[1]
triangle = struct.pack("<12fH", 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0)
whole = b"a comment".ljust(80) + struct.pack("<I", 1) + triangle
seen = []
for name, data in (("as it is", whole), ("one byte more", whole + b"\n")):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with open(path, "wb") as file:
        file.write(data)
    answer = bpy.ops.wm.stl_import(filepath=path)
    faces = sum(len(mesh.polygons) for mesh in bpy.data.meshes)
    print(f"{name}: {answer}, {faces} face{'' if faces == 1 else 's'}")
    seen.append((answer, faces))
sys.exit(seen != [({"FINISHED"}, 1), ({"FINISHED"}, 0)])
EOF
"$folder/venv/bin/python" "$folder/see.py" "$folder/one.stl"
