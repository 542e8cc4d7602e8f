#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS), usd-core 26.11, Python 3.13
# Behaviour: `bpy.ops.wm.usd_import` makes faces of what a USD mesh lists in `holeIndices`, with or without
#   `import_subdivision`. No option, attribute or property of the import tells which faces those were.
# Output seen:
#   usd-core: 2 faces, holes [1]
#   bpy: 2 faces; attributes of faces: material_index
# Source: https://openusd.org/release/api/class_usd_geom_mesh.html#details (holeIndices: "The indices of all faces that
#   should be treated as holes, i.e. made invisible").
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3 usd-core==26.11

cat > "$folder/see.py" <<'EOF'
import sys

import bpy
from pxr import Usd, UsdGeom

path = sys.argv[1]
with open(path, "w") as file:
    file.write("""#usda 1.0
def Mesh "strip"
{
    uniform token subdivisionScheme = "none"
    int[] faceVertexCounts = [4, 4]
    int[] faceVertexIndices = [0, 1, 3, 2, 2, 3, 5, 4]
    int[] holeIndices = [1]
    point3f[] points = [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0), (2, 0, 0), (2, 1, 0)]
}
""")
stage = Usd.Stage.Open(path)
mesh = UsdGeom.Mesh(stage.GetPrimAtPath("/strip"))
holes = list(mesh.GetHoleIndicesAttr().Get())
print(f"usd-core: {len(mesh.GetFaceVertexCountsAttr().Get())} faces, holes {holes}")

bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.wm.usd_import(filepath=path)
strip = bpy.data.objects["strip"].data
names = [each.name for each in strip.attributes if each.domain == "FACE"]
print(f"bpy: {len(strip.polygons)} faces; attributes of faces: {', '.join(names)}")
sys.exit(holes != [1] or len(strip.polygons) != 2)
EOF
"$folder/venv/bin/python" "$folder/see.py" "$folder/strip.usda" | grep faces
