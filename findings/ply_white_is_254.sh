#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS), Python 3.13
# Behaviour: `bpy.ops.wm.ply_export` writes white vertex colours, 1.0, as 254 with its default, sRGB; with
#   `export_colors='LINEAR'` it writes 255. So white that is exported and imported again is darker each time.
# Output seen:
#   SRGB: 254 254 254 255
#   LINEAR: 255 255 255 255
# Source: sRGB's encoding of 1 is 1 (IEC 61966-2-1; https://www.w3.org/Graphics/Color/sRGB), which is 255 in eight
#   bits; https://docs.blender.org/manual/en/latest/files/import_export/ply.html names sRGB and linear as the choices.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3

cat > "$folder/see.py" <<'EOF'
import sys

import bpy

path = sys.argv[1]
bpy.ops.wm.read_factory_settings(use_empty=True)
mesh = bpy.data.meshes.new("sheet")
mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
for each in mesh.color_attributes.new("white", "FLOAT_COLOR", "POINT").data:
    each.color = (1, 1, 1, 1)
bpy.context.scene.collection.objects.link(bpy.data.objects.new("sheet", mesh))
seen = []
for kind in ("SRGB", "LINEAR"):
    bpy.ops.wm.ply_export(filepath=path, ascii_format=True, export_colors=kind)
    with open(path) as file:
        first = file.read().partition("end_header\n")[2].splitlines()[0].split()
    print(f"{kind}: {' '.join(first[3:])}")
    seen.append(first[3:])
sys.exit(seen != [["254"] * 3 + ["255"], ["255"] * 4])
EOF
"$folder/venv/bin/python" "$folder/see.py" "$folder/sheet.ply"
