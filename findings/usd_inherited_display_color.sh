#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS), Python 3.13
# Behaviour: `bpy.ops.wm.usd_import` reads a constant `primvars:displayColor` that stands on a mesh, but not one
#   that the mesh inherits from the Xform above it: the mesh comes without any colour, and nothing is reported.
# Output seen:
#   on the mesh: ['displayColor']
#   on the Xform above: []
# Source: https://openusd.org/release/api/class_usd_geom_primvars_a_p_i.html: primvars "inherit down namespace"
#   (those of constant interpolation), so a renderer is to ask with FindPrimvarWithInheritance().
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3

cat > "$folder/see.py" <<'EOF'
import sys

import bpy

COLOUR = 'color3f[] primvars:displayColor = [(0.5, 0.25, 0.8)] (interpolation = "constant")'
WORLD = """#usda 1.0
def Xform "group"
{{
    {above}
    def Mesh "sheet"
    {{
        int[] faceVertexCounts = [3]
        int[] faceVertexIndices = [0, 1, 2]
        point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]
        {own}
    }}
}}
"""
path = sys.argv[1]
seen = []
for name, above, own in (("on the mesh", "", COLOUR), ("on the Xform above", COLOUR, "")):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with open(path, "w") as file:
        file.write(WORLD.format(above=above, own=own))
    bpy.ops.wm.usd_import(filepath=path)
    colours = [each.name for mesh in bpy.data.meshes for each in mesh.color_attributes]
    print(f"{name}: {colours}")
    seen.append(colours)
sys.exit(seen != [["displayColor"], []])
EOF
"$folder/venv/bin/python" "$folder/see.py" "$folder/group.usda"
