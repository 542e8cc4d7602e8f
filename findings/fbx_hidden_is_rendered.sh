#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS), Python 3.13
# Behaviour: `bpy.ops.wm.fbx_import` takes an FBX node whose `Visibility` is 0 out of the viewport alone: `hide_viewport`
#   is set, `hide_render` is not, so it is rendered. What is below it is marked in neither way.
# Output seen:
#   seen: hide_viewport False, hide_render False
#   hidden: hide_viewport True, hide_render False
#   below: hide_viewport False, hide_render False
# Source: https://help.autodesk.com/cloudhelp/2018/ENU/FBX-Developer-Help/cpp_ref/class_fbx_node.html (Visibility and
#   VisibilityInheritance, which is on by default: the visibility of a node is inherited from its parent);
#   https://github.com/Unity-Technologies/com.unity.formats.fbx/pull/222 (Maya and Unity hide such nodes, with children).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3

cat > "$folder/see.py" <<'EOF'
import sys

import bpy

HEAD = """; FBX 7.4.0 project file
FBXHeaderExtension: {
FBXHeaderVersion: 1003
FBXVersion: 7400
}
Objects: {
"""
MESH = """Geometry: %d, "Geometry::", "Mesh" {
Vertices: *9 {
a: 0,0,0,1,0,0,0,1,0
}
PolygonVertexIndex: *3 {
a: 0,1,-3
}
GeometryVersion: 124
}
Model: %d, "Model::%s", "Mesh" {
Version: 232
Properties70: {
P: "Visibility", "Visibility", "", "A",%d
P: "Visibility Inheritance", "Visibility Inheritance", "", "",1
}
}
"""
NODES = [("seen", 1, 0), ("hidden", 0, 0), ("below", 1, 2)]  # name, visibility, number of the parent
text = HEAD + "".join(MESH % (at + 10, at, name, shown) for at, (name, shown, _) in enumerate(NODES, 1))
links = [f'C: "OO",{at},{up}\nC: "OO",{at + 10},{at}\n' for at, (_, _, up) in enumerate(NODES, 1)]
with open(sys.argv[1], "w") as file:
    file.write(text + "}\nConnections: {\n" + "".join(links) + "}\n")

bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.wm.fbx_import(filepath=sys.argv[1])
seen = []
for name, _, _ in NODES:
    item = bpy.data.objects[name]
    print(f"{name}: hide_viewport {item.hide_viewport}, hide_render {item.hide_render}")
    seen.append((item.hide_viewport, item.hide_render))
sys.exit(seen != [(False, False), (True, False), (False, False)])
EOF
"$folder/venv/bin/python" "$folder/see.py" "$folder/nodes.fbx"
